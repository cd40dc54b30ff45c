"""Removes what killed runs left in a store: temporary folders, and rows that were never finished.

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
UNFINISHED_S = 7 * DAY_S
"""A row half scored is what its own run would continue with: it is kept for a week."""
_TEMPORARY = re.compile(r"\.(?P<thing>.+)\.[a-z0-9_]{8}")  # as `bench.store.replacing` names it


def sweep(store: Store) -> list[Path]:
    """Remove leftovers that no run holds: temporary ones after a day, half-scored rows in a week.

    Checkpoints, finished predictions and the state of unfinished trainings are never touched.

    Returns:
        What was removed.
    """
    return [path for path, lock, age_s in _leftovers(store) if _removed(path, lock, age_s)]


def _leftovers(store: Store) -> Iterator[tuple[Path, FileLock, float]]:
    """What a killed run may have left, the lock its writer would hold, and how long it is kept."""
    for path in store.root.glob("*/*/*"):
        area, folder = path.parts[-3:-1]
        temporary = _TEMPORARY.fullmatch(path.name)
        if area == "predictions" and (temporary or path.name.startswith("partial-")):
            yield path, store.lock(area, folder), DAY_S if temporary else UNFINISHED_S
        elif area == "images" and temporary:
            yield path, store.lock("predictions", folder), DAY_S
        elif area == "data" and temporary:
            yield path, store.lock(area, folder, temporary["thing"]), DAY_S
        elif area in ("checkpoints", "unfinished") and temporary:
            yield (
                path,
                store.lock("networks", folder, temporary["thing"].removesuffix(".pt")),
                DAY_S,
            )
        elif area in ("predictions", "data", "checkpoints") and path.suffix == ".lock":
            yield path, FileLock(path), DAY_S  # where former versions kept their locks

    for path in store.root.glob("data/*/*/.*"):  # of an array kept beside a set's images
        if temporary := _TEMPORARY.fullmatch(path.name):
            yield path, lock_beside_set(path.with_name(temporary["thing"])), DAY_S


def _removed(path: Path, lock: FileLock, age_s: float) -> bool:
    if time.time() - _touched(path) < age_s:
        return False
    try:
        with lock.acquire(timeout=0):
            if time.time() - _touched(path) < age_s:
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
