"""The store: format, room, permissions, damage; and all checks in order."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from rich.filesize import decimal

from bench.jobs.networks import shipped_root
from bench.jobs.scoring.rows import read_record, read_rows
from bench.store import AREAS, MARKER, Store, damaged, open_checkpoint
from bench.suites.base import open_suite
from bench.types import ALL_SETS, SILENT, CamobenchError, Progress, SetName, tracked
from bench.verdicts import Verdict
from bench.verify.doctor.machine import check_devices, check_lpips, check_versions
from bench.wording import listed, plural

LITTLE_BYTES = 2 << 30
TOO_LITTLE_BYTES = 100 << 20
MOST_NAMED = 3
Check: TypeAlias = Callable[[], Any]
"""Opens something, and raises if it is damaged."""


def examine(root: Path, progress: Progress = SILENT) -> list[Verdict]:
    """Check this machine and the store at `root`; nothing is written."""
    return [
        *check_versions(),
        *check_devices(),
        check_lpips(),
        *check_store(root, progress),
    ]


def check_store(root: Path, progress: Progress) -> Iterator[Verdict]:
    """Everything about the store at `root`; nothing is made where there is none yet."""
    root = Path(os.path.expanduser(root)).absolute()
    place = next(path for path in (root, *root.parents) if path.exists())
    yield _writable(place)
    yield _room(place)
    if not root.exists():
        yield Verdict("store", "ok", f"{root} is not made yet; `demo` makes it")
    elif not (root / MARKER).is_file() and root.is_dir() and not any(root.iterdir()):
        yield Verdict("store", "ok", f"{root} is empty; `demo` fills it")
    else:
        try:
            if not (root / MARKER).is_file():
                raise CamobenchError(f"{root} is not empty and not a camobench store")
            store = Store(root)
        except CamobenchError as error:
            finding, _, remedy = str(error).partition("; ")
            yield Verdict("store", "fail", finding, remedy or "choose another --store")
        else:
            yield _contents(store)
            for check, what, opened in _held(store):
                yield _judge(check, what, opened, progress)
            yield _judge("checkpoints", *_checkpoints(store.root / "checkpoints"), progress)
    shipped = _judge("shipped networks", *_checkpoints(shipped_root()), progress)
    yield replace(shipped, remedy="install camobench again") if shipped.remedy else shipped


def _writable(place: Path) -> Verdict:
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        finding = f"cannot write into {place}: {error.strerror or error}"
        remedy = "choose another --store, or set $CAMOBENCH_STORE"
        return Verdict("write permission", "fail", finding, remedy)
    return Verdict("write permission", "ok", str(place))


def _room(place: Path) -> Verdict:
    free = shutil.disk_usage(place).free
    finding = f"{decimal(free)} free at {place}"
    if free >= LITTLE_BYTES:
        return Verdict("disk space", "ok", finding)
    remedy = "free some, or choose a --store on another disk"
    return Verdict("disk space", "fail" if free < TOO_LITTLE_BYTES else "warn", finding, remedy)


def _contents(store: Store) -> Verdict:
    sizes = dict.fromkeys(AREAS, 0)
    for area in AREAS:
        for path in (store.root / area).rglob("*"):
            with suppress(OSError):  # removed meanwhile
                sizes[area] += path.stat().st_size if path.is_file() else 0
    parts = ", ".join(f"{area} {decimal(size)}" for area, size in sizes.items() if size)
    total = decimal(sum(sizes.values()))
    return Verdict("store", "ok", f"{store.root}, {total}{f' ({parts})' if parts else ''}")


def _checkpoints(root: Path) -> tuple[str, list[Check]]:
    """How many there are below `root`, and what opens each and compares its weights."""
    folders = sorted(path for path in root.glob("*/*") if path.is_dir() and path.name[0] != ".")
    opened: list[Check] = [partial(_verify_checkpoint, folder) for folder in folders]
    return f"{len(folders)}, each as its card says", opened


def _held(store: Store) -> Iterator[tuple[str, str, list[Check]]]:
    """What else a store holds: its name, how it is where nothing is damaged, what opens it."""
    folders = [card.parent for card in sorted(store.root.glob("data/*/suite.json"))]
    there = [(folder, name) for folder in folders for name in ALL_SETS if (folder / name).is_dir()]
    opened: list[Check] = [partial(_open_set, folder, name) for folder, name in there]
    yield "data sets", f"{plural(len(there), 'set')}, as their checksums say", opened
    tables = sorted(store.root.glob("predictions/*/*/*.parquet"))
    rows = plural(len({path.parents[1] for path in tables}), "row")
    opened = [partial(read_rows, [path]) for path in tables]
    opened += [partial(read_record, path) for path in tables]
    yield "rows", f"{plural(len(tables), 'table')} of {rows}, as their checksums say", opened


def _verify_checkpoint(folder: Path) -> None:
    found = open_checkpoint(folder)
    if found is None:
        raise damaged(folder, "it has no card.json")
    found.verify()


def _open_set(folder: Path, name: SetName) -> None:
    suite = open_suite(folder)
    if suite.has(name):
        suite.verify(name)


def _judge(check: str, what: str, opened: Sequence[Check], progress: Progress) -> Verdict:
    wrong = []
    for call in tracked(opened, f"opening {check}", progress):
        try:
            call()
        except (CamobenchError, OSError) as error:
            wrong.append(str(error))
    if not wrong:
        return Verdict(check, "ok", what)
    # The command that makes things anew is not this one.
    remedy = wrong[0].partition("; ")[2].replace("the same command makes", "`run` makes")
    return Verdict(
        check, "fail", listed([text.split("; ")[0] for text in wrong], MOST_NAMED), remedy
    )
