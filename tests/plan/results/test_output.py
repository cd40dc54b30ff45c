import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from bench.contract import ATTACKS, VICTIMS
from bench.jobs.scoring.items import batch_for
from bench.metrics.distortion import measured_by, psnr_db
from bench.plan.request import evaluate_run
from bench.plan.results.output import write_matrix
from bench.records.load import load_run
from bench.records.metric import METRICS, MetricSpec
from bench.registry import Entry
from bench.store import Store
from bench.suites.base import prepare
from bench.types import as_json
from tests.smoke import ATTACKS as ALL
from tests.smoke import VICTIMS as CHOSEN
from tests.smoke import matrix_of, request


@pytest.fixture
def matrix(smoke):
    return matrix_of(smoke.store)


def written(matrix, out, attacks=ALL):
    write_matrix(out, matrix, matrix.fill(attacks))
    return out


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_entry_says_what_made_its_row_and_what_its_victims_are(smoke, matrix):
    entry = json.loads((smoke.out / "entry-cgan-img.json").read_text())
    attack = entry["attack"]
    assert attack["key"] == matrix.graph.attacks["cgan-img"][:16]
    assert attack["digest"] == matrix.networks.attack_digest("cgan-img")
    assert as_json(ATTACKS.get("cgan-img").spec).items() <= attack.items()
    assert attack["hyperparameters"]["cgan"]["steps"] == 2
    jpeg = json.loads((smoke.out / "entry-jpeg.json").read_text())["attack"]
    assert jpeg["hyperparameters"] == {"quality_percent": 85}
    assert jpeg["control"] is True
    victims = entry["victims"]
    assert [victim["name"] for victim in victims] == list(CHOSEN)
    for victim in victims:
        name = victim["name"]
        assert victim["key"] == matrix.graph.victims[name][:16]
        assert victim["digest"] == matrix.networks.victim_stem(name)
        assert (victim["precision"], victim["backbone"]) == ("fp32", "resnet12")
        assert victim["family"] == VICTIMS.get(name).spec.front_end
        assert victim["classes"] == ["simcam-01", "simcam-02", "simcam-03"]


def test_an_entry_says_what_code_measured_it(smoke_copy):
    spec = MetricSpec(name="far", title="Far", needs="images")
    with METRICS.during(Entry(spec=spec, builder=psnr_db, origin="a file")):
        run = evaluate_run(request(attacks=("identity",)), smoke_copy.store, smoke_copy.out / "far")
        assert [one.metrics for one in run.entries] == [measured_by()]
    assert "metrics" not in json.loads((smoke_copy.out / "entry-jpeg.json").read_text())


def test_an_entry_says_where_it_comes_from(smoke, matrix):
    entry = json.loads((smoke.out / "entry-jpeg.json").read_text())
    assert as_json(matrix.graph.suite).items() <= entry["suite"].items()
    assert (entry["recipe"], entry["seed"], entry["scorer_version"]) == ("smoke", 0, 2)
    assert entry["lpips"]["version"] == "0.1"
    origin = entry["provenance"]
    assert (origin["device"], origin["precision"], origin["tf32"]) == ("cpu", "fp32", False)
    assert origin["batch_size"] == batch_for(*matrix.place.scorer.images.shape[-2:])
    assert origin["wall_time_s"] >= 0
    assert {"torch", "numpy"} <= origin["packages"].keys()
    assert {"commit", "dirty"} <= origin.keys()


def test_an_entry_says_what_the_audit_found(smoke, matrix, tmp_path):
    card = matrix.graph.suite
    folder = smoke.store.data_folder(card.name, card.fingerprint)
    kept = json.loads((folder / "audit.json").read_text())
    recorded = json.loads((smoke.out / "entry-jpeg.json").read_text())["suite"]["audit"]
    assert recorded["verdict"] == kept["verdict"]
    assert recorded["verdict"].startswith("9 of 11 checks pass; warn: ")
    assert len(recorded["checks"]) == 11
    assert load_run(smoke.out).audit == kept["verdict"]
    note = f"Audit: {kept['verdict']}."
    assert note in (smoke.out / "table2.md").read_text()
    part = prepare(request().source, Store(tmp_path / "store"), ("C",))
    matrix.place.suite = part
    written(matrix, tmp_path / "out", ["identity"])
    assert load_run(tmp_path / "out").audit is None


def test_samples_are_what_the_attack_makes_of_the_originals(smoke, matrix):
    folder = smoke.out / "samples"
    records = json.loads((folder / "samples.json").read_text())
    manifest, images = matrix.place.scorer.manifest, matrix.place.scorer.images
    assert len(records) == 4 * 2
    attack = matrix.networks.attack("cgan-img")
    for record in records:
        assert record["attack"] == "cgan-img"
        index = manifest.index[manifest["image_id"] == record["image_id"]][0]
        original = np.asarray(Image.open(folder / record["original"])).transpose(2, 0, 1)
        np.testing.assert_array_equal(original, images[index])
        assert record["source"] == manifest["model"][index]
        wanted = [name for name in matrix.graph.suite.classes if name != record["source"]]
        assert list(record["anonymised"]) == wanted
    name, file = wanted[-1], record["anonymised"][wanted[-1]]
    target = torch.tensor([matrix.graph.suite.classes.index(name)])
    expected = attack(torch.from_numpy(np.array(images[index]))[None], target)[0].numpy()
    found = np.asarray(Image.open(folder / file)).transpose(2, 0, 1).astype(int)
    assert np.abs(found - expected).max() <= 1


def test_stale_files_of_another_run_go_and_the_users_stay(matrix, tmp_path):
    (tmp_path / "notes.txt").touch()
    written(matrix, tmp_path)
    assert "entry-cgan-img.json" in names(tmp_path)
    written(matrix, tmp_path, ["jpeg", "identity"])
    assert names(tmp_path) == [
        "distortion.parquet",
        "entry-identity.json",
        "entry-jpeg.json",
        "notes.txt",
        "predictions.parquet",
    ]
    assert set(pd.read_parquet(tmp_path / "predictions.parquet")["attack"]) == {"jpeg", "identity"}
