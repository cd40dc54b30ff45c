"""The script for a GPU, `.ci/gpu`, with the smallest networks on this machine."""

import os
import subprocess
from pathlib import Path

import pytest

from bench.records.load import load_run

SCRIPT = Path(__file__).parents[1] / ".ci" / "gpu"
pytestmark = pytest.mark.slow


def test_it_measures_says_what_fits_and_continues_where_it_was_cut(tmp_path):
    out = tmp_path / "out"
    small = {
        "CAMOBENCH_STORE": str(tmp_path / "store"),
        "DEVICE": "cpu",
        "SUITE": "simcam-smoke-v2",
        "RECIPE": "smoke",
        "ATTACKS": "cgan-img,identity",
        "VICTIMS": "wdf-resnet12",
        "MEASURED": "cgan-img:wdf-resnet12",
        "PERF": "--stream 5 --image-px 64",
    }

    def call(**more):
        done = subprocess.run(
            [SCRIPT, out], env=os.environ | small | more, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    code, told = call(LIMIT_S="1")
    assert (code, "the same command continues" in told) == (1, True), told
    assert (out / "perf.json").is_file()
    assert "from scratch on 4 nodes: 0.0" in (out / "plan.txt").read_text()
    code, told = call()
    assert code == 0, told
    run = load_run(out / "run")
    assert set(run.predictions["attack"]) == {"cgan-img", "identity"}
    assert (out / "perf.json").stat().st_mtime_ns < (out / "run" / "report.html").stat().st_mtime_ns
