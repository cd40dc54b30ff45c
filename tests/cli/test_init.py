"""Exit codes, help, and one-line errors of every verb."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import click
import pandas as pd
import pytest

from bench import cli
from tests.cli.words import SCRATCH, SMALL, one_line, parse
from tests.smoke import ATTACKS, VICTIMS


def commands(group=cli.cli, path=("camobench",)):
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


CONTINUES = "interrupted: run the same command again to continue"
ANEW = "interrupted: the same command begins anew"
ALL_COMMANDS = dict(commands())


@pytest.mark.parametrize("path", ALL_COMMANDS, ids=" ".join)
def test_every_verb_has_help_with_an_example_that_parses(path, camobench, monkeypatch, tmp_path):
    code, out, err = camobench(*path[1:], "--help")
    assert (code, err) == (0, "")
    example = next(line for line in out.splitlines() if "Example:" in line)
    words = shlex.split(example.split("Example:")[1])
    assert tuple(words[: len(path)]) == path
    monkeypatch.chdir(tmp_path)
    (tmp_path / "camobench-out").mkdir()
    parse(words)


def test_no_word_at_all_shows_the_help(camobench):
    code, out, err = camobench()
    assert code in (0, 2)
    assert "camobench demo" in out + err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", *SMALL, "--attacks", "mislgam"], "unknown attack 'mislgam': did you mean mislgan"),
        (["run", *SMALL, "--victims", "pef-resnet13"], "unknown victim 'pef-resnet13': did you me"),
        (["train", *SMALL, "--victims", "pf-*"], "unknown victim 'pf-*'"),
        (["run", "--suite", "simcam-mimi-v1"], "unknown suite 'simcam-mimi-v1': did you mean simc"),
        (["data", "prepare", "dresdn"], "unknown suite 'dresdn'"),
        (["run", "--recipe", "mimi"], "unknown recipe 'mimi': did you mean mini"),
        (["run", "--suite", "folder:x", "--image-px", "65"], "`image_px` a multiple of 16 from 64"),
        (["run", "--suite", "folder:x", "--image-px", "48"], "`image_px` a multiple of 16 from 64"),
        (["run", "--suite", "folder:x", "--tiles", "0"], "expected `tiles_per_photo` of at least"),
        (["run", "--suite", "folder:x", "--layout", "visoin"], "unknown layout 'visoin': did you "),
        (["data", "prepare", "dresden-v1", "--partial"], "--partial (`partial=True`) goes with "),
        (["run", *SMALL, "--victims", " ,"], "--victims names none"),
        (["attribute", "a.jpg", "--victims", ""], "--victims names none"),
        (["train"], "name --attacks, --victims or both"),
        (["run", "--batch", "-1"], "Invalid value for '--batch'"),
        (["run", "--colour", "red"], "No such option"),
        (["anonymise", "a.jpg"], "Missing option '--attack'"),
        (["anonymise", "--attack", "jpeg"], "Missing argument 'IMAGES...'"),
        (["list", "cameras"], "Invalid value for "),
        (["cards", "nowhere"], "Directory 'nowhere' does not exist"),
        (["tabel"], "No such command 'tabel'"),
        (["compare", "nowhere", "a", "b"], "Directory 'nowhere' does not exist"),
        (["compare", "."], "name the attacks to compare, or ask for --ranks"),
        (["compare", ".", "--ranks", "--victim", "v"], "--ranks is over all victims"),
        (["verify", "nowhere"], "Path 'nowhere' does not exist"),
    ],
)
def test_wrong_usage_is_one_line_and_2(camobench, words, message):
    code, out, err = camobench(*words)
    assert (code, out) == (2, "")
    assert message in one_line(err)


def test_wrong_usage_points_to_the_help(camobench):
    assert "`camobench run --help`" in camobench("run", "--colour", "red")[2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--suite", "folder:nowhere"], "no folder nowhere; check the path"),
        (["run", *SMALL[:-1], "abacus"], "device 'abacus' cannot be used here"),
        (["data", "show", "simcam-smoke-v2"], "`camobench data prepare` makes one"),
        (["data", "prepare", "dresden-v1", "--root", "nowhere"], "no folder nowhere; check the pa"),
        (["attribute", "a.jpg", *SMALL, "--victims", "img-resnet12"], "is not trained for simcam-"),
        (["table", "."], "holds no entry-*.json; give the --out folder of a finished run"),
        (["compare", ".", "a", "b"], "holds no entry-*.json; give the --out folder of a finishe"),
    ],
)
def test_what_fails_is_one_line_and_1(camobench, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    if words[0] not in ("table", "claims", "compare"):
        words = [*words, "--store", tmp_path / "store"]
    code, out, err = camobench(*words)
    assert (code, out) == (1, "")
    assert message in one_line(err)


def test_a_store_that_cannot_be_made(camobench, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = camobench("data", "show", "simcam-smoke-v2", "--store", tmp_path / "file" / "s")
    assert code == 1
    assert str(tmp_path / "file") in one_line(err)


def test_errors_are_raised_for_those_who_debug(camobench, tmp_path, monkeypatch):
    monkeypatch.setenv("CAMOBENCH_DEBUG", "1")
    with pytest.raises(ValueError, match="holds no entry"):
        camobench("table", tmp_path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, click.Abort])
@pytest.mark.parametrize(
    ("words", "where", "said"),
    [
        (["run", *SMALL], "bench.plan.request.evaluate_run", CONTINUES),
        (["data", "prepare", "simcam-smoke-v2"], "bench.suites.base.prepare", CONTINUES),
        (["data", "audit", "simcam-smoke-v2"], "bench.suites.base.open_suite", ANEW),
    ],
)
def test_interrupted_is_130_and_says_how_to_go_on(
    camobench, tmp_path, monkeypatch, words, where, said, error
):
    def interrupted(*args, **more):
        raise error

    monkeypatch.setattr(where, interrupted)
    code, out, err = camobench(*words, "--store", tmp_path / "store")
    assert (code, out, err.strip()) == (130, "", said)


def test_an_interruption_in_a_finaliser_is_not_lost(camobench, tmp_path, monkeypatch):
    class Finalised:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    def load(directory):
        Finalised()
        for _ in range(3000):  # where the second one arrives; later, it would end the tests
            time.sleep(0.02)
        raise ValueError("it was lost")

    monkeypatch.setattr("bench.records.load.load_run", load)
    code, _, err = camobench("table", tmp_path)
    assert (code, err.strip()) == (130, ANEW)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
@pytest.mark.parametrize("last", ["✓ surrogate img-resnet18", "✓ scoring cgan-img"])
def test_after_ctrl_c_the_same_command_continues(camobench, smoke, smoke_copy, last):
    root = smoke_copy.store.root
    for gone in (root / "checkpoints", root / "predictions", smoke_copy.out):
        shutil.rmtree(gone)
    words = ["run", *SCRATCH, "--workers", "1", "--store", str(root), "--out", str(smoke_copy.out)]
    words += ["--attacks", ",".join(ATTACKS), "--victims", ",".join(VICTIMS)]
    pipes, said = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}, []
    command = [sys.executable, "-m", "camobench", *words]
    with subprocess.Popen(command, text=True, **pipes) as process:
        for line in process.stderr:
            if line.startswith(last) and not any(one.startswith(last) for one in said):
                process.send_signal(signal.SIGINT)
            said.append(line)
    assert (process.returncode, f"{CONTINUES}\n" in said[-3:]) == (130, True), said
    assert len(list(root.glob("checkpoints/estimator/*/card.json"))) == 1
    assert not smoke_copy.out.exists() or not list(smoke_copy.out.iterdir())
    code, _, err = camobench(*words)
    assert (code, "✓ attack cgan-img" in err) == (0, "surrogate" in last), err
    assert "estimator" not in err  # nothing is trained twice
    for name in ("predictions", "distortion"):
        frames = [pd.read_parquet(run.out / f"{name}.parquet") for run in (smoke, smoke_copy)]
        pd.testing.assert_frame_equal(*frames, rtol=1e-3, atol=1e-5)
