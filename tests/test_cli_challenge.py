"""`challenge export` and `score` as a person calls them."""

import json
import sys

import pytest

from bench import cli
from tests.runner.challenge.test_answer import Arena

SMALL = ["--suite", "simcam-smoke-v1", "--recipe", "smoke", "--device", "cpu", "--from-scratch"]


@pytest.fixture(scope="module")
def arena(smoke, tmp_path_factory):
    return Arena(tmp_path_factory.mktemp("arena"), smoke)


@pytest.fixture
def camobench(monkeypatch, capsys):
    """The command line in this process: exit code, standard output, standard error."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["camobench", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return code, out, err

    return call


def write(folder, files):
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_export_says_where_the_images_are_and_what_to_do_next(camobench, arena, tmp_path):
    words = ["challenge", "export", *SMALL, "--store", arena.store.root, "--out", tmp_path / "x"]
    code, out, err = camobench(*words)
    assert (code, out.strip()) == (0, str(tmp_path / "x"))
    assert "camobench score images.zip --name NAME --suite simcam-smoke-v1" in err
    assert len(list((tmp_path / "x" / "images").iterdir())) == 8
    code, _, err = camobench(*words[:-1], arena.store.root)
    assert code == 1
    assert "is not empty and no export of ours" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["challenge", "export", "--for", "victims"], "--for victims: name --attacks"),
        (["challenge", "export", "--attacks", "jpeg"], "--attacks goes with --for victims"),
        (["challenge", "export", "--for", "victims", "--attacks", "jpg"], "unknown attack 'jpg'"),
        (["score", "nowhere", "--name", "x"], "there is no nowhere; check the path"),
        (["score", "."], "Missing option '--name'"),
        (["score", ".", "--name", "jpeg"], "there is attack 'jpeg' already; choose another"),
        (["score", ".", "--name", "My Net"], "'My Net' must be kebab-case"),
        (["score", __file__, "--name", "x"], "is neither a folder nor a zip archive"),
    ],
)
def test_wrong_usage_is_2(camobench, arena, words, message):
    code, out, err = camobench(*words, "--store", arena.store.root, "--suite", "simcam-smoke-v1")
    assert (code, out) == (2, "")
    assert message in err.splitlines()[-1]


def test_images_that_are_refused_are_all_shown_and_not_scored(camobench, arena, tmp_path):
    files = arena.jpeg()
    names = list(files)
    files |= {names[0]: b"", names[1]: files[names[1]][:200], "notes.txt": b"x"}
    del files[names[2]]
    words = ["score", write(tmp_path / "sent", files), "--name", "sent", *SMALL]
    words += ["--store", arena.store.root, "--out", tmp_path / "out", "--format", "json"]
    code, out, err = camobench(*words)
    assert code == 1
    found = {row["what"]: (row["gravity"], row["count"]) for row in json.loads(out)}
    assert found == {
        "empty file": ("error", 1),
        "unreadable or truncated": ("error", 1),
        "image missing": ("partial", 1),
        "surplus file": ("note", 1),
    }
    last = err.splitlines()[-1]
    assert last.startswith("error: ")
    assert "was not scored: " in last
    assert not (tmp_path / "out").exists()


def test_a_partial_row_is_scored_and_the_exit_code_is_1(camobench, arena, tmp_path):
    files = arena.jpeg()
    del files[next(iter(files))]
    words = ["score", write(tmp_path / "sent", files), "--name", "sent", *SMALL]
    words += ["--store", arena.store.root, "--out", tmp_path / "out", "--paper", "A 2026"]
    words += ["--victims", "img-resnet12", "--attacks", "jpeg", "--label", "sent by A"]
    code, out, err = camobench(*words)
    assert code == 1
    assert "| sent by A (partial) |" in out
    assert "sent is partial: of the images and targets that are scored" in out
    assert "7 of 8 were there" in out
    assert "| image missing | partial" in err
    assert err.splitlines()[-1] == "error: sent is partial: 7 of 8 images"


def test_predictions_become_a_column(camobench, arena, tmp_path):
    path = tmp_path / "said.csv"
    arena.classified().to_csv(path, index=False)
    words = ["score", path, "--name", "net", *SMALL, "--store", arena.store.root]
    code, out, err = camobench(*words, "--out", tmp_path / "out", "--format", "json")
    assert code == 0
    table = json.loads(out)
    assert {row["attack"] for row in table["rows"]} == {"cgan-img", "jpeg", "identity"}
    assert table["notes"][0].startswith("Clean accuracy of net: ")
    assert "20 of 20 images" not in err
    assert "with probabilities" in err
