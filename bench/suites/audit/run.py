"""Runs all checks on a prepared suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from bench.suites.audit.copies import (
    NearCopy,
    copies_of_images,
    find_near_copies,
    look,
    near_copies,
)
from bench.suites.audit.devices import (
    class_balance,
    devices_across_sets,
    devices_of_a_class,
    outsiders,
)
from bench.suites.audit.finding import Finding
from bench.suites.audit.leaks import copies_of_files, photographs, scenes_across_sets
from bench.suites.audit.lowlevel import COLUMNS, chroma_subsampling, jpeg_tables
from bench.suites.base import Suite
from bench.types import SETS, CamobenchError, Progress, Silent


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What the audit of a suite found.

    Attributes:
        findings: One a check.
        near: All pairs of images that look alike, on two sides.
    """

    findings: tuple[Finding, ...]
    near: tuple[NearCopy, ...] = ()

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the checks that fail."""
        return tuple(found.check for found in self.findings if found.verdict == "fail")

    @property
    def verdict(self) -> str:
        """One line: how many checks pass, and what the others say, failures first."""
        passed = sum(found.verdict == "pass" for found in self.findings)
        parts = [f"{passed} of {len(self.findings)} checks pass"]
        for verdict in ("fail", "warn"):
            parts += [
                f"{verdict}: {found.headline}"
                for found in self.findings
                if found.verdict == verdict
            ]
        unknown = [found.check for found in self.findings if found.verdict == "not recorded"]
        if unknown:
            parts.append(f"not recorded: {', '.join(unknown)}")
        return "; ".join(parts)


def audit(suite: Suite, progress: Progress | None = None) -> Audit:
    """Check a suite.

    Raises:
        CamobenchError: If a set is not on disk, or does not fit its manifest.
    """
    card, frame = suite.card, _manifest(suite)
    looks = look(suite, progress or Silent())
    near = find_near_copies(frame, looks)
    findings: Sequence[Finding] = (
        devices_across_sets(frame, card),
        devices_of_a_class(frame, card),
        outsiders(frame, card),
        scenes_across_sets(frame, card),
        photographs(frame),
        copies_of_files(frame),
        copies_of_images(frame, looks),
        near_copies(near, looks),
        class_balance(frame, card),
        jpeg_tables(frame, card),
        chroma_subsampling(frame, card),
    )
    return Audit(findings=tuple(findings), near=tuple(near))


def _manifest(suite: Suite) -> pd.DataFrame:
    """All manifests under each other, without JPEG columns unless every set has them."""
    manifests = {name: suite.manifest(name) for name in SETS}
    for name, rows in manifests.items():
        stored = len(suite.images(name))
        if stored != len(rows):
            raise CamobenchError(
                f"Set-{name} of {suite.card.name} has {stored} images and {len(rows)} rows; remove "
                f"{suite.folder / name} and prepare the suite anew"
            )
    lacking = [
        column for column in COLUMNS if any(column not in rows for rows in manifests.values())
    ]
    kept = [rows.drop(columns=lacking, errors="ignore") for rows in manifests.values()]
    return pd.concat(kept, ignore_index=True)
