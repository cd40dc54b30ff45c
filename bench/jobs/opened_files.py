"""Files that a plug-in opens, from its import to its last image.

Those that it opens as it is imported and built are known before anything is computed and stand in
the key. Each key has a record of all of them, with their SHA-256 of then: while they are as they
were the key stands, with all that lies under it; once one has changed, what is planned has another
key.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from bench.registry import Entry
from bench.sources import Makeup, makeup_of
from bench.sources.opened import changed, files_opened_by
from bench.sources.places import is_somebodys
from bench.store import Store, digest, file_digest, is_in_store, read_json, write_json
from bench.types import Json, StoppingError, as_json

OPENED = "opened"
"""Folder of the records in a store."""


def identity_of(name: str, made: type, builder: object, makeup: Makeup) -> dict[str, Json]:
    """What a key says of a plug-in's code, and of each file opened as it is imported and built.

    Args:
        name: Its own, under which it was built.
        made: The class of what it builds.
        builder: Itself.
        makeup: Of the builder, taken before it was called.
    """
    others = [] if builder is made else [makeup_of(made).sha256]
    found = files_opened_by(makeup.paths, built=name)
    opened = sorted([path.name, _digest(path)] for path in found if _counts(path, makeup))
    return {"source": makeup.sha256, "made": as_json(others), "opened": as_json(opened)}


def opened_in(store: Store, key: str) -> dict[str, str]:
    """SHA-256 of the files that were opened as what has this key trained and ran, by path."""
    path = _record(store, key)
    return dict(read_json(path)) if path.is_file() else {}


def settled_key(store: Store, key: str) -> str:
    """The key itself, or where a file of its record has changed since, another one."""
    while record := opened_in(store, key):
        now = {path: _digest(Path(path)) for path in record}
        if now == record:
            break
        key = digest([key, sorted([Path(path).name, sha256] for path, sha256 in now.items())])
    return key


def note_opened(store: Store, key: str, entry: Entry[Any, Any]) -> None:
    """Record what a plug-in has opened as it trained or ran, before what it gave is kept.

    Raises:
        StoppingError: If a file has changed meanwhile.
    """
    if entry.origin is None:
        return
    makeup = _travelled.get((entry.origin, entry.spec.name)) or makeup_of(entry.builder)
    found = set(files_opened_by(makeup.paths))
    if makeup.computes_imports:  # nobody knows which of them
        found |= _imported()
    paths = [path for path in sorted(found) if _counts(path, makeup)]
    now = {str(_at_home(path)): _digest(path) for path in paths}
    moved = {str(_at_home(path)) for path in changed(paths)}
    add_opened(store, key, now, entry.spec.name, moved)


def add_opened(
    store: Store,
    key: str,
    now: Mapping[str, str],
    reader: str = "a plug-in",
    moved: Collection[str] = (),
) -> None:
    """Add to the record of a key what was opened, SHA-256 by path; `moved` is what has changed.

    Raises:
        StoppingError: If a file has changed meanwhile.
    """
    with store.lock("opened", key):
        known = opened_in(store, key)
        for path, sha256 in now.items():
            if known.get(path, sha256) != sha256 or path in moved:
                raise StoppingError(
                    f"{path}, which {reader} reads, has changed while it was run, or is not the "
                    "same on every node: make it one file, and run the same command again"
                )
        if now.keys() - known.keys():
            write_json(_record(store, key), {**known, **now})


_travelled: dict[tuple[str | None, str], Makeup] = {}
"""Of plug-ins that came from another process, where their sources are."""


def knows_makeup(entry: Entry[Any, Any], makeup: Makeup) -> None:
    """Take what a plug-in is made of from the process that it came from."""
    _travelled[entry.origin, entry.spec.name] = makeup


_away: list[Path] = []
"""Folders that stand for the root of another machine, where plug-in files came from."""


def stands_for_root(folder: Path) -> None:
    """Name files below a folder as if it were the root: so they lie where they came from."""
    _away.append(folder)


def _at_home(path: Path) -> Path:
    away = next((folder for folder in _away if folder in path.parents), None)
    return path if away is None else Path(path.anchor, path.relative_to(away))


def as_told(entry: Entry[Any, Any], store: Store, key: str) -> dict[str, Json]:
    """What an entry says of a plug-in, beside its spec; of camobench's own, nothing."""
    if entry.origin is None:
        return {}
    makeup = makeup_of(entry.builder)
    opened = sorted([Path(path).name, sha256] for path, sha256 in opened_in(store, key).items())
    return {
        "plug_in": {
            "origin": entry.origin,
            "source_sha256": makeup.sha256,
            "modules": dict(makeup.files),
            "packages": dict(makeup.distributions),
            "opened": as_json(opened),
            "not_covered": list(makeup.not_covered),
        }
    }


def _record(store: Store, key: str) -> Path:
    return store.root / OPENED / f"{key}.json"


def _counts(path: Path, makeup: Makeup) -> bool:
    return path not in makeup.paths and not is_in_store(path)


def _imported() -> set[Path]:
    """Files of all modules here that are neither Python's nor camobench's nor installed."""
    files = [
        getattr(one, "__file__", None) for name, one in sys.modules.items() if name != "__main__"
    ]
    paths = {Path(file).resolve() for file in files if file}
    return {path for path in paths if path.is_file() and is_somebodys(path)}


def _digest(path: Path) -> str:
    """SHA-256 of a file; "" where there is none."""
    try:
        found = path.stat()
        return _digest_of(path, found.st_mtime_ns, found.st_size)
    except OSError:
        return ""


@functools.lru_cache(maxsize=4096)
def _digest_of(path: Path, _modified_ns: int, _size: int) -> str:
    return file_digest(path)
