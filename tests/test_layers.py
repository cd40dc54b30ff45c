"""The layering of the packages, what is packaged, and what lies at the top of the repository."""

import ast
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("bench", "attacks", "victims", "camobench")

LAYERS = {
    "camobench": 10,  # the public import, whose `main` calls the command line
    "bench.cli": 9,
    "bench.perf": 8,  # measures the runner and the trainers
    "bench.challenge": 7,  # images and predictions that others make: in, checked, and run
    "bench.verify": 8,  # plug-ins against the contract, rows by running them again
    "bench.files": 7,  # single photographs
    "bench.calibration": 5,  # simulated cameras beside real ones
    "bench.plan": 6,  # from a request to its jobs and a folder of results
    "bench.execute": 5,  # the one boundary between processes
    "bench.report": 4,
    "bench.jobs": 4,  # everything that computes
    "attacks": 4,
    "victims": 4,
    "bench.training": 3,
    "bench.detect": 3,  # was a picture treated? features, and who reads them
    "bench.metrics": 3,
    "bench.suites": 3,
    "bench.contract": 2,
    "bench.records": 2,
    "bench.signal": 0,  # mathematics: imports nothing of ours
    "bench.nets": 1,
    "bench.data": 1,  # images in memory: 8-bit RGB from the bytes of a file, or why not
    "bench.console": 1,  # how progress and tables are shown to people
    "bench.store": 1,  # what is on disk: the store, checksums, folders of results
    "bench.registry": 1,
    "bench.sources": 0,  # what a plug-in is made of
    "bench.types": -1,
    "bench.checks": 0,
    "bench.provenance": 0,
    "bench.processes": 0,  # worker processes and cores: the standard library only
    "bench.verdicts": 0,
    "bench.wording": -1,  # lists, counts and near misses in messages
    "bench.recipes": 0,  # training budgets: plain frozen dataclasses
}


def _module(path):
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    if parts[:2] == ["bench", "alias"]:
        parts[:2] = ["camobench"]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _sources():
    return sorted(
        path for top in ("bench", "attacks", "victims") for path in ROOT.glob(f"{top}/**/*.py")
    )


def _unit(module):
    """The entry of LAYERS that a module belongs to; `bench` itself defines nothing."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "bench" else parts[0]


def _imports(path):
    """Every module of ours that a file imports, at its top or inside a function."""
    module = _module(path)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import; name the package"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in OURS)


EDGES = [(_module(path), name) for path in _sources() for name in _imports(path)]


def test_there_is_something_to_hold():
    assert len(_sources()) > 40
    assert ("bench.contract.participant", "bench.data.AdversarySet") in EDGES
    assert ("camobench", "bench.cli.main") in EDGES


def test_every_module_has_a_layer():
    units = {_unit(_module(path)) for path in _sources()} - {"bench"}
    assert units == set(LAYERS)


@pytest.mark.parametrize("unit", LAYERS)
def test_imports_run_downward_only(unit):
    for module, name in EDGES:
        target = _unit(name)
        if _unit(module) == unit and target != unit:
            assert target in LAYERS, f"{module} imports {name}: name its module"
            allowed = LAYERS[target] < LAYERS[unit]
            assert allowed, f"{module} (layer {LAYERS[unit]}) imports {name} ({LAYERS[target]})"


def test_no_modules_import_each_other_in_a_circle():
    modules = {_module(path): path for path in _sources()}
    graph = {}
    for module, path in modules.items():
        top = [
            node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.ImportFrom)
        ]
        names = [
            (f"{node.module}.{alias.name}", node.module) for node in top for alias in node.names
        ]
        graph[module] = {whole if whole in modules else part for whole, part in names} - {module}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("package", ["attacks", "victims"])
def test_both_sides_are_strangers(package):
    seen = {_unit(name) for module, name in EDGES if _unit(module) == package} - {package}
    assert seen
    assert not seen & {"attacks", "victims", "camobench"}
    assert all(LAYERS[unit] < LAYERS[package] for unit in seen)


def test_the_harness_knows_no_attack_and_no_victim():
    guilty = [
        e for e in EDGES if e[0].startswith("bench") and _unit(e[1]) in ("attacks", "victims")
    ]
    assert guilty == []


def _report_modules():
    found = [_module(path) for path in _sources()]
    return [name for name in found if _unit(name) in ("bench.records", "bench.report")]


def test_tables_are_made_without_torch():
    wanted = ["bench.metrics.success", "bench.metrics.distortion", *_report_modules()]
    wanted += ["bench.cli", "camobench"]
    code = (
        "import importlib, sys\n"
        f"for name in {wanted}: importlib.import_module(name)\n"
        "print([n for n in ('torch', 'timm', 'bench.contract') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_packages_of_the_wheel_are_those_on_disk():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = settings["tool"]["setuptools"]["packages"]
    on_disk = {_module(path.parent / "__init__.py") for path in _sources()}
    assert sorted(listed) == sorted(on_disk)
    assert all((path.parent / "__init__.py").is_file() for path in _sources())


def test_top_level_holds_only_what_the_design_lists():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    top = {line.split("/")[0] for line in listed}
    known = {"README.md", "LICENSE", "pyproject.toml"}
    known |= {"bench", "attacks", "victims", "results", "tests"}
    assert {name for name in top if not name.startswith(".")} <= known
    assert {"README.md", "LICENSE", "pyproject.toml", "bench", "attacks", "victims"} <= top
