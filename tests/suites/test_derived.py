import csv
import hashlib
from dataclasses import replace
from importlib.resources import files
from itertools import islice

import numpy as np
import pytest

from bench.data import decode_rgb
from bench.store import Store
from bench.suites.audit.record import audit
from bench.suites.base import open_suite, prepare
from bench.suites.catalogue import SIMULATED, load_suite
from bench.suites.derived import WithRealPhotographs
from bench.suites.simcam.plan import SIMCAM_SMOKE
from tests.suites.test_folder import refuse, write_dresden, write_photo, write_tree

SHIPPED = files("bench") / "assets" / "real"


@pytest.fixture
def smoke_with_real(monkeypatch):
    """The smoke suite with the photographs that ship, under a name of its own."""
    spec = replace(SIMCAM_SMOKE, name="smoke-real-v1", real=True)
    monkeypatch.setattr("bench.suites.catalogue.SIMULATED", {**SIMULATED, spec.name: spec})
    return load_suite(spec.name)


def test_four_models_ship_with_their_licences_and_their_cameras_bytes():
    with (SHIPPED / "ATTRIBUTION.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 48
    assert len({row["exif_model"] for row in rows}) == 4
    assert {row["licence"] for row in rows} == {"CC0-1.0", "CC-BY-3.0", "CC-BY-4.0"}
    for row in rows:
        data = (SHIPPED / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"], row["file"]
        assert row["source"].startswith("https://")


def test_they_are_a_third_split_of_set_c_alone(smoke_with_real, tmp_path):
    plain = load_suite(SIMCAM_SMOKE.name)
    card = smoke_with_real.card
    assert len(card.real) == 4
    assert card.fingerprint != plain.card.fingerprint
    assert "48 real photographs" in card.note
    assert [smoke_with_real.count(s) - plain.count(s) for s in "ABC"] == [0, 0, 48]
    suite = prepare(smoke_with_real, Store(tmp_path), ("A", "B", "C"))
    frame, own = suite.manifest("C"), plain.count("C")
    assert set(frame["split"][:own]) == {"in", "out"}
    assert set(frame["split"][own:]) == {"real"}
    assert set(frame["model"][own:]) == set(card.real)
    assert frame["image_id"].is_unique
    assert frame["jpeg_tables"][own:].notna().all()
    found = audit(suite)
    assert not found.failed
    assert any("real photographs of Canon" in one.finding for one in found.findings)
    assert open_suite(suite.folder).card == card


def test_a_tile_is_the_centre_of_a_photograph_on_the_grid_of_its_jpeg(smoke_with_real):
    own = smoke_with_real.count("C") - 48
    row, pixels = next(smoke_with_real.rows("C", 1, own))
    data = (SHIPPED / row.photo_id.removeprefix("real/")).read_bytes()
    whole = decode_rgb(data, "whole")
    np.testing.assert_array_equal(pixels, whole[:, 224:288, 224:288])
    resumed = [one.image_id for one, _ in islice(smoke_with_real.rows("C", 1, own + 3), 2)]
    everything = [one.image_id for one, _ in smoke_with_real.rows("C", 1)]
    assert resumed == everything[own + 3 : own + 5]


def test_photographs_of_a_model_that_the_suite_knows_are_refused(tmp_path):
    own = write_tree(tmp_path / "own", {"a": [9, 9, 9], "b": [9, 9, 9]})
    source = WithRealPhotographs(load_suite(f"folder:{own}", image_px=64), own)
    refuse(source, r"photographs of a.*which folder-own knows")
    other = write_tree(tmp_path / "other", {"A ": [9]})
    source = WithRealPhotographs(load_suite(f"folder:{own}", image_px=64), other)
    refuse(source, r"photographs of A .*which folder-own knows")


def test_real_photographs_are_doubted_as_a_folder_suite_s_are(tmp_path):
    own = write_tree(tmp_path / "own", {"a": [9, 9, 9], "b": [9, 9, 9]})
    real = write_tree(tmp_path / "real", {"train": [4]})
    write_photo(real / "train" / "dev0" / "small.png", size=(32, 32))
    options = {"image_px": 64, "real": real}
    refuse(load_suite(f"folder:{own}", **options), r"no camera models.*: train")
    flat = write_dresden(tmp_path / "flat", {"LG_One": [4]})
    apart = load_suite(f"folder:{own}", image_px=64, real=flat, layout="tree")
    assert apart.card.real == ("LG_One",)  # the layout that was told fits the folder alone
    insisted = load_suite(f"folder:{own}", **options, layout="tree", skip_bad=True)
    assert "4 real photographs of train in the split `real`; 1 unusable" in insisted.card.note
    for path in real.rglob("*.JPG"):
        path.unlink()
    refuse(
        load_suite(f"folder:{own}", **options, layout="tree", skip_bad=True),
        r"no usable photograph in .*train",
    )


def test_a_rehearsal_sees_set_b_alone(tmp_path):
    played = load_suite("simcam-smoke-v2")
    suite = prepare(load_suite("rehearsal:simcam-smoke-v2"), Store(tmp_path), ("A", "B", "C"))
    b = prepare(played, Store(tmp_path), ("B",))
    assert suite.card.fingerprint != played.card.fingerprint
    assert suite.card.classes == played.card.classes
    assert suite.card.others == ()
    for name in "AB":
        np.testing.assert_array_equal(suite.images(name), b.images("B"))
        assert set(suite.manifest(name)["set"]) == {name}
    held_out = (b.manifest("B")["partition"] == "validation").to_numpy()
    np.testing.assert_array_equal(suite.images("C"), b.images("B")[held_out])
    assert set(suite.manifest("C")["split"]) == {"in"}
    assert "rehearsal" in suite.card.note
    assert audit(suite).failed  # nobody takes its numbers for a result
