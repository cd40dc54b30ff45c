"""Which files a plug-in's code opens, which processes it starts, whom it asks.

Python tells of each such event; the call stack tells whose code is behind it. What C or Rust code
opens by itself is not told.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Literal, TypeAlias

from bench.sources.in_memory import note_run
from bench.sources.places import OURS, is_somebodys

OUTSIDE = {
    "socket.connect": "connected to another machine",
    "socket.getaddrinfo": "asked for another machine's address",
    "subprocess.Popen": "started another process",
    "os.system": "started another process",
    "os.fork": "started another process",
    "os.posix_spawn": "started another process",
}
_WATCHED = {"open", "sqlite3.connect", "ctypes.dlopen", *OUTSIDE}
_WRITES = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_NO_FILES = ("/proc", "/sys", "/dev")
_ABSENT = 0, -1

Listener = Callable[[str, tuple[Any, ...]], None]
_listeners: list[Listener] = []
_Fact: TypeAlias = tuple[str, Any, Any]
_seen: set[_Fact] = set()
"""("opened", "imported", "built" with a colon and what was built, or "written", source, path),
("outside", source, what it did), ("version", path, when it had been written and its size, each time
that it was opened), ("there", path, True) of a file that was there any such time."""
_making = "opened"
"""Kind of what is opened now."""


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "exec":
        _note_run(arguments[0], sys._getframe(1))
    if event not in _WATCHED:
        return
    for listener in tuple(_listeners):
        listener(event, arguments)
    callers = _callers(sys._getframe(1))
    if event in OUTSIDE:
        _seen.update(("outside", file, OUTSIDE[event]) for file in callers)
    elif callers and isinstance(arguments[0], str | bytes | os.PathLike):
        path = Path(os.path.abspath(os.fsdecode(arguments[0])))
        version = _version(path)
        _seen.add(("version", path, version))
        if version != _ABSENT:
            _seen.add(("there", path, True))
        writes = event == "open" and bool((arguments[2] or 0) & _WRITES)
        imports = _making != "opened" and _is_import(sys._getframe(1))
        kind = "written" if writes else "imported" if imports else _making
        _seen.update((kind, file, path) for file in callers)


def _note_run(code: object, frame: FrameType) -> None:
    """Note that a module of somebody's is imported, now or again."""
    if isinstance(code, CodeType) and code.co_name == "<module>":
        name, whose = _whose(code.co_filename)
        if whose == "somebody's":
            note_run(Path(name), frame)


def _callers(frame: FrameType | None) -> list[str]:
    """Files of somebody's code that camobench has called and that is at work now."""
    found: list[str] = []
    inner: list[str] = []
    while frame is not None:
        code = frame.f_code  # an audit event by itself: once a frame
        name, whose = _whose(code.co_filename)
        if whose == "ours":
            found, inner = found + inner, []
        elif whose == "somebody's":
            inner.append(name)
        elif code.co_name == "<module>" and not (found or inner):
            return []  # a library that is imported reads what it likes
        frame = frame.f_back
    aside = threading.current_thread() is not threading.main_thread()
    return found + inner if aside else found


def _is_import(frame: FrameType | None) -> bool:
    """Whether a module of somebody's is imported within what camobench has called."""
    while frame is not None and (whose := _whose(frame.f_code.co_filename)[1]) != "ours":
        if whose == "somebody's" and frame.f_code.co_name == "<module>":
            return True
        frame = frame.f_back
    return False


@functools.cache
def _whose(name: str) -> tuple[str, Literal["ours", "somebody's", "library's"]]:
    """A code's file without symbolic links, and whose it is; `<...>` is no file."""
    if name[:1] == "<":
        return name, "library's"
    path = Path(os.path.realpath(name))
    ours = any(path.is_relative_to(folder) for folder in OURS)
    return str(path), "ours" if ours else "somebody's" if is_somebodys(path) else "library's"


@functools.cache
def watch_opens() -> None:
    """Note from now on what somebody's code opens and imports; an audit hook stays for good."""
    is_somebodys(Path(os.devnull))  # asks for all folders, for which Python opens files, once
    sys.addaudithook(_hook)


@contextmanager
def heard(listener: Listener) -> Iterator[None]:
    """Tell of each event in the block that has to do with a file, a process or another machine."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def as_made(built: str | None = None) -> Iterator[None]:
    """What the block opens is opened each time a plug-in is imported, or that one is `built`."""
    global _making
    before, _making = _making, "imported" if built is None else f"built:{built}"
    try:
        yield
    finally:
        _making = before


def seen() -> frozenset[_Fact]:
    """All that was noted so far, for another process."""
    return frozenset(_seen)


def see_too(noted: Collection[_Fact]) -> None:
    """Note what another process has seen, as if it had been here."""
    _seen.update(noted)


def forget_versions() -> None:
    """From now on a file may be another than it was."""
    _seen.difference_update([fact for fact in tuple(_seen) if fact[0] == "version"])


def changed(paths: Iterable[Path]) -> set[Path]:
    """Those that are no longer what they were each time that they were there and opened."""
    now = {path: (_ABSENT, _version(path)) for path in paths}
    return {
        path
        for kind, path, version in tuple(_seen)
        if kind == "version" and path in now and version not in now[path]
    }


def _of(kind: str, whose: Iterable[Any]) -> set[Any]:
    wanted = set(whose)
    return {what for known, who, what in tuple(_seen) if known == kind and who in wanted}


def _version(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return _ABSENT
    return found.st_mtime_ns, found.st_size


def files_opened_by(sources: Iterable[Path], built: str | None = None) -> list[Path]:
    """Files that code of these sources has opened to read, and that it has not written itself.

    Also those that it asked for in vain. With a name, those alone that were opened as they were
    imported, or as what has it was built: other classes of a file move nobody's key.
    """

    def is_read(kind: str) -> bool:
        if built is None:
            return kind in ("opened", "imported") or kind.startswith("built:")
        return kind in ("imported", f"built:{built}")

    facts, whose = tuple(_seen), set(map(str, sources))
    read = {(who, path) for kind, who, path in facts if is_read(kind)}
    written = {(who, path) for kind, who, path in facts if kind == "written"}
    found = {path for who, path in read - written if who in whose}
    return sorted(filter(_counts, map(_source_of, found)))


def outside_of(sources: Iterable[Path]) -> list[str]:
    """What code of these sources did that nobody can hash."""
    return sorted(_of("outside", map(str, sources)))


def _source_of(path: Path) -> Path:
    try:
        return Path(importlib.util.source_from_cache(str(path)))
    except ValueError:
        return path


def _counts(path: Path) -> bool:
    in_vain = ("there", path, True) not in _seen and not path.exists()
    return (
        (path.is_file() or in_vain) and not str(path).startswith(_NO_FILES) and is_somebodys(path)
    )
