"""What killed runs left goes; what is young or of value stays."""

import os
import time

import pytest

from bench.store import Store, digest, replacing
from bench.store.sweep import WEEK_S, sweep

KEY = digest(1)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def aged(path, weeks):
    """A file, last written so many weeks ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    for part in (path, path.parent):
        os.utime(part, (time.time() - weeks * WEEK_S,) * 2)
    return path


def leftover(path, weeks):
    """The temporary folder that a kill in the middle of `replacing` leaves beside `path`."""
    with pytest.raises(FileNotFoundError), replacing(path) as target:
        name = target.parent.name
    return aged(path.with_name(name) / "inner", weeks).parent


def places(store):
    row, data = store.prediction_folder(KEY), store.data_folder("toy-v1", KEY)
    return [
        store.checkpoint_folder("victim", "pef-resnet18", KEY),
        store.snapshot_file("victim", "pef-resnet18", KEY),
        row / "stem" / "00003.parquet",
        data / "A",
        data / "A" / "residual.npy",
    ]


def test_temporary_folders_go_after_a_week_without_a_write(store):
    old = [leftover(path, 1.1) for path in places(store)]
    young = [leftover(path, 0.9) for path in places(store)]
    written = [leftover(path, 5) for path in places(store)]
    for path in written:
        aged(path / "inner", 0)
        os.utime(path, (time.time() - 5 * WEEK_S,) * 2)
    assert sorted(sweep(store)) == sorted(old)
    assert not any(path.exists() for path in old)
    assert all((path / "inner").exists() for path in (*young, *written))


def test_nothing_of_value_is_touched(store):
    mine = store.root / ".mine" / "a" / ".notes.abcdefgh"
    kept = [aged(path, 1000) for path in (*places(store)[:3], mine / "b")]
    assert sweep(store) == []
    assert all(path.exists() for path in kept)
