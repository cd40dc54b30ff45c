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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

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
_OPENING = ("open", "sqlite3.connect", "ctypes.dlopen")
_WRITES = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_NO_FILES = ("/proc", "/sys", "/dev")

Listener = Callable[[str, tuple[Any, ...]], None]
_listeners: list[Listener] = []
_opened: dict[str, dict[Path, bool]] = {}
_outside: dict[str, set[str]] = {}
_written: set[tuple[str, Path]] = set()
_versions: dict[Path, set[tuple[int, int]]] = {}
"""When each file had been written, and its size, whenever it was opened."""
_ABSENT = 0, -1
_was_there: dict[Path, bool] = {}
"""Whether each file was there any time that it was opened; others were asked for in vain."""
_building = 0


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "exec":
        _note_run(arguments[0])
    if event not in _OPENING and event not in OUTSIDE:
        return
    for listener in tuple(_listeners):
        listener(event, arguments)
    callers = _callers(sys._getframe(1))
    if event in OUTSIDE:
        for file in callers:
            _outside.setdefault(file, set()).add(OUTSIDE[event])
    elif callers and isinstance(arguments[0], str | bytes | os.PathLike):
        path = Path(os.path.abspath(os.fsdecode(arguments[0])))
        writes = event == "open" and bool((arguments[2] or 0) & _WRITES)
        _versions.setdefault(path, set()).add(_version(path))
        _was_there[path] = _was_there.get(path, False) or _version(path) != _ABSENT
        for file in callers:
            if writes:
                _written.add((file, path))
            opened = _opened.setdefault(file, {})
            opened[path] = opened.get(path, False) or _building > 0


def _note_run(code: object) -> None:
    """Note that a module of somebody's is imported, now or again."""
    if isinstance(code, CodeType) and code.co_name == "<module>":
        name = _resolved(code.co_filename)
        if name[:1] != "<" and is_somebodys(Path(name)):
            note_run(Path(name), code)


def _callers(frame: FrameType | None) -> list[str]:
    """Files of somebody's code that camobench has called and that is at work now."""
    found: list[str] = []
    inner: list[str] = []
    while frame is not None:
        name = _resolved(frame.f_code.co_filename)
        if _is_ours(name):
            found, inner = found + inner, []
        elif name[:1] != "<" and is_somebodys(Path(name)):
            inner.append(name)
        elif frame.f_code.co_name == "<module>" and not (found or inner):
            return []  # a library that is imported reads what it likes
        frame = frame.f_back
    aside = threading.current_thread() is not threading.main_thread()
    return found + inner if aside else found


@functools.cache
def _resolved(name: str) -> str:
    """A code's file without symbolic links; what is in no file is called `<...>`."""
    return name if name[:1] == "<" else os.path.realpath(name)


def _is_ours(name: str) -> bool:
    return name.startswith(tuple(f"{folder}{os.sep}" for folder in OURS))


@functools.cache
def watch_opens() -> None:
    """Note from now on what somebody's code opens and imports; an audit hook stays for good."""
    is_somebodys(Path(__file__))  # knows its folders before the hook asks
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
def as_built() -> Iterator[None]:
    """What the block opens is opened each time a plug-in is imported or built, before it runs."""
    global _building
    _building += 1
    try:
        yield
    finally:
        _building -= 1


def seen() -> tuple[Any, ...]:
    """All that was noted so far, for another process."""
    return _opened, _outside, _written, _versions, _was_there


def see_too(noted: tuple[Any, ...]) -> None:
    """Note what another process has seen, as if it had been here."""
    opened, outside, written, versions, was_there = noted
    for file, paths in opened.items():
        here = _opened.setdefault(file, {})
        here |= {path: here.get(path, False) or built for path, built in paths.items()}
    for file, told in outside.items():
        _outside.setdefault(file, set()).update(told)
    _written.update(written)
    for path, known in versions.items():
        _versions.setdefault(path, set()).update(known)
    for path, there in was_there.items():
        _was_there[path] = _was_there.get(path, False) or there


def forget_versions() -> None:
    """From now on a file may be another than it was."""
    _versions.clear()


def has_changed(path: Path) -> bool:
    """Whether a file is no longer what it was each time it was there and opened."""
    return bool(_versions.get(path, set()) - {_ABSENT, _version(path)})


def _version(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return _ABSENT
    return found.st_mtime_ns, found.st_size


def files_opened_by(sources: Iterable[Path], *, built: bool) -> list[Path]:
    """Files that code of these sources has opened to read, and that it has not written itself.

    Also those that it asked for in vain. Those that it opens as it is imported and `built`, or the
    others.
    """
    found = {
        _source_of(path)
        for source in sources
        for path, when in _opened.get(str(source), {}).items()
        if when == built and (str(source), path) not in _written
    }
    return sorted(path for path in found if _counts(path))


def outside_of(sources: Iterable[Path]) -> list[str]:
    """What code of these sources did that nobody can hash."""
    return sorted({told for source in sources for told in _outside.get(str(source), ())})


def _source_of(path: Path) -> Path:
    try:
        return Path(importlib.util.source_from_cache(str(path)))
    except ValueError:
        return path


def _counts(path: Path) -> bool:
    in_vain = not _was_there.get(path, True) and not path.exists()
    return (
        (path.is_file() or in_vain) and not str(path).startswith(_NO_FILES) and is_somebodys(path)
    )
