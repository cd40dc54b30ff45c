"""The store: format, room, permissions, locks, unfinished work, damage."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from bench.doctor.contents import check_challenges, check_images, check_rows, check_sets
from bench.jobs.networks import shipped_root
from bench.store import AREAS, MARKER, Store, open_checkpoint
from bench.types import CamobenchError, Progress
from bench.verdicts import Verdict
from bench.wording import listed, plural

LITTLE_BYTES = 2 << 30
TOO_LITTLE_BYTES = 100 << 20
UNFINISHED_S = 7 * 86_400.0
"""A training that nobody continued for a week is told of."""


def check_store(root: Path, progress: Progress) -> Iterator[Verdict]:
    """Everything about the store at `root`; nothing is made where there is none yet."""
    root = root.expanduser().absolute()
    yield _writable(root)
    yield _room(root)
    if not root.exists():
        yield Verdict(
            check="store", verdict="ok", finding=f"{root} is not made yet; `demo` makes it"
        )
    elif not (root / MARKER).is_file() and root.is_dir() and not any(root.iterdir()):
        yield Verdict(check="store", verdict="ok", finding=f"{root} is empty; `demo` fills it")
    else:
        try:
            if not (root / MARKER).is_file():
                raise CamobenchError(f"{root} is not empty and not a camobench store")
            store = Store(root)
        except CamobenchError as error:
            finding, _, remedy = str(error).partition("; ")
            yield Verdict(
                check="store",
                verdict="fail",
                finding=finding,
                remedy=remedy or "choose another --store",
            )
        else:
            yield _contents(store)
            yield _locks(store)
            yield _unfinished(store)
            yield check_sets(store, progress)
            yield check_rows(store, progress)
            yield check_images(store, progress)
            yield check_challenges(store, progress)
            yield check_checkpoints("checkpoints", store.root / "checkpoints", progress)
    yield check_checkpoints("shipped networks", shipped_root(), progress)


def _writable(root: Path) -> Verdict:
    place = next(path for path in (root, *root.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        return Verdict(
            check="write permission",
            verdict="fail",
            finding=f"cannot write into {place}: {reason}",
            remedy="choose another --store, or set $CAMOBENCH_STORE",
        )
    return Verdict(check="write permission", verdict="ok", finding=str(place))


def _room(root: Path) -> Verdict:
    place = next(path for path in (root, *root.parents) if path.exists())
    free = shutil.disk_usage(place).free
    verdict = "fail" if free < TOO_LITTLE_BYTES else "warn" if free < LITTLE_BYTES else "ok"
    return Verdict(
        check="disk space",
        verdict=verdict,  # type: ignore[arg-type]
        finding=f"{_size(free)} free at {place}",
        remedy="" if verdict == "ok" else "free some, or choose a --store on another disk",
    )


def _contents(store: Store) -> Verdict:
    sizes = {area: _bytes(store.root / area) for area in AREAS}
    parts = ", ".join(f"{area} {_size(size)}" for area, size in sizes.items() if size)
    total = _size(sum(sizes.values()))
    return Verdict(
        check="store",
        verdict="ok",
        finding=f"{store.root}, {total}{f' ({parts})' if parts else ''}",
    )


def _locks(store: Store) -> Verdict:
    held = []
    for path in sorted((store.root / "locks").rglob("*.lock")):
        try:
            with FileLock(path).acquire(timeout=0):
                pass
        except Timeout:
            held.append(str(path.relative_to(store.root / "locks")))
        except OSError as error:
            return Verdict(
                check="locks",
                verdict="fail",
                finding=f"{path} cannot be locked: {error.strerror}",
                remedy="choose a --store on a local disk that you may write to",
            )
    finding = f"held by running processes: {listed(held)}" if held else "none is held"
    return Verdict(check="locks", verdict="ok", finding=finding)


def _unfinished(store: Store) -> Verdict:
    trainings = sorted((store.root / "unfinished").glob("*/*.pt"))
    old = [path for path in trainings if time.time() - path.stat().st_mtime > UNFINISHED_S]
    names = listed([path.stem for path in trainings], 3)
    remedy = "the same command again continues" if trainings else ""
    if old:
        remedy += f"; where it is not wanted any more, remove {old[0]}"
    return Verdict(
        check="unfinished work",
        verdict="warn" if old else "ok",
        finding=f"{plural(len(trainings), 'training')} ({names})" if trainings else "none",
        remedy=remedy,
    )


def check_checkpoints(check: str, root: Path, progress: Progress) -> Verdict:
    """Compare the weights of every checkpoint below `root` with its card."""
    folders = sorted(path for path in root.glob("*/*") if path.is_dir() and path.name[0] != ".")
    damaged = []
    progress.start(f"digests of {check}", len(folders))
    for folder in folders:
        try:
            found = open_checkpoint(folder)
            if found is None:
                raise CamobenchError("no card.json")
            found.verify()
        except (CamobenchError, KeyError, OSError):
            damaged.append(f"{folder.parent.name}/{folder.name}")
        progress.advance()
    progress.finish()
    own = check == "checkpoints"
    return Verdict(
        check=check,
        verdict="fail" if damaged else "ok",
        finding=f"damaged: {listed(damaged)}"
        if damaged
        else f"{len(folders)}, each as its card says",
        remedy=""
        if not damaged
        else f"remove the folder in {root}; the same command again trains it anew"
        if own
        else "install camobench again",
    )


def _bytes(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_size
            except OSError:  # removed meanwhile
                continue
    return total


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
