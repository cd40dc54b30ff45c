"""Removes what killed runs left in a store: temporary folders, once nobody can be at work there."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

from bench.store import AREAS, Store

WEEK_S = 7 * 86_400.0
_TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}")  # as `bench.store.replacing` names it


def sweep(store: Store) -> list[Path]:
    """Remove temporary folders that nothing was written into for a week, and say which.

    Checkpoints, predictions and the state of unfinished trainings are never touched.
    """
    found = [
        path
        for area in AREAS
        for depth in ("*/.*", "*/*/.*")
        for path in (store.root / area).glob(depth)
        if _TEMPORARY.fullmatch(path.name) and path.is_dir() and _idle_s(path) > WEEK_S
    ]
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return found


def _idle_s(path: Path) -> float:
    """Since anything in it was last written; 0 if it vanishes meanwhile."""
    try:
        return time.time() - max(part.stat().st_mtime for part in (path, *path.rglob("*")))
    except OSError:
        return 0.0
