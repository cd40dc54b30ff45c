"""`camobench perf --stream` at its smallest."""

import json
from dataclasses import replace

import pytest
import torch

from bench.perf import stream as streaming
from bench.perf.session import make_stream_load
from bench.perf.stream import stream
from bench.types import Silent
from tests.perf.test_session import LOAD

CPU = torch.device("cpu")


class Interrupting(Silent):
    """Ctrl-C after the first shard."""

    def advance(self, units=1, **figures):
        raise KeyboardInterrupt


@pytest.fixture
def load(monkeypatch):
    monkeypatch.setattr(streaming, "keep_freed_memory", lambda: True)
    return replace(LOAD, images=40, targets=2)


def test_a_stream_continues_and_tells_time_and_memory_of_every_shard(load, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        stream(load, CPU, tmp_path, Interrupting())
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("predictions/*/*/*.parquet")}
    assert len(times) == len(load.victims) + 1
    found = stream(load, CPU, tmp_path, Silent())
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    assert [shard.transforms for shard in found.shards] == [64, 80]
    for shard in found.shards:
        assert shard.cpu_s_per_transform > 0
        assert 0 < shard.s_per_transform < 10
        assert 0.05 < shard.memory_gib < 64
    said = found.as_json()
    assert (said["plan"]["images"], len(said["shards"])) == (40, 2)
    assert json.loads(found.tables("json")) == said
    assert "transforms so far" in found.tables("md")


def test_the_paper_s_row_has_6600_transforms():
    load = make_stream_load(6600)
    assert (load.transforms, load.images, load.image_px, len(load.victims)) == (6600, 1320, 512, 15)
    assert load.recipe == "smoke"
    assert make_stream_load(100, 64).transforms == 100
