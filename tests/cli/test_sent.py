"""Rows of images that were sent: later runs, `verify` and `list` find them in the store."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from bench.contract import ATTACKS
from bench.doctor.contents import check_images
from bench.records.load import load_run
from bench.runner.api import open_session
from bench.runner.challenge.sent import known, sent_rows
from bench.runner.challenge.specs import all_sent_specs
from bench.runner.missing import find_missing
from bench.store import Store
from bench.store.checksums import keep_checksum
from bench.types import Silent
from tests.runner.challenge.answers import folder
from tests.runner.challenge.test_answer import CARD, Arena, entry, rows
from tests.smoke import VICTIMS, request

SMALL = ["--suite", "simcam-smoke-v2", "--recipe", "smoke", "--device", "cpu", "--from-scratch"]
IMG, WDF = VICTIMS


@pytest.fixture(scope="module")
def arena(smoke, tmp_path_factory):
    return Arena(tmp_path_factory.mktemp("arena"), smoke)


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
    count = len(pd.read_parquet(out / "predictions.parquet"))
    expected = f"{count} rows of 3 attacks and 1 victim: 0 predictions flipped"
    assert found["re-run"]["finding"].startswith(expected)


def test_rows_that_the_kept_images_do_not_give_fail(camobench, generated, tmp_path):
    out = tmp_path / "out"
    send(camobench, generated, out, "--victims", IMG)
    path = out / "predictions.parquet"
    frame = pd.read_parquet(path)
    frame.loc[frame["attack"] == "theirs", "p_predicted"] *= 0.9
    frame.to_parquet(path, index=False)
    code, found = verdicts(camobench, out)
    assert (code, found["re-run"]["verdict"]) == (1, "fail")
    assert "theirs on" in found["re-run"]["finding"]


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_store_that_lost_the_images_says_what_to_do(
    camobench, store, generated, tmp_path, damage
):
    out = tmp_path / "out"
    send(camobench, generated, out, "--victims", IMG)
    for path in (store.root / "images").glob("*/*.parquet"):
        path.unlink() if damage == "missing" else path.write_bytes(b"x")
    examined = check_images(store, Silent())
    assert (examined.verdict, f"sent as theirs are {damage}" in examined.finding) == ("fail", True)
    assert examined.remedy.startswith("score the answer again, with `camobench score ANSWER --name")
    again = ["run", "--attacks", "theirs", "--victims", WDF, *SMALL, "--out", tmp_path / "later"]
    code, _, err = camobench(*again)
    assert code == 1
    assert f"images that were sent as theirs are {damage}" in " ".join(err.split())
    if damage == "missing":
        assert "theirs: images that were sent" in verdicts(camobench, out)[1]["networks"]["finding"]
    send(camobench, generated, tmp_path / "resent", "--victims", IMG)
    assert check_images(store, Silent()).verdict == "ok"
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


def test_another_answer_replaces_the_row_and_loses_nothing(camobench, store, arena, tmp_path):
    first, second = arena.jpeg(), dict(list(arena.jpeg().items())[:5])
    former, latter = tmp_path / "former", tmp_path / "latter"
    assert send(camobench, first, former, "--victims", IMG)[0] == 0
    assert send(camobench, second, latter, "--victims", IMG)[0] == 1  # it is partial
    keys = [entry(out, "theirs")["attack"]["key"] for out in (former, latter)]
    assert keys[0] != keys[1]
    ((suite, spec),) = all_sent_specs(store)
    assert (suite, spec.coverage.scored) == (CARD.name, 5)
    camobench("run", "--attacks", "theirs", "--victims", IMG, *SMALL, "--out", tmp_path / "run")
    assert entry(tmp_path / "run", "theirs")["attack"]["key"] == keys[1]
    for out in (former, latter):
        found = verdicts(camobench, out)[1]
        assert ("networks" in found, found["re-run"]["verdict"]) == (False, "ok")
    assert send(camobench, first, tmp_path / "back", "--victims", IMG)[0] == 0
    assert all_sent_specs(store)[0][1].coverage.scored == 8


def test_doctor_looks_at_every_answer_and_names_a_damaged_description(
    camobench, store, arena, tmp_path
):
    files = arena.jpeg()
    for name, answer in (("former", files), ("latter", dict(list(files.items())[:5]))):
        send(camobench, answer, tmp_path / name, "--victims", IMG)
    (record,) = (store.root / "sent").glob("*/*.json")
    former, latter = json.loads(record.read_text())["answers"]
    assert check_images(store, Silent()).verdict == "ok"
    next(store.image_folder(former["images"]).glob("*.parquet")).unlink()
    examined = check_images(store, Silent())
    assert "sent as theirs are missing" in examined.finding
    record.write_text(json.dumps({"version": 1, "suite": CARD.name, "answers": [latter, {}]}))
    examined = check_images(store, Silent())
    assert examined.finding.startswith(f"{record}, which describes images that were sent, is dam")
    assert examined.remedy.startswith("remove it and score the answer again, with `camobench sco")
    code, _, err = camobench("run", "--attacks", "theirs", "--victims", IMG, *SMALL)
    assert (code, "is damaged; remove it and score" in " ".join(err.split())) == (1, True)


def test_a_store_without_the_row_says_what_to_do(camobench, arena, tmp_path):
    out = tmp_path / "out"
    send(camobench, arena.jpeg(), out, "--victims", IMG)
    shutil.rmtree(tmp_path / "store" / "sent")
    _, found = verdicts(camobench, out)
    finding = found["networks"]["finding"]
    assert "`camobench score` takes its answer again, and keeps its images" in finding


def test_list_and_dry_run_know_the_row(camobench, store, arena, tmp_path):
    send(camobench, arena.jpeg(), tmp_path / "out", "--victims", IMG, "--label", "Theirs")
    _, out, _ = camobench("list", "attacks", "--json")
    (told,) = [row for row in json.loads(out) if row["name"] == "theirs"]
    assert (told["label"], told["targeted"], told["suite"]) == ("Theirs", False, CARD.name)
    dry = ["run", "--attacks", "theirs", "--victims", WDF, *SMALL, "--dry-run"]
    code, out, _ = camobench(*dry, "--format", "json")
    assert code == 0
    assert "theirs" in {row["name"] for row in json.loads(out)}
    with known(sent_rows(store, CARD.name, CARD.fingerprint)):
        asked = request(attacks=("theirs",))
        missing = find_missing(open_session(asked, store))
    assert missing.cells["theirs"] == (WDF,)


def test_a_row_does_not_take_the_name_of_a_registered_attack(camobench, store, arena, tmp_path):
    send(camobench, arena.jpeg(), tmp_path / "out", "--victims", IMG)
    (path,) = (store.root / "sent").glob("*/*.json")
    record = json.loads(path.read_text())
    record["answers"][0]["name"] = "jpeg"
    path.write_text(json.dumps(record))
    spec = ATTACKS.get("jpeg").spec
    with known(sent_rows(store, CARD.name, CARD.fingerprint)):
        assert ATTACKS.get("jpeg").spec == spec
    assert ATTACKS.get("jpeg").spec == spec
