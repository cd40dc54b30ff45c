"""All checks in reading order."""

from __future__ import annotations

from pathlib import Path

from bench.doctor.lpips import check_lpips
from bench.doctor.machine import check_devices, check_shadows, check_versions
from bench.doctor.storage import check_store
from bench.types import Progress, Silent
from bench.verdicts import Verdict


def examine(root: Path, progress: Progress | None = None) -> list[Verdict]:
    """Check this machine and the store at `root`; nothing is written."""
    return [
        *check_versions(),
        *check_devices(),
        check_shadows(),
        *check_lpips(),
        *check_store(root, progress or Silent()),
    ]
