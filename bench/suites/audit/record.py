"""Keeps an audit with its suite, as `audit.json`, and finds it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.provenance import package_versions, provenance
from bench.store import file_digest, read_json, write_json
from bench.suites.audit.run import Audit, audit
from bench.suites.base import Suite, SuiteSource
from bench.types import SETS, CamobenchError, Json, Progress, as_json

AUDIT_VERSION = 1  # raise it when the same suite could get another verdict
QUICK_BYTES = 1 << 30  # of pixels: audited in seconds, at some 500 MB/s
MOST_PAIRS = 1000


def audit_and_keep(suite: Suite, progress: Progress | None = None) -> Audit:
    """Audit a suite and write `audit.json` into its folder.

    Raises:
        CamobenchError: If a set is not on disk or damaged, or does not fit its manifest.
    """
    for name in SETS:
        suite.verify(name, progress)
    manifests = _manifests(suite)
    found = audit(suite, progress)
    origin = provenance()
    write_json(
        _file(suite),
        {
            "version": AUDIT_VERSION,
            "suite": suite.card.name,
            "fingerprint": suite.card.fingerprint,
            "manifests": manifests,
            "verdict": found.verdict,
            "checks": as_json(found.findings),
            "near_copies": as_json(found.near[:MOST_PAIRS]),
            "camobench": package_versions()["camobench"],
            **{name: origin[name] for name in ("commit", "dirty", "created")},
        },
    )
    return found


def kept_audit(suite: Suite) -> dict[str, Any] | None:
    """The audit of a suite in the words of an entry; `None` where there is none of these images.

    An audit of other manifests than those on disk, or by another version of the checks, is none.
    """
    if not _file(suite).is_file():
        return None
    try:
        record = read_json(_file(suite))
    except CamobenchError:  # damaged: it is audited anew
        return None
    manifests = record.get("manifests", {})
    if (
        record.get("version") != AUDIT_VERSION
        or record.get("fingerprint") != suite.card.fingerprint
        or any(manifests.get(name) != value for name, value in _manifests(suite).items())
    ):
        return None
    return {
        name: record[name]
        for name in ("verdict", "checks", "version", "camobench", "commit", "dirty", "created")
    }


def is_quick(source: SuiteSource) -> bool:
    """Whether a suite is so small that making and auditing all of it costs seconds."""
    side = source.card.image_px
    return sum(source.count(name) for name in SETS) * 3 * side * side <= QUICK_BYTES


def audit_if_quick(suite: Suite, progress: Progress | None = None) -> None:
    """Audit a small suite that was not, once all its sets are on disk."""
    if not all(map(suite.has, SETS)) or kept_audit(suite) is not None:
        return
    if sum(suite.images(name).nbytes for name in SETS) <= QUICK_BYTES:
        audit_and_keep(suite, progress)


def _file(suite: Suite) -> Path:
    return suite.folder / "audit.json"


def _manifests(suite: Suite) -> dict[str, Json]:
    """Digest of the manifest of each set on disk."""
    return {
        name: file_digest(suite.folder / name / "manifest.parquet")
        for name in SETS
        if suite.has(name)
    }
