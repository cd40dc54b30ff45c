import os
import subprocess
import sys
from pathlib import Path

import camobench
import pytest

PUBLIC = {
    "Attack",
    "AttackSpec",
    "Victim",
    "VictimSpec",
    "evaluate",
    "load_suite",
    "register_attack",
    "register_victim",
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
    names = {}
    exec("from camobench import *", names)  # noqa: S102
    assert names.keys() - {"__builtins__"} == PUBLIC


def test_they_are_the_harness_own():
    from bench.contract import Attack, VictimSpec, register_attack
    from bench.runner.public import evaluate
    from bench.suites.catalogue import load_suite

    assert camobench.Attack is Attack
    assert camobench.VictimSpec is VictimSpec
    assert camobench.register_attack is register_attack
    assert camobench.evaluate is evaluate
    assert camobench.load_suite is load_suite


def test_other_names_are_unknown():
    with pytest.raises(AttributeError, match="module 'camobench' has no attribute 'Atack'"):
        camobench.Atack  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Atack'"):
        from camobench import Atack  # noqa: F401


def test_importing_it_and_making_tables_needs_no_torch(tmp_path):
    code = (
        "import sys, camobench, bench.cli, bench.report.tables, bench.report.html\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
        "camobench.AttackSpec\n"
        "assert 'torch' in sys.modules\n"
    )
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr


def users_folder(root, name, package=True):
    folder = root / name
    folder.mkdir(parents=True)
    (folder / ("__init__.py" if package else "notes.py")).touch()
    return folder


@pytest.mark.parametrize("name", ["attacks", "bench", "victims"])
def test_a_folder_of_the_users_in_the_way_is_named_at_once(tmp_path, name):
    folder = users_folder(tmp_path / "mine", name)
    done = python("import camobench", tmp_path, [folder.parent])
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: camobench's package {name!r} is hidden by {folder}: run from another "
        "folder, take that folder off PYTHONPATH, or rename it"
    )


def test_a_folder_where_one_works_counts_too(tmp_path):
    folder = users_folder(tmp_path, "attacks")
    done = python("import camobench", tmp_path)
    assert done.returncode == 1
    assert f"camobench's package 'attacks' is hidden by {folder}" in done.stderr


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "victims.py").touch()
    done = python("import camobench", tmp_path)
    assert done.returncode == 1
    assert f"package 'victims' is hidden by {tmp_path / 'victims.py'}" in done.stderr


@pytest.mark.skipif(not COMMAND.is_file(), reason="camobench is not installed as a command here")
@pytest.mark.parametrize("name", ["attacks", "bench"])
def test_the_command_says_so_too(tmp_path, name):
    folder = users_folder(tmp_path / "mine", name)
    environment = os.environ | {"PYTHONPATH": str(folder.parent)}
    done = subprocess.run(
        [COMMAND, "list", "attacks"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert f"camobench's package {name!r} is hidden by {folder}: run from" in done.stderr


@pytest.mark.skipif(not COMMAND.is_file(), reason="camobench is not installed as a command here")
def test_the_command_does_not_mind_the_folder_it_runs_in(tmp_path):
    users_folder(tmp_path, "attacks")
    environment = os.environ | {"PYTHONPATH": ""}
    done = subprocess.run(
        [COMMAND, "--version"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_missing_package(monkeypatch):
    monkeypatch.setattr(camobench, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="package 'bench' is missing: install it again"):
        camobench._refuse_shadows()
