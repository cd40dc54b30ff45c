"""`challenge export` and `score` as a person calls them."""

import json
import shlex
from types import SimpleNamespace

import pytest

from bench.cli.challenge import score
from tests.challenge.answers import folder
from tests.cli.words import SCRATCH as SMALL


def printed(err, answer, name):
    """The words after `camobench` of the command that export printed, for this answer."""
    _, program, *words = shlex.split(err.splitlines()[-1].partition("score the answer with")[2])
    assert (program, words[0], words[2:4]) == ("camobench", "score", ["--name", "NAME"])
    return ["score", answer, "--name", name, *words[4:]]


def test_the_printed_command_scores_the_answer_of_attackers(camobench, arena, tmp_path):
    words = ["challenge", "export", *SMALL, "--store", arena.store.root, "--out", tmp_path / "x"]
    code, out, err = camobench(*words)
    assert (code, out.strip()) == (0, str(tmp_path / "x"))
    assert len(list((tmp_path / "x" / "images").iterdir())) == 8
    sent = folder(tmp_path / "sent", arena.jpeg().items())
    code, _, err = camobench(*printed(err, sent, "sent"), "--dry-run")
    assert (code, "8 of 8 files of an untargeted method; nothing is wrong" in err) == (0, True)
    code, _, err = camobench(*words[:-1], arena.store.root)
    assert (code, "which nothing says that this command made" in err) == (1, True)


def test_the_printed_command_scores_the_answer_of_victims(camobench, arena, tmp_path, monkeypatch):
    words = ["challenge", "export", *SMALL, "--for", "victims", "--attacks", "cgan-img,jpeg"]
    words += ["--seed", "0", "--out", tmp_path / "pictures"]
    monkeypatch.setenv("CAMOBENCH_STORE", str(arena.store.root))
    code, _, by_variable = camobench(*words)
    assert code == 0
    monkeypatch.setenv("CAMOBENCH_STORE", str(tmp_path / "another"))
    code, _, by_option = camobench(*words, "--store", arena.store.root)
    said = tmp_path / "said.csv"
    arena.classified().to_csv(said, index=False)
    assert printed(by_option, said, "net") == printed(by_variable, said, "net")
    out = ["--out", tmp_path / "out", "--format", "json"]
    code, out, err = camobench(*printed(by_option, said, "net"), *out)
    table = json.loads(out)
    assert (code, {row["attack"] for row in table["rows"]}) == (0, {"cgan-img", "jpeg", "identity"})
    assert table["notes"][0].startswith("Clean accuracy of net: ")
    assert "with probabilities" in err


def test_the_printed_command_has_the_options_of_a_folder_suite(camobench, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # where the relative store comes to lie
    monkeypatch.setattr("bench.cli.challenge.make_request", lambda *_, **__: None)
    made = SimpleNamespace(key="k")
    monkeypatch.setattr("bench.challenge.export.export_challenge", lambda *_, **__: made)
    options = ["--suite", "folder:my photos", "--layout", "vision", "--skip-bad"]
    options += ["--classes", "a b,c", "--tiles", "2", "--image-px", "64", "--store", "s t"]
    code, _, err = camobench("challenge", "export", *options, "--licence", "MIT")
    assert code == 0
    words = printed(err, ".", "x")
    assert "--licence" not in words  # that of the images, which is not that of the method
    assert sorted(words[4:]) == sorted(options)
    score.make_context("score", words[1:])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["challenge", "export", "--for", "victims"], "--for victims needs --attacks"),
        (["challenge", "export", "--attacks", "jpeg"], "--attacks goes with --for victims"),
        (["challenge", "export", "--for", "victims", "--attacks", "jpg"], "unknown attack 'jpg'"),
        (["score", "nowhere", "--name", "x"], "there is no file or folder nowhere; check"),
        (["score", "."], "Missing option '--name'"),
        (["score", ".", "--name", "jpeg"], "there is attack 'jpeg' already; choose another"),
        (["score", ".", "--name", "My Net"], "'My Net' must be kebab-case"),
        (["score", ".", "--name", "x", "--front-end", "img"], "--front-end is for predictions"),
        (["score", "{csv}", "--name", "timm:resnet10t"], "victim 'timm:resnet10t' already"),
        (["score", __file__, "--name", "x"], "neither a folder or zip of images, nor a CSV"),
    ],
)
def test_wrong_usage_is_2(camobench, arena, tmp_path, words, message):
    (csv := tmp_path / "said.csv").write_text("image,predicted\n")
    words = [word.format(csv=csv) for word in words]
    code, out, err = camobench(*words, "--store", arena.store.root, "--suite", "simcam-smoke-v2")
    assert (code, out) == (2, "")
    assert message in err.splitlines()[-1]


def test_images_that_are_refused_are_all_shown_and_not_scored(camobench, arena, tmp_path):
    files = arena.jpeg()
    names = list(files)
    files |= {names[0]: b"", names[1]: files[names[1]][:200], "notes.txt": b"x"}
    del files[names[2]]
    words = ["score", folder(tmp_path / "sent", files.items()), "--name", "sent", *SMALL]
    words += ["--store", arena.store.root, "--out", tmp_path / "out", "--format", "json"]
    code, out, err = camobench(*words)
    assert code == 1
    found = {row["what"]: (row["gravity"], row["count"]) for row in json.loads(out)}
    assert found == {
        "not a PNG": ("error", 1),
        "unreadable or truncated": ("error", 1),
        "image missing": ("partial", 1),
        "surplus file": ("note", 1),
    }
    every = {row["what"]: row["examples"] for row in json.loads(out)}
    assert every["surplus file"] == ["notes.txt: not named .png"]
    last = err.splitlines()[-1]
    assert last.startswith("error: ")
    assert "was not scored: " in last
    assert not (tmp_path / "out").exists()
