"""Runs all checks on a prepared suite and keeps what they found, as `audit.json`, with it.

The audit of the default suite ships (`assets/audits`): it holds for whoever makes the same Set-C,
without Sets A and B, which the networks that ship do not need.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from typing import Any

import pandas as pd

from bench.provenance import package_versions, provenance
from bench.store import read_json, write_sealed
from bench.suites.audit import copies
from bench.suites.audit import manifest_checks as manifests
from bench.suites.audit.copies import NearCopy
from bench.suites.audit.manifest_checks import Finding
from bench.suites.base import Suite, SuiteSource
from bench.types import SETS, SILENT, CamobenchError, Json, Progress, as_json

FILE = "audit.json"
AUDIT_VERSION = 2  # raise it when the same suite could get another verdict
QUICK_BYTES = 1 << 30  # of pixels: audited in seconds, at some 500 MB/s
MOST_PAIRS = 1000
TOLD = ("verdict", "checks", "version", "camobench", "commit", "dirty", "created")
"""What entries say of an audit."""


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
            said = [found for found in self.findings if found.verdict == verdict]
            parts += [f"{verdict}: {found.headline}" for found in said]
        if unknown := [found.check for found in self.findings if found.verdict == "not recorded"]:
            parts.append(f"not recorded: {', '.join(unknown)}")
        return "; ".join(parts)


def audit(suite: Suite, progress: Progress = SILENT) -> Audit:
    """Check a suite.

    Raises:
        CamobenchError: If a set is not on disk.
    """
    card = suite.card
    frame = pd.concat([suite.manifest(name) for name in SETS], ignore_index=True)
    looks = copies.look(suite, progress)
    near = copies.find_near_copies(frame, looks)
    findings = (
        manifests.devices_across_sets(frame, card),
        manifests.devices_of_a_class(frame, card),
        manifests.outsiders(frame, card),
        manifests.scenes_across_sets(frame, card),
        manifests.photographs(frame),
        manifests.copies_of_files(frame),
        copies.copies_of_images(frame, looks),
        copies.near_copies(near, looks),
        manifests.class_balance(frame, card),
        manifests.jpeg_tables(frame, card),
        manifests.chroma_subsampling(frame, card),
    )
    return Audit(findings=findings, near=tuple(near))


def audit_and_keep(suite: Suite, progress: Progress = SILENT) -> dict[str, Any]:
    """Audit a suite, write `audit.json` into its folder, and return what `kept_audit` does.

    Raises:
        CamobenchError: If a set is not on disk, or damaged.
    """
    for name in SETS:
        suite.verify(name)
    found = audit(suite, progress)
    origin = provenance()
    record: dict[str, Any] = {
        "version": AUDIT_VERSION,
        "suite": suite.card.name,
        "fingerprint": suite.card.fingerprint,
        "manifests": _manifests(suite),
        "verdict": found.verdict,
        "checks": as_json(found.findings),
        "near_copies": as_json(found.near[:MOST_PAIRS]),
        "camobench": package_versions()["camobench"],
        **{name: origin[name] for name in ("commit", "dirty", "created")},
    }
    write_sealed(suite.folder / FILE, record)
    return {name: record[name] for name in TOLD}


def kept_audit(suite: Suite) -> dict[str, Any] | None:
    """The audit of a suite in the words of an entry; `None` where there is none of these images.

    An audit of other manifests than those on disk, or by another version of the checks, is none.
    """
    wanted = {"version": AUDIT_VERSION, "fingerprint": suite.card.fingerprint}
    for record in _records(suite):
        same = wanted.items() <= {name: record.get(name) for name in wanted}.items()
        if same and record.get("manifests", {}).items() >= _manifests(suite).items():
            return {name: record[name] for name in TOLD}
    return None


def _records(suite: Suite) -> Iterator[dict[str, Any]]:
    """The audit kept with a suite, and the one that ships."""
    with suppress(CamobenchError, FileNotFoundError):  # damaged: it is audited anew
        yield read_json(suite.folder / FILE)
    shipped = resources.files("bench") / "assets" / "audits" / f"{suite.card.name}.json"
    if shipped.is_file():
        yield json.loads(shipped.read_text("utf-8"))


def is_quick(source: SuiteSource) -> bool:
    """Whether a suite is so small that making and auditing all of it costs seconds."""
    side = source.card.image_px
    return sum(source.count(name) for name in SETS) * 3 * side * side <= QUICK_BYTES


def _manifests(suite: Suite) -> dict[str, Json]:
    """Digest of what the manifest of each set on disk says."""
    return {
        name: hashlib.sha256(suite.manifest(name).to_csv(index=False).encode()).hexdigest()
        for name in SETS
        if suite.has(name)
    }
