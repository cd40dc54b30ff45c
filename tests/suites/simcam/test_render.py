import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bench.suites.simcam.plan import SIMCAM_MINI, plan
from bench.suites.simcam.source import render

SHOTS = plan(replace(SIMCAM_MINI, images_c=2), "C")
ABANDONED = """
import multiprocessing, time
from bench.suites.simcam.plan import SIMCAM_MINI, plan
from bench.suites.simcam.source import render
if __name__ == "__main__":
    files = render(plan(SIMCAM_MINI, "A"), 128, workers=2)
    next(files)
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def alone():
    return list(render(SHOTS, 64, workers=1))


def test_workers_do_not_change_the_bytes(alone):
    assert list(render(SHOTS, 64, workers=2)) == alone


def _runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # ended, and its new parent has yet to notice


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_end_with_a_killed_parent(tmp_path):
    script = tmp_path / "abandoned.py"
    script.write_text(ABANDONED)
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    assert len(workers) == 2
    deadline = time.monotonic() + 120
    while any(map(_runs, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_runs, workers))
