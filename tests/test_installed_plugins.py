"""A package of someone else's, built and installed here, whose entry points bring plug-ins."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.plugins import FOG, MEAN, write
from tests.smoke import SUITE

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = """
    [build-system]
    requires = ["setuptools"]
    build-backend = "setuptools.build_meta"

    [project]
    name = "weather"
    version = "1.0"

    [project.entry-points."camobench.attacks"]
    fog = "weather.fog:Fog"

    [project.entry-points."camobench.victims"]
    mean = "weather.mean:ENTRIES"

    [tool.setuptools]
    packages = ["weather"]
"""
WORDS = ["--suite", SUITE, "--recipe", "smoke", "--device", "cpu", "--from-scratch"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the installed package."""
    pytest.importorskip("setuptools", "77", reason="no setuptools here to build a package with")
    source, target = tmp_path_factory.mktemp("weather"), tmp_path_factory.mktemp("site")
    write(source / "pyproject.toml", PYPROJECT)
    write(source / "weather" / "__init__.py", "HAZE = 0.1")
    haze = "import camobench\n    from weather import HAZE"
    write(source / "weather" / "fog.py", FOG.replace("import camobench", haze))
    write(source / "weather" / "mean.py", f"{MEAN}\n    ENTRIES = [Mean]\n")
    words = ["install", source, "--target", target, "--no-deps", "--no-build-isolation"]
    offline = ["--no-index", "--disable-pip-version-check", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *map(str, words), *offline], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def camobench(site, tmp_path):
    """The command line in a process of its own, with the package installed."""

    def call(*words):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])}
        done = subprocess.run(
            [sys.executable, "-c", "import camobench; camobench.main()", *map(str, words)],
            cwd=tmp_path, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_check_takes_their_names(camobench):
    rows = json.loads(camobench("check", "mean-colour", "--device", "cpu", "--format", "json"))
    found = {row["check"]: row["verdict"] for row in rows}
    assert found["logits"] == found["imports"] == "ok"
    assert "fail" not in found.values()


def test_run_adds_row_and_column(camobench, smoke_copy, tmp_path):
    place = ["--store", smoke_copy.store.root, "--out", tmp_path / "out"]
    camobench("run", "--attack", "fog", "--victim", "mean-colour", "--victims", "img-resnet12",
              *WORDS, *place)  # fmt: skip
    rows = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    assert {"fog", "cgan-img", "identity", "jpeg"} <= set(rows["attack"])
    assert set(rows["victim"]) == {"img-resnet12", "mean-colour"}
    entry = json.loads((tmp_path / "out" / "entry-fog.json").read_text())
    assert entry["attack"]["plug_in"]["origin"] == "weather.fog:Fog"
    assert len(entry["attack"]["plug_in"]["source_sha256"]) == 64
    by_name = {victim["name"]: victim for victim in entry["victims"]}
    assert by_name["mean-colour"]["plug_in"]["origin"] == "weather.mean:ENTRIES"
    assert "plug_in" not in by_name["img-resnet12"]
