import errno
import hashlib
import os
import time
from pathlib import Path

import pytest

from bench.store import (
    MARKER,
    STORE_VARIABLE,
    WEEK_S,
    Store,
    digest,
    read_json,
    replacing,
    write_json,
)
from bench.types import CamobenchError

KEY = digest(1)


def listing(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_digest_is_the_hash_of_canonical_json():
    expected = hashlib.sha256(b'{"a":[1,2.5,null],"b":"x"}').hexdigest()
    assert digest({"b": "x", "a": (1, 2.5, None)}) == expected
    assert digest({"a": [1, 2.5, None], "b": "x"}) == expected


def test_a_store_is_made_and_opened_again_and_nothing_else_is(tmp_path):
    root = tmp_path / "deep" / "store"
    assert Store(root).root == Store(root).root == root
    with pytest.raises(CamobenchError, match="is not empty and not a camobench store; choose anot"):
        Store(root.parent)
    assert listing(root.parent) == ["store", f"store/{MARKER}"]
    for found, message in (('{"format": 2}', "has format 2"), ("{", "is damaged")):
        (root / MARKER).write_text(found)
        with pytest.raises(CamobenchError, match=message):
            Store(root)


def test_a_store_that_can_only_be_read_says_what_to_do(tmp_path, monkeypatch):
    store = Store(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(PermissionError, match="cannot be written into; choose another --store"):
        store.lock("data")


@pytest.mark.parametrize(("more", "ours"), [("data", True), ("plug-ins", True), ("letters", False)])
def test_a_store_that_lost_its_marker_is_still_one(tmp_path, more, ours):
    for name in ("challenges", "locks", f".{MARKER}.abcd_123", more):  # one is of a killed run
        (tmp_path / name).mkdir()
    if ours:
        Store(tmp_path)
    else:
        with pytest.raises(CamobenchError, match="not a camobench store"):
            Store(tmp_path)
    assert (tmp_path / MARKER).is_file() == ours


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "")])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_failure_leaves_the_old_and_nothing_else(tmp_path, error, kind):
    path = tmp_path / "thing"
    if kind == "folder":
        path.mkdir()
        (path / "old").touch()
    else:
        path.write_text("old")
    before = listing(tmp_path)
    full = isinstance(error, OSError)
    expected = pytest.raises(
        CamobenchError if full else KeyboardInterrupt,
        match=f"no space left on the disk of {tmp_path}: free some" if full else None,
    )
    with expected, replacing(path) as target:
        if kind == "folder":
            target.mkdir()
            (target / "new").touch()
        else:
            target.write_text("new")
        raise error
    assert listing(tmp_path) == before
    assert path.is_dir() or path.read_text() == "old"


def test_json_that_holds_nan_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="Out of range float values"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert listing(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe{}", b"[]"])
def test_damaged_json_names_the_file(tmp_path, content):
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(CamobenchError, match=r"card\.json is damaged .*remove"):
        read_json(path)


def test_the_default_root_is_the_variable_or_the_users_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path))
    assert Store.default_root() == tmp_path
    monkeypatch.setenv(STORE_VARIABLE, "")
    assert Store.default_root() != Path()
    assert Store.default_root().parts[-2:] == ("camobench", "store")


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


def test_what_killed_runs_left_goes_after_a_week_without_a_write_and_nothing_of_value(tmp_path):
    store = Store(tmp_path)
    row, data = store.prediction_folder(KEY), store.data_folder("toy-v1", KEY)
    places = [
        store.checkpoint_folder("victim", "pef-resnet18", KEY),
        store.snapshot_file("victim", "pef-resnet18", KEY),
        row / "stem" / "00003.parquet",
        data / "A",
        data / "A" / "residual.npy",
    ]
    old = [leftover(path, 1.1) for path in places]
    stays = [leftover(path, 0.9) / "inner" for path in places]
    for path in [leftover(path, 5) for path in places]:  # written into since
        stays.append(aged(path / "inner", 0))
        os.utime(path, (time.time() - 5 * WEEK_S,) * 2)
    mine = store.root / ".mine" / "a" / ".notes.abcdefgh"
    stays += [aged(path, 1000) for path in (*places[:3], mine / "b")]
    store.sweep()
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in stays)
