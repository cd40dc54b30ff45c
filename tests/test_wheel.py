"""The wheel, installed elsewhere and run from there: code, data and networks are all inside."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("bench", "attacks", "victims", "pyproject.toml", "README.md", "LICENSE")

pytestmark = pytest.mark.slow


def pip(*words):
    offline = ["--no-index", "--no-deps", "--disable-pip-version-check", "--quiet"]
    return subprocess.run(
        [sys.executable, "-m", "pip", *map(str, words), *offline], capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the installed wheel, built from a copy of the sources."""
    pytest.importorskip("setuptools", "77", reason="no setuptools here to build a wheel with")
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    source.mkdir()
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, source / name)
    built = pip("wheel", source, "--no-build-isolation", "--wheel-dir", place)
    assert built.returncode == 0, built.stderr
    (wheel,) = place.glob("camobench-*.whl")
    done = pip("install", wheel, "--target", place / "site")
    assert done.returncode == 0, done.stderr
    shutil.rmtree(source)
    return place / "site"


@pytest.fixture
def there(installed, tmp_path):
    """Run Python elsewhere with nothing of ours on the path but the installed wheel."""

    def call(code):
        environment = os.environ | {"PYTHONPATH": str(installed)}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True,
            text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_the_packages_come_from_the_wheel(there, installed):
    code = (
        "import camobench, bench.cli, attacks.controls, victims.resnet\n"
        "from bench.jobs.networks import shipped_root\n"
        "for module in (camobench, bench.cli, attacks.controls, victims.resnet):\n"
        "    print(module.__file__)\n"
        "print(next(shipped_root().rglob('card.json')))"
    )
    files = there(code).split()
    assert len(files) == 5
    assert all(Path(file).is_relative_to(installed) for file in files)


def test_the_command_line_lists_what_is_registered(there):
    words = ["list", "victims", "--json"]
    victims = json.loads(
        there(f"import sys, camobench; sys.argv[1:] = {words!r}; camobench.main()")
    )
    assert len([v for v in victims if not v["supplementary"]]) == 15


def test_tables_and_report_are_made_there(there, smoke_copy):
    (smoke_copy.out / "report.html").unlink()
    words = ["table", str(smoke_copy.out), "--write"]
    out = there(f"import sys, camobench; sys.argv[1:] = {words!r}; camobench.main()")
    assert "### Table 2" in out
    assert (smoke_copy.out / "report.html").stat().st_size > 10_000


def data_files():
    """Everything in the source packages that is no code."""
    for package in ("bench", "attacks", "victims"):
        for path in (ROOT / package).rglob("*"):
            unwanted = "__pycache__" in path.parts or path.suffix in (".py", ".pyc")
            if path.is_file() and not unwanted and not path.name.startswith("."):
                yield path.relative_to(ROOT)


def test_every_data_file_is_inside(installed):
    files = list(data_files())
    assert any(file.suffix == ".toml" for file in files)
    assert any("published" in file.parts for file in files)
    for file in files:
        assert (installed / file).read_bytes() == (ROOT / file).read_bytes(), file
