import os
import subprocess
import sys
from pathlib import Path

import camobench
import pytest

PUBLIC = {
    "Attack",
    "AttackSpec",
    "FitReport",
    "Victim",
    "VictimSpec",
    "evaluate",
    "load_suite",
    "register_attack",
    "register_victim",
    "untrained_victim",
}
COMMAND = Path(sys.executable).with_name("camobench")


def python(code, folder, path=()):
    """Run code in another folder, with these folders first on the import path."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_the_public_names_are_those_that_scripts_rely_on():
    assert set(camobench.__all__) == PUBLIC
    assert dir(camobench) == sorted(PUBLIC)
    names = {}
    exec("from camobench import *", names)  # noqa: S102
    assert names.keys() - {"__builtins__"} == PUBLIC


def test_other_names_are_unknown():
    with pytest.raises(AttributeError, match="module 'camobench' has no attribute 'Atack'"):
        camobench.Atack  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Atack'"):
        from camobench import Atack  # noqa: F401


def users_folder(root, name, package=True):
    folder = root / name
    folder.mkdir(parents=True)
    (folder / ("__init__.py" if package else "notes.py")).touch()
    return folder


@pytest.mark.parametrize("name", ["attacks", "bench", "victims"])
def test_a_folder_of_the_users_in_the_way_is_named_at_once(tmp_path, name):
    folder = users_folder(tmp_path / "mine", name)
    done = python("from camobench import Attack", tmp_path, [folder.parent])
    assert done.returncode == 1
    assert f"ImportError: camobench's package {name!r} is hidden by {folder}: " in done.stderr
    assert done.stderr.endswith("take that folder off PYTHONPATH, or rename it\n")


def test_a_file_where_one_works_counts_too(tmp_path):
    (tmp_path / "victims.py").touch()
    done = python("from camobench import Attack", tmp_path)
    assert done.returncode == 1
    assert f"package 'victims' is hidden by {tmp_path / 'victims.py'}" in done.stderr


def commands(words):
    """The two ways to the command line; the first only where it is installed."""
    module = [sys.executable, "-m", "camobench", *words]
    return [[COMMAND, *words], module] if COMMAND.is_file() else [module]


def run(command, folder, **environment):
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True
    )


def test_the_command_says_so_in_one_line(tmp_path):
    folder = users_folder(tmp_path / "mine", "bench")
    for command in commands(["list", "attacks"]):
        done = run(command, tmp_path, PYTHONPATH=str(folder.parent))
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"error: camobench's package 'bench' is hidden by {folder}: run")


@pytest.mark.skipif(not COMMAND.is_file(), reason="camobench is not installed as a command here")
def test_the_command_does_not_mind_the_folder_it_runs_in(tmp_path):
    for name in ("attacks", "bench", "victims"):
        users_folder(tmp_path, name)
    done = run([COMMAND, "--version"], tmp_path, PYTHONPATH="")
    assert done.returncode == 0, done.stderr


def test_as_a_module_it_is_the_same_command_line(tmp_path):
    done = run([sys.executable, "-m", "camobench", "--version"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("camobench, version ")
    wrong = run([sys.executable, "-m", "camobench", "lst"], tmp_path)
    assert wrong.returncode == 2
    assert "No such command 'lst'" in wrong.stderr


def test_a_missing_package(monkeypatch):
    monkeypatch.setattr(camobench, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="package 'bench' is missing: install it again"):
        camobench._refuse_shadows()
