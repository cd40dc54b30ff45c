"""What killed runs left goes; what is young, held or of value stays."""

import os
import time

import pytest

from bench.store import Store, digest, replacing
from bench.store.sweep import DAY_S, sweep

KEY = digest(1)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def made(path, days, folder=True):
    """A file, or a folder with one, last written so many days ago."""
    inner = path / "inner" if folder else path
    inner.parent.mkdir(parents=True, exist_ok=True)
    inner.touch()
    for part in (inner, path):
        os.utime(part, (time.time() - days * DAY_S,) * 2)
    return path


def leftover(path):
    """The temporary folder that a kill in the middle of `replacing` leaves beside `path`."""
    with pytest.raises(FileNotFoundError), replacing(path) as target:
        name = target.parent.name
    return path.with_name(name)


def places(store):
    checkpoint = store.checkpoint_folder("victim", "pef-resnet18", KEY)
    row = store.prediction_folder(KEY)
    data = store.data_folder("toy-v1", KEY)
    network = ("networks", "victim", checkpoint.name)
    return {
        leftover(checkpoint): network,
        leftover(store.snapshot_file("victim", "pef-resnet18", KEY)): network,
        leftover(row / "stem" / "00003.parquet"): ("predictions", f"{row.name}-00003"),
        leftover(data / "A"): ("data", data.name, "A"),
        leftover(data / "A" / "residual.npy"): ("data", data.name, "A-residual"),
    }


def test_temporary_folders_go_after_a_day(store):
    old = [made(path, 1.1) for path in places(store)]
    young = [made(path, 0.9) for path in places(store)]
    assert len({*old, *young}) == 10
    assert sorted(sweep(store)) == sorted(old)
    assert not any(path.exists() for path in old)
    assert all((path / "inner").exists() for path in young)
    assert sweep(store) == []


def test_what_a_live_run_holds_stays_however_old(store):
    for path, names in places(store).items():
        made(path, 100)
        with store.lock(*names):
            assert sweep(store) == []
        assert sweep(store) == [path]


def test_a_folder_is_as_young_as_what_was_last_written_in_it(store):
    path = made(next(iter(places(store))), 5)
    (path / "inner").touch()
    os.utime(path, (time.time() - 5 * DAY_S,) * 2)
    assert sweep(store) == []


def test_nothing_of_value_is_touched(store):
    kept = [
        store.checkpoint_folder("victim", "net", KEY) / "weights.safetensors",
        store.snapshot_file("victim", "net", KEY),
        store.prediction_folder(KEY) / "stem" / "00000.parquet",
        store.prediction_folder(KEY) / "distortion" / "00000.parquet",
        store.data_folder("toy-v1", KEY) / "suite.json",
        store.data_folder("toy-v1", KEY) / "A" / "images.npy",
        store.root / ".mine" / "a" / ".notes.abcdefgh",
    ]
    for path in kept:
        made(path, 1000, folder=False)
    with store.lock("data", "toy", "A"):
        pass
    assert sweep(store) == []
    assert all(path.exists() for path in kept)
