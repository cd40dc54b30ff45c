import json
import shutil

import pandas as pd
import pytest

from bench.contract import ATTACKS
from tests.cli.words import SMALL, one_line
from tests.plugins import FOG, MEAN
from tests.plugins import write as write_plugin
from tests.smoke import ATTACKS as SMOKE_ATTACKS
from tests.smoke import SUITE, VICTIMS, flip


def test_run_fills_what_is_missing_and_prints_the_tables(camobench, smoke_copy):
    words = ["run", *SMALL, "--store", smoke_copy.store.root, "--out", smoke_copy.out]
    words += ["--victims", "img-resnet12,wdf-resnet12", "--attacks", "cgan-img,jpeg"]
    code, out, err = camobench(*words, "--from-scratch")
    assert code == 0
    for title in ("### Table 2", "### Table 3", "lean accuracy"):
        assert title in out
    assert f"report: {smoke_copy.out / 'report.html'}" in err
    assert (smoke_copy.out / "report.html").is_file()
    done = [line.rsplit(maxsplit=2)[0] for line in err.splitlines() if line.startswith("✓")]
    assert done == ["✓ writing entries and rows", "✓ writing tables and report"]
    assert "| jpeg" in out


def test_a_dry_run_names_what_is_missing_and_makes_nothing(camobench, smoke, tmp_path):
    words = ["run", *SMALL, "--store", smoke.store.root, "--out", tmp_path / "out", "--dry-run"]
    words += ["--from-scratch", "--victims", "img-resnet12,img-resnet34", "--attacks", "mislgan"]
    code, out, err = camobench(*words, "--format", "json")
    assert code == 0
    assert "3 of 4 networks and 3 of 4 cells are missing" in err
    rows = json.loads(out)
    assert [(row["work"], row["name"]) for row in rows] == [
        ("train", "surrogate pef-resnet18 (Set-B)"),
        ("train", "victim img-resnet34 (Set-A)"),
        ("train", "attack mislgan (Set-B)"),
        ("score", "mislgan"),
        ("score", "identity"),
    ]
    assert rows[3]["victims"] == "all"
    assert (rows[4]["cells"], rows[4]["victims"]) == (1, "img-resnet34")
    assert not (tmp_path / "out").exists()
    done = ["--victims", "img-resnet12", "--attacks", "jpeg", "--from-scratch"]
    code, _, err = camobench(*words[: words.index("--from-scratch")], *done, "--nodes", "1,4")
    assert (code, "from scratch on 4 nodes: 0.0" in err) == (0, True), err


FILE_WORDS = [*SMALL, "--workers", "1", "--from-scratch", "--quiet"]


@pytest.mark.usefixtures("own_registries")
def test_run_with_a_class_in_a_file(camobench, smoke_copy, tmp_path, monkeypatch):
    write_plugin(tmp_path / "mine.py", FOG + MEAN)
    monkeypatch.chdir(tmp_path)
    place = ["--store", smoke_copy.store.root, "--out", tmp_path / "fog-out"]
    words = ["--attack", "mine.py:Fog", "--victims", "img-resnet12"]
    code, out, err = camobench("run", *FILE_WORDS, *place, *words)
    assert code == 0, err
    assert "| fog " in out
    rows = pd.read_parquet(tmp_path / "fog-out" / "predictions.parquet")
    assert {"fog", "cgan-img", "median"} <= set(rows["attack"])  # complete rows and controls too
    assert set(rows["victim"]) == {"img-resnet12"}
    code, out, err = camobench(
        "run", *FILE_WORDS, *place, "--dry-run", "--format", "json", "--victim", "mine.py:Mean"
    )
    assert code == 0, err
    missing = {row["name"]: row["victims"].split() for row in json.loads(out)}
    assert missing["cgan-img"] == missing["fog"] == ["mean-colour"]
    assert {"identity", "jpeg", "median"} <= missing.keys()


@pytest.mark.usefixtures("own_registries")
def test_another_file_s_attack_of_that_name_is_not_replaced(camobench, smoke_copy, tmp_path):
    place = ["--store", smoke_copy.store.root, "--out", tmp_path / "fog-out"]
    codes = []
    for file, strength in (("one", 0.9), ("one", 0.5), ("two", 0.9), ("deep/one", 0.9)):
        ATTACKS.forget(["fog"])  # as in a process of its own
        path = write_plugin(tmp_path / f"{file}.py", FOG.replace("0.9", str(strength)))
        words = ["--attack", f"{path}:Fog", "--victims", "img-resnet12", *place]
        code, _, err = camobench("run", *FILE_WORDS, *words)
        codes.append(code)
    assert codes == [0, 0, 1, 1]  # an edited version of a file's is its own
    assert "fog (../deep/one.py:Fog)" in one_line(err)
    assert "choose another --out" in one_line(err)


@pytest.mark.usefixtures("own_registries")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", *SMALL, "--attack", "mine.py:Fgo"], "mine.py has no Fgo: it defines Fog"),
        (["train", *SMALL, "--attacks", "mine.py"], "name the class in mine.py too: mine.py:My"),
        (["check", "mine.py:Fgo"], "mine.py has no Fgo: it defines Fog"),
        (["check", "misl-gan"], "unknown attack 'misl-gan': did you mean mislgan"),
    ],
)
def test_a_plug_in_that_is_not_there(camobench, tmp_path, monkeypatch, words, message):
    write_plugin(tmp_path / "mine.py", FOG + MEAN)
    monkeypatch.chdir(tmp_path)
    code, out, err = camobench(*words)
    assert (code, out) == (2, "")
    assert message in one_line(err)


def test_what_another_run_wrote_is_never_replaced(camobench, smoke_copy, tmp_path):
    words = ["run", "--suite", SUITE, "--recipe", "smoke", "--from-scratch", "--device", "cpu"]
    words += ["--victims", "img-resnet12,wdf-resnet12", "--store", smoke_copy.store.root]
    before = (smoke_copy.out / "predictions.parquet").read_bytes()
    for other in (["--attacks", "jpeg,identity"], ["--attacks", "all", "--seed", "7"]):
        code, _, err = camobench(*words, *other, "--out", smoke_copy.out)
        assert code == 1
        assert "choose another --out" in err
    assert (smoke_copy.out / "predictions.parquet").read_bytes() == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "report.html").write_text("mine")
    words += ["--attacks", "cgan-img,jpeg"]
    assert camobench(*words, "--out", tmp_path / "mine")[0] == 1
    assert (tmp_path / "mine" / "report.html").read_text() == "mine"
    assert camobench(*words, "--out", smoke_copy.out)[0] == 0  # its own


def test_train_says_how_much_there_was_to_do(camobench, smoke):
    words = ["train", *FILE_WORDS[:-1], "--store", smoke.store.root, "--victims", "img-resnet12"]
    code, out, err = camobench(*words)
    assert (code, out) == (0, "")
    assert "0 networks trained" in err


@pytest.mark.usefixtures("own_registries")
def test_cells_that_fail_are_named_and_1(camobench, smoke_copy, tmp_path):
    path = write_plugin(tmp_path / "mine.py", FOG.replace("+ 0.1", "/ 0"))
    place = ["--store", smoke_copy.store.root, "--out", tmp_path / "out"]
    words = ["--attacks", f"{path}:Fog", "--victims", "img-resnet12", "--executor", "inline"]
    code, out, err = camobench("run", *FILE_WORDS, *place, *words)
    assert code == 1
    assert err.splitlines()[-1].startswith("error: 1 cell failed: fog on img-resnet12")
    assert "§ attack fog failed: ValueError: fog: the anonymised images: 98304 of 98304" in out


@pytest.mark.parametrize("kind", ["attack/cgan-img", "estimator/wdf-v1"])
def test_a_checkpoint_with_a_flipped_bit_stops_the_run(camobench, smoke_copy, kind):
    (weights,) = smoke_copy.store.root.glob(f"checkpoints/{kind}-*/weights.safetensors")
    flip(weights)
    shutil.rmtree(smoke_copy.store.root / "predictions")
    place = ["--store", smoke_copy.store.root, "--out", smoke_copy.out]
    words = ["--attacks", ",".join(SMOKE_ATTACKS), "--victims", ",".join(VICTIMS)]
    code, _, err = camobench("run", *FILE_WORDS, *place, *words)
    assert code == 1
    assert f"{weights} is damaged" in one_line(err)
    assert f"remove {weights.parent}, and the same command makes it anew" in one_line(err)
