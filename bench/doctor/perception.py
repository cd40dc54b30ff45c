"""LPIPS: where its trunk is looked for, whether it is the right one, and what it gives."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from bench.metrics.lpips import (
    TRUNK_FILE,
    TRUNK_PREFIX,
    TRUNK_VARIABLE,
    Lpips,
    LpipsUnavailableError,
    find_trunk,
)
from bench.metrics.lpips_golden import check_golden, golden_value
from bench.store import MARKER, Store, file_digest
from bench.types import CamobenchError
from bench.verdicts import Verdict

CPU = torch.device("cpu")


def check_lpips(root: Path) -> list[Verdict]:
    """Look for the trunk, digest it, and compare the golden value with the store at `root`."""
    chosen = os.environ.get(TRUNK_VARIABLE)
    cache = Path(torch.hub.get_dir()) / "checkpoints" / TRUNK_FILE
    where = f"${TRUNK_VARIABLE} ({chosen})" if chosen else f"{cache} (${TRUNK_VARIABLE} is not set)"
    looked = f"looked for at {where}, SHA-256 {TRUNK_PREFIX}..."
    try:
        path = find_trunk()
    except LpipsUnavailableError as error:
        return [
            Verdict(
                check="lpips trunk",
                verdict="warn",
                finding=f"not there; {looked}: LPIPS is n/a in all tables",
                remedy=str(error).partition(". ")[2],
            )
        ]
    sha256 = file_digest(path)
    try:
        metric = Lpips(CPU, path)
    except LpipsUnavailableError:
        return [
            Verdict(
                check="lpips trunk",
                verdict="fail",
                finding=f"{path} has SHA-256 {sha256}, expected {TRUNK_PREFIX}...; {looked}",
                remedy="remove it and fetch it again",
            )
        ]
    found = Verdict(check="lpips trunk", verdict="ok", finding=f"{path}, SHA-256 {sha256}")
    return [found, _golden(metric, root.expanduser().absolute())]


def _golden(metric: Lpips, root: Path) -> Verdict:
    check = "lpips golden value"
    if not (root / MARKER).is_file():
        value = golden_value(metric, CPU)
        finding = f"{value:.7f}; no store yet to record it in"
        return Verdict(check=check, verdict="ok", finding=finding)
    try:
        value, recorded = check_golden(metric, CPU, Store(root))
    except (CamobenchError, OSError) as error:
        return Verdict(
            check=check,
            verdict="fail",
            finding=str(error),
            remedy="go back to the package versions of the store's entries",
        )
    what = "recorded in the store now" if recorded else "as the store recorded it"
    return Verdict(check=check, verdict="ok", finding=f"{value:.7f}, {what}")
