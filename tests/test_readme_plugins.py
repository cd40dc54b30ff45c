"""The README's plug-in files and the commands below them run as they are written."""

import json
import os
import re
import shlex
import subprocess
import sys

import pandas as pd
import pytest

from tests.test_readme import blocks

pytestmark = pytest.mark.slow


def section(title):
    """Its first file, with the name that its commands give it, and these."""
    (language, source), (none, commands) = blocks(title)[:2]
    assert (language, none) == ("python", "")
    return re.search(r"(\S+\.py):", commands)[1], source, commands.strip().splitlines()


@pytest.fixture
def as_written(tmp_path, readme_store):
    """Put the file where its reader would and run the commands there."""

    def call(title):
        name, source, commands = section(title)
        (tmp_path / name).write_text(source, encoding="utf-8")
        path = os.pathsep.join(filter(None, sys.path))
        environment = os.environ | {"PYTHONPATH": path, "CAMOBENCH_STORE": str(readme_store)}
        outputs = []
        for command in commands:
            first, *words = shlex.split(command)
            assert first == "camobench"
            done = subprocess.run(
                [sys.executable, "-c", "import camobench; camobench.main()", *words],
                cwd=tmp_path, env=environment, capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            outputs.append(done.stdout)
        return outputs

    return call


def test_your_own_anonymiser(as_written, tmp_path):
    check, run = as_written("Add your anonymiser")
    assert "| fail" not in check
    assert "| warn" not in check
    assert re.search(r"^\| tint +\| ", run, re.MULTILINE)
    rows = pd.read_parquet(tmp_path / "tint-out" / "predictions.parquet")
    assert {"tint", "identity", "jpeg"} <= set(rows["attack"])
    assert set(rows["victim"]) == {"pef-resnet18"}
    entry = json.loads((tmp_path / "tint-out" / "entry-tint.json").read_text())
    assert entry["attack"]["plug_in"]["origin"] == "tint.py:Tint"


def test_your_own_classifier(as_written, tmp_path):
    check, run = as_written("Add your classifier")
    assert "| fail" not in check
    assert "| warn" not in check
    assert "mean-colour" in run
    rows = pd.read_parquet(tmp_path / "colours-out" / "predictions.parquet")
    assert set(rows["victim"]) == {"mean-colour"}
