"""All checks in reading order."""

from __future__ import annotations

from pathlib import Path

from bench.doctor.machine import check_devices, check_shadows, check_versions
from bench.doctor.perception import check_lpips
from bench.doctor.storage import check_store
from bench.types import Progress, Silent
from bench.verdicts import Verdict


def examine(root: Path, progress: Progress | None = None) -> list[Verdict]:
    """Check this machine and the store at `root`.

    The only thing that is written is the golden value of LPIPS, into a store that exists.
    """
    return [
        *check_versions(),
        *check_devices(),
        check_shadows(),
        *check_lpips(root),
        *check_store(root, progress or Silent()),
    ]
