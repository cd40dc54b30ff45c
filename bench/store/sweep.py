"""Removes what killed runs left in a store: temporary folders.

Whoever writes a thing holds its lock, so what a live run uses is left alone, however old it is.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from bench.store import Store, lock_beside_set

DAY_S = 86_400.0
_TEMPORARY = re.compile(r"\.(?P<thing>.+)\.[a-z0-9_]{8}")  # as `bench.store.replacing` names it


def sweep(store: Store) -> list[Path]:
    """Remove temporary leftovers of more than a day that no run holds.

    Checkpoints, predictions and the state of unfinished trainings are never touched.

    Returns:
        What was removed.
    """
    return [path for path, lock in _leftovers(store) if _removed(path, lock)]


def _leftovers(store: Store) -> Iterator[tuple[Path, FileLock]]:
    """What a killed run may have left, and the lock that its writer would hold."""
    for path in store.root.glob("*/*/*"):
        area, folder = path.parts[-3:-1]
        temporary = _TEMPORARY.fullmatch(path.name)
        if area == "images" and temporary:
            yield path, _shard_lock(store, folder, temporary["thing"])
        elif area == "data" and temporary:
            yield path, store.lock(area, folder, temporary["thing"])
        elif area in ("checkpoints", "unfinished") and temporary:
            yield (
                path,
                store.lock("networks", folder, temporary["thing"].removesuffix(".pt")),
            )
    for path in store.root.glob("predictions/*/*/.*"):
        if temporary := _TEMPORARY.fullmatch(path.name):
            yield path, _shard_lock(store, path.parts[-3], temporary["thing"])
    for path in store.root.glob("data/*/*/.*"):  # of an array kept beside a set's images
        if temporary := _TEMPORARY.fullmatch(path.name):
            yield path, lock_beside_set(path.with_name(temporary["thing"]))


def _shard_lock(store: Store, row: str, file: str) -> FileLock:
    """What the writer of a shard of a row holds."""
    return store.lock("predictions", f"{row}-{file.removesuffix('.parquet')}")


def _removed(path: Path, lock: FileLock) -> bool:
    if time.time() - _touched(path) < DAY_S:
        return False
    try:
        with lock.acquire(timeout=0):
            if time.time() - _touched(path) < DAY_S:
                return False
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    except Timeout:
        return False
    return not path.exists()


def _touched(path: Path) -> float:
    """When anything in it was last written; now if it vanishes meanwhile."""
    try:
        return max(part.stat().st_mtime for part in (path, *path.rglob("*")))
    except OSError:
        return time.time()
