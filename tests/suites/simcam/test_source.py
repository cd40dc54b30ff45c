import hashlib
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bench.data import decode_rgb
from bench.store import Store
from bench.suites.base import prepare
from bench.suites.photographs.jpeg_header import nearest_quality
from bench.suites.simcam.cameras import load_cameras
from bench.suites.simcam.plan import SimcamSpec, plan
from bench.suites.simcam.source import SimcamSource, render

SPEC = SimcamSpec(
    name="simcam-test-v1",
    version=3,
    seed=5,
    image_px=64,
    models_in=("simcam-02", "simcam-01"),
    models_out=("simcam-07",),
    images_a=2,
    images_b=(3, 2),
    images_c=(1, 1, 2),
    validation_fraction=0.5,
)


ABANDONED = """
import multiprocessing, time
from bench.suites.simcam.plan import SIMCAM_MINI, plan
from bench.suites.simcam.source import render
files = render(SIMCAM_MINI, plan(SIMCAM_MINI, "A"), workers=2)
next(files)
print(*(child.pid for child in multiprocessing.active_children()), flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    return prepare(SimcamSource(SPEC), store, ("A", "B", "C"))


def test_images_are_the_decoded_files_of_the_plan(suite):
    manifest, images = suite.manifest("C"), suite.images("C")
    for index, (shot, data) in enumerate(render(SPEC, plan(SPEC, "C"))):
        row = manifest.iloc[index]
        assert row["image_id"] == row["photo_id"] == shot.image_id
        assert (row["model"], row["device"]) == (shot.model, shot.device)
        assert (row["scene"], row["split"]) == (shot.scene, shot.split)
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        np.testing.assert_array_equal(images[index], decode_rgb(data, shot.image_id))
        styles = load_cameras()[shot.model].jpeg
        assert row["jpeg_subsampling"] == styles[0].subsampling
        assert row["jpeg_quality"] in [nearest_quality(list(style.luma)) for style in styles]
    tables = manifest.groupby("model")["jpeg_tables"].agg(set)
    assert sum(map(len, tables)) == len(set.union(*tables))  # no table is two models'


def test_a_source_continues_at_any_image(suite):
    source = SimcamSource(SPEC)
    rest = list(source.rows("C", 1, 3))
    assert [row.image_id for row, _ in rest] == suite.manifest("C")["image_id"].tolist()[3:]
    np.testing.assert_array_equal(rest[0][1], suite.images("C")[3])


def test_workers_do_not_change_the_bytes():
    shots = plan(SPEC, "C")
    assert list(render(SPEC, shots, workers=2)) == list(render(SPEC, shots, workers=1))


def runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # ended, and its new parent has yet to notice


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_of_a_script_without_a_guard_end_with_it(tmp_path):
    script = tmp_path / "abandoned.py"
    script.write_text(ABANDONED)
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    assert len(workers) == 2
    deadline = time.monotonic() + 120
    while any(map(runs, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(runs, workers))
