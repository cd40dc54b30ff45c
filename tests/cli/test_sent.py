"""Rows of images that were sent: later runs and `verify` find them in the store."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from bench.contract import ATTACKS
from bench.plan.answers.kept import answered_rows, known, read_answer, record_files
from bench.plan.dry_run import find_missing
from bench.plan.request import open_session
from bench.records.load import load_run
from bench.store import Store
from bench.store.checksums import keep_checksum
from tests.challenge.answers import CARD, folder
from tests.challenge.test_score import entry, rows
from tests.cli.words import SCRATCH as SMALL
from tests.smoke import VICTIMS, request

IMG, WDF = VICTIMS


def sent(store):
    """The one answer that it keeps."""
    (record,) = record_files(store)
    return read_answer(record)


@pytest.fixture(scope="module")
def generated(arena):
    """A targeted answer that lacks two files."""
    return dict(list(arena.generated().items())[2:])


@pytest.fixture
def store(arena, tmp_path):
    return Store(shutil.copytree(arena.store.root, tmp_path / "store"))


@pytest.fixture
def camobench(camobench, store):
    """The command line on the store."""
    return lambda *words, at=store.root: camobench(*words, "--store", at)


def send(camobench, files, out, *more, name="theirs", **options):
    place = folder(out.with_name(f"{out.name}-answer"), files.items())
    return camobench("score", place, "--name", name, *SMALL, "--out", out, *more, **options)


def verdicts(camobench, out):
    code, told, _ = camobench("verify", out, "--rows", "all", "--device", "cpu", "--format", "json")
    return code, {one["check"]: one for one in json.loads(told)}


def test_a_new_victim_is_scored_on_images_that_were_sent_before(
    camobench, store, generated, tmp_path
):
    both = Store(shutil.copytree(store.root, tmp_path / "both"))
    send(camobench, generated, tmp_path / "one", "--victims", IMG, "--paper", "A 2026")
    code, _, _ = camobench("run", "--victim", WDF, *SMALL, "--out", tmp_path / "later")
    assert (code, "theirs" in ATTACKS) == (0, False)
    send(camobench, generated, tmp_path / "at-once", "--victims", ",".join(VICTIMS), at=both.root)
    for table in ("predictions", "distortion"):
        later, at_once = (rows(tmp_path / o, table, attack="theirs") for o in ("later", "at-once"))
        order = ["victim"] if table == "predictions" else []
        order += ["image_id", "target"]
        frames = [f.sort_values(order, ignore_index=True) for f in (later, at_once)]
        pd.testing.assert_frame_equal(*frames, check_exact=True)
        if order[0] == "victim":
            assert set(later["victim"]) == set(VICTIMS)
    told, before = (entry(tmp_path / o, "theirs")["attack"] for o in ("later", "one"))
    assert told == before
    assert told["coverage"]["scored"] < told["coverage"]["wanted"]


def test_verify_runs_all_rows_again_from_the_kept_images(camobench, generated, tmp_path):
    out = tmp_path / "out"
    send(camobench, generated, out, "--victims", IMG, "--attacks", "cgan-img")
    code, found = verdicts(camobench, out)
    assert (code, "networks" in found) == (0, False)
    path = out / "predictions.parquet"
    frame = pd.read_parquet(path)
    expected = f"{len(frame)} rows of 3 attacks and 1 victim: 0 predictions flipped"
    assert found["re-run"]["finding"].startswith(expected)
    frame.loc[frame["attack"] == "theirs", "p_predicted"] *= 0.9  # which the images do not give
    frame.to_parquet(path, index=False)
    code, found = verdicts(camobench, out)
    assert (code, found["re-run"]["verdict"]) == (1, "fail")
    assert "theirs on" in found["re-run"]["finding"]
    theirs, other = (frame[frame["attack"] == name] for name in ("theirs", "cgan-img"))
    places = [pd.MultiIndex.from_frame(one[["image_id", "target"]]) for one in (other, theirs)]
    unsent = other[~places[0].isin(places[1])].iloc[0]
    columns = ["image_id", "photo_id", "scene", "device", "source", "split", "target"]
    frame.loc[theirs.index[0], columns] = unsent[columns]
    frame.to_parquet(path, index=False)
    code, found = verdicts(camobench, out)
    assert (code, "but no such image" in found["re-run"]["finding"]) == (1, True)


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_store_that_lost_the_images_says_what_to_do(
    camobench, store, generated, tmp_path, damage
):
    out = tmp_path / "out"
    send(camobench, generated, out, "--victims", IMG)
    for path in store.image_folder(sent(store).images).glob("*.parquet"):
        path.unlink() if damage == "missing" else path.write_bytes(b"x")
    again = ["run", "--attacks", "theirs", "--victims", WDF, *SMALL, "--out", tmp_path / "later"]
    assert camobench(*again)[0] == 1
    (log,) = (tmp_path / "later" / "failures").glob("*.log")
    assert f"images that were sent as theirs are {damage}" in " ".join(log.read_text().split())
    if damage == "missing":
        assert "theirs: images that were sent" in verdicts(camobench, out)[1]["networks"]["finding"]
    send(camobench, generated, tmp_path / "resent", "--victims", IMG)
    assert camobench(*again)[0] == 0
    assert set(rows(tmp_path / "later", "predictions")["attack"]) == {"theirs", "identity"}


def test_images_that_were_sent_for_other_pixels_are_not_used(camobench, store, generated, tmp_path):
    send(camobench, generated, tmp_path / "one", "--victims", IMG)
    images = next(store.root.glob("data/*/C/images.npy"))
    np.load(images, mmap_mode="r+")[0, 0, 0, 0] ^= 1
    keep_checksum(images)  # as if Set-C was made anew on another machine
    out = tmp_path / "later"
    assert camobench("run", "--victims", IMG, "--attacks", "theirs", *SMALL, "--out", out)[0] == 1
    (log,) = (out / "failures").glob("*.log")
    said = " ".join(log.read_text(encoding="utf-8").split())
    assert "sent as theirs are changes to other pixels of Set-C" in said
    assert "camobench score ANSWER --name theirs" in said
    assert send(camobench, generated, tmp_path / "again", "--victims", IMG)[0] == 1  # partial
    assert set(load_run(tmp_path / "again").predictions["attack"]) >= {"theirs", "identity"}


def test_another_answer_replaces_the_row(camobench, store, arena, tmp_path):
    first, second = arena.jpeg(), dict(list(arena.jpeg().items())[:5])
    former, latter = tmp_path / "former", tmp_path / "latter"
    assert send(camobench, first, former, "--victims", IMG)[0] == 0
    assert send(camobench, second, latter, "--victims", IMG)[0] == 1  # it is partial
    keys = [entry(out, "theirs")["attack"]["key"] for out in (former, latter)]
    assert keys[0] != keys[1]
    assert sent(store).spec.coverage.scored == 5
    camobench("run", "--attacks", "theirs", "--victims", IMG, *SMALL, "--out", tmp_path / "run")
    assert entry(tmp_path / "run", "theirs")["attack"]["key"] == keys[1]
    found = verdicts(camobench, former)[1]
    assert found["networks"]["finding"] == "theirs: other images were sent under this name"
    found = verdicts(camobench, latter)[1]
    assert ("networks" in found, found["re-run"]["verdict"]) == (False, "ok")
    assert send(camobench, first, tmp_path / "back", "--victims", IMG)[0] == 0
    assert sent(store).spec.coverage.scored == 8
    (record,) = record_files(store)
    record.write_text("{}")
    code, _, err = camobench("run", "--attacks", "theirs", "--victims", IMG, *SMALL)
    assert (code, "another version; remove it and score" in " ".join(err.split())) == (1, True)


def test_a_dry_run_knows_the_row_and_a_store_without_it_says_what_to_do(
    camobench, store, arena, tmp_path
):
    send(camobench, arena.jpeg(), tmp_path / "out", "--victims", IMG)
    dry = ["run", "--attacks", "theirs", "--victims", WDF, *SMALL, "--dry-run"]
    code, out, _ = camobench(*dry, "--format", "json")
    assert (code, "theirs" in {row["name"] for row in json.loads(out)}) == (0, True)
    with known(answered_rows(store, CARD.name, CARD.fingerprint)):
        missing = find_missing(open_session(request(attacks=("theirs",)), store))
    assert missing.cells["theirs"] == (WDF,)
    (path,) = (store.root / "sent").glob("*/*.json")
    path.write_text(path.read_text().replace('"name": "theirs"', '"name": "jpeg"'))
    spec = ATTACKS.get("jpeg").spec
    with known(answered_rows(store, CARD.name, CARD.fingerprint)):
        assert ATTACKS.get("jpeg").spec == spec  # a name that is registered stays its own
    path.unlink()
    finding = verdicts(camobench, tmp_path / "out")[1]["networks"]["finding"]
    assert "`camobench score` takes its answer again, and keeps its images" in finding
