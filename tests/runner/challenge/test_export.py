import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from bench.jobs.items import Item, asked_of
from bench.jobs.kept import Recorder, kept_files
from bench.jobs.networks import Networks, Shelf
from bench.recipes import get_recipe
from bench.runner.api import open_session
from bench.runner.cells import row_key
from bench.runner.challenge.asked import asked_of_victims, scored_of_victims
from bench.runner.challenge.export import (
    FILE_TIME_S,
    export_challenge,
    export_for_attacks,
    export_for_victims,
)
from bench.runner.challenge.ids import Asked
from bench.runner.graph import plan
from bench.store import Store
from bench.suites.base import open_suite
from bench.types import CamobenchError
from tests.smoke import ToySource, Watcher, request, toy_suite
from tests.toys import CLASSES

ATTACKS = ("identity", "median")


@pytest.fixture
def suite(tmp_path):
    return toy_suite(tmp_path / "store", sets=("C",))


@pytest.fixture
def store(suite, tmp_path):
    return Store(tmp_path / "store")


def files(folder):
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.*")}


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image).transpose(2, 0, 1)


def test_every_image_of_set_c_goes_out_to_the_last_bit(suite, store, tmp_path):
    challenge = export_for_attacks(suite, store, tmp_path / "out")
    names = suite.manifest("C")["image_id"]
    found = {path.stem: pixels(path) for path in (tmp_path / "out" / "images").iterdir()}
    mapping = challenge.mapping(Asked(image_id=name) for name in names)
    assert set(found) == set(mapping)
    place = {name: index for index, name in enumerate(names)}
    for opaque, asked in mapping.items():
        np.testing.assert_array_equal(found[opaque], suite.images("C")[place[asked.image_id]])


def test_nothing_tells_source_split_photograph_or_order(suite, store, tmp_path):
    out = tmp_path / "out"
    challenge = export_for_attacks(suite, store, out)
    told = (out / "challenge.json").read_text() + (out / "README.md").read_text()
    rows = suite.manifest("C")
    for column in ("image_id", "photo_id", "device", "sha256"):
        assert not any(str(value) in told for value in rows[column])
    assert challenge.salt not in told
    assert "other-x" not in told  # a model out of distribution
    record = json.loads((out / "challenge.json").read_text())
    assert record["targets"] == list(CLASSES)
    ids = [image["id"] for image in record["images"]]
    assert ids == sorted(ids)
    assert {tuple(image) for image in record["images"]} == {("height", "id", "width")}
    paths = files(out)
    assert set(paths) == {"challenge.json", "README.md"} | {f"images/{one}.png" for one in ids}
    times = {int(path.stat().st_mtime) for path in [*paths.values(), out / "images", out]}
    assert times == {FILE_TIME_S}


def test_a_png_holds_pixels_and_nothing_else(suite, store, tmp_path):
    export_for_attacks(suite, store, tmp_path / "out")
    for path in (tmp_path / "out" / "images").iterdir():
        data, kinds, at = path.read_bytes(), set(), 8
        while at < len(data):
            kinds.add(data[at + 4 : at + 8])
            at += 12 + int.from_bytes(data[at : at + 4], "big")
        assert kinds == {b"IHDR", b"IDAT", b"IEND"}
        with Image.open(path) as image:
            assert image.info == {}


def test_a_killed_export_continues(suite, store, tmp_path):
    out = tmp_path / "out"
    stopping = Watcher(stop=3, label="challenge")
    with pytest.raises(KeyboardInterrupt):
        export_for_attacks(suite, store, out, progress=stopping)
    watcher = Watcher()
    export_for_attacks(suite, store, out, progress=watcher)
    assert watcher.resumed == 3
    assert len(list((out / "images").iterdir())) == 8
    assert not (out / ".unfinished").exists()
    one = next((out / "images").iterdir())
    one.unlink()
    export_for_attacks(suite, store, out, progress=watcher)
    assert watcher.resumed == 7
    assert one.is_file()


def test_another_folder_is_never_written_into(suite, store, tmp_path):
    export_for_attacks(suite, store, tmp_path / "out")
    strange = tmp_path / "photos"
    strange.mkdir()
    (strange / "holiday.jpg").touch()
    with pytest.raises(CamobenchError, match="photos is not empty and no export of ours"):
        export_for_attacks(suite, store, strange)
    assert [path.name for path in strange.iterdir()] == ["holiday.jpg"]
    with pytest.raises(CamobenchError, match="is a file; choose another --out"):
        export_for_attacks(suite, store, strange / "holiday.jpg")
    other = toy_suite(tmp_path / "store", sets=("C",), fingerprint="0" * 64)
    with pytest.raises(CamobenchError, match="holds another challenge"):
        export_for_attacks(other, store, tmp_path / "out")
    elsewhere = toy_suite(tmp_path / "elsewhere", sets=("C",))
    with pytest.raises(CamobenchError, match="under other ids, of another store"):
        export_for_attacks(elsewhere, Store(tmp_path / "elsewhere"), tmp_path / "out")


@pytest.fixture
def networks(store):
    graph = plan(ToySource().card, get_recipe("smoke"), attacks=ATTACKS, victims=())
    return Networks(graph, Shelf(store=store, shipped=False), torch.device("cpu"))


def test_victims_get_what_the_attacks_leave(suite, store, networks, tmp_path):
    out = tmp_path / "out"
    challenge = export_for_victims(suite, store, networks, ATTACKS, out)
    record = json.loads((out / "challenge.json").read_text())
    assert (record["for"], record["classes"]) == ("victims", list(CLASSES))
    assert len(record["images"]) == 2 * 8
    told = (out / "challenge.json").read_text() + (out / "README.md").read_text()
    assert "median" not in told
    name = suite.manifest("C")["image_id"][5]
    for attack in ATTACKS:
        path = out / "images" / f"{challenge.opaque(Asked(image_id=name, attack=attack))}.png"
        original = torch.from_numpy(np.array(suite.images("C")[5:6]))
        expected = networks.attack(attack)(original)[0].numpy()
        np.testing.assert_array_equal(pixels(path), expected)


def training(out):
    """Images handed out for training, their models, and the set of the store that they are."""
    rows = pd.read_csv(out / "training" / "manifest.csv")
    assert set(rows) == {"file", "sha256", "model", "partition"}
    assert {int(path.stat().st_mtime) for path in (out / "training").rglob("*")} == {FILE_TIME_S}
    first = pixels(out / "training" / rows["file"][0])
    suite = open_suite(next((out.parent / "store" / "data").iterdir()))
    (name,) = [name for name in "ABC" if np.array_equal(suite.images(name)[0], first)]
    return len(rows), set(rows["model"]), name


def test_attackers_get_set_b_with_labels(smoke_copy, tmp_path):
    out = tmp_path / "challenge"
    export_challenge(request(attacks=(), victims=()), smoke_copy.store, out, for_victims=False)
    assert training(out) == (12, {"simcam-01", "simcam-02", "simcam-03"}, "B")
    assert "training/manifest.csv" in (out / "README.md").read_text()
    assert not (out / ".camobench.json").exists()


def test_victims_of_a_whole_request_get_targeted_images_and_the_originals(smoke_copy, tmp_path):
    out = tmp_path / "pictures"
    asked = request(attacks=("cgan-img",), victims=())
    challenge = export_challenge(asked, smoke_copy.store, out, for_victims=True)
    assert set(challenge.content) == {"cgan-img", "identity"}
    assert len(list((out / "images").iterdir())) == 8 + 8 * 3
    trained = training(out)
    assert trained == (12, {"simcam-01", "simcam-02", "simcam-03"}, "A")
    again = export_challenge(asked, smoke_copy.store, out, for_victims=True)
    assert again == challenge


def test_the_targets_that_are_there_tell_no_source(suite):
    targets = {}
    for asked in asked_of_victims(suite, ["mislgan"]):
        targets.setdefault(asked.image_id, []).append(asked.target)
    assert set(targets) == set(suite.manifest("C")["image_id"])
    assert all(found == list(CLASSES) for found in targets.values())


def test_only_what_the_protocol_scores_is_scored(suite):
    source = dict(suite.manifest("C")[["image_id", "model"]].itertuples(index=False))
    scored = scored_of_victims(suite, "mislgan")
    assert scored.keys() < set(asked_of_victims(suite, ["mislgan"]))
    assert len(scored) == 6 * 2 + 2 * 3
    assert all(asked.target != source[asked.image_id] for asked in scored)


@pytest.mark.parametrize("audience", ["attacks", "victims"])
def test_files_are_created_in_the_order_of_their_ids(
    suite, store, networks, tmp_path, monkeypatch, audience
):
    out, created = tmp_path / "out", []
    copy = shutil.copyfile

    def watched(source, target):
        created.append(source.name)
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", watched)
    if audience == "attacks":
        export_for_attacks(suite, store, out)
    else:
        export_for_victims(suite, store, networks, ATTACKS, out)
    assert created == sorted(path.name for path in (out / "images").iterdir())
    assert {path.name for path in out.iterdir()} == {"challenge.json", "README.md", "images"}


class Negative:
    targeted = True

    def has(self, item):
        return True

    def anonymise(self, items, originals):
        return 255 - originals


@pytest.mark.parametrize("lost", [0, 1])
def test_a_shard_that_a_run_has_kept_whole_goes_out_and_is_not_made_again(
    smoke_copy, tmp_path, lost
):
    store, asked = smoke_copy.store, request(attacks=("cgan-img",), victims=())
    session = open_session(asked, store)
    networks = Networks(session.graph, session.shelf, torch.device("cpu"))
    suite = session.prepare(("C",), Watcher())
    images, classes = torch.from_numpy(suite.images("C")[:]), suite.card.classes
    recorder = Recorder(Negative())
    items = asked_of(range(len(images)), len(classes), targeted=True)
    recorder.anonymise(items[lost:], images[[item.index for item in items[lost:]]])
    (path,) = kept_files(store, row_key(networks, "cgan-img"), 1)
    recorder.write(path, {})
    challenge = export_challenge(asked, store, tmp_path / "pictures", for_victims=True)
    attack, names = networks.attack("cgan-img"), list(suite.manifest("C")["image_id"])
    for one in asked_of_victims(suite, ["cgan-img"]):
        found = pixels(tmp_path / "pictures" / "images" / f"{challenge.opaque(one)}.png")
        original = images[[names.index(one.image_id)]]
        expected = 255 - original
        if lost:
            with torch.no_grad():
                expected = attack(original, torch.tensor([classes.index(one.target)]))
        np.testing.assert_array_equal(found, expected[0].numpy())


def test_an_attack_whose_images_are_all_kept_is_not_run(suite, store, networks, tmp_path):
    recorder = Recorder(Negative())
    items = [Item(index=index, target=None) for index in range(8)]
    recorder.anonymise(items, torch.from_numpy(suite.images("C")[:]))
    (path,) = kept_files(store, row_key(networks, "median"), 1)
    recorder.write(path, {})

    def opened(name):
        raise AssertionError(f"{name} was opened")

    networks.attack = opened
    challenge = export_for_victims(suite, store, networks, ["median"], tmp_path / "out")
    name = suite.manifest("C")["image_id"][3]
    path = (
        tmp_path
        / "out"
        / "images"
        / f"{challenge.opaque(Asked(image_id=name, attack='median'))}.png"
    )
    np.testing.assert_array_equal(pixels(path), 255 - suite.images("C")[3])
