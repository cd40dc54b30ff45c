"""Modules as this process has imported them, whatever their files have become since."""

from __future__ import annotations

import functools
import sys
import time
import types
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.types import CamobenchError

METHODS = (staticmethod, classmethod, property, functools.cached_property)
METHOD_PARTS = ("__func__", "func", "fget", "fset", "fdel")
"""Where they hold functions."""
PACKAGES = "camobench_plugin_"
"""How the packages are called that plug-in files are loaded into, before the digest."""


def shown_module(name: str) -> str:
    """A module's name without that of the package that a plug-in file was loaded into."""
    return name.partition(".")[2] or "__init__" if name.startswith(PACKAGES) else name


_BEGAN = time.time()
_run: dict[Path, dict[bytes, types.CodeType]] = {}
"""Code of each file that was run, by the text that the file had then; the last run comes last."""
_texts: dict[str, tuple[types.ModuleType, object, bytes]] = {}
"""Text of each imported module when it was first looked at; reloading gives it another spec."""


def note_run(file: Path, code: types.CodeType) -> None:
    """Keep the text of a module, whose code begins to run: nobody knows what its file becomes."""
    with suppress(OSError):
        runs, text = _run.setdefault(file, {}), file.read_bytes()
        runs.pop(text, None)
        runs[text] = code


def as_imported(name: str, file: Path) -> bytes:
    """Text of a module as this process has imported it; of its file now, if it has not.

    Raises:
        CamobenchError: If it was imported before anybody watched, and has been edited since.
    """
    module = sys.modules.get(name)
    if module is None:
        return file.read_bytes()
    known = _texts.get(name)
    if known is None or known[0] is not module or known[1] is not module.__spec__:
        known = _texts[name] = (module, module.__spec__, _text_in_memory(module, file))
    return known[2]


def _text_in_memory(module: types.ModuleType, file: Path) -> bytes:
    """The last text that was run and has the code of a module that is looked at the first time."""
    held = set(_held(vars(module)))
    fitting = [text for text, code in _run.get(file, {}).items() if held <= set(_codes(code))]
    if fitting:
        return fitting[-1]
    if file.suffix == ".py" and file.stat().st_mtime > _BEGAN:
        raise CamobenchError(
            f"{file.name} has changed since this process imported it: reload it "
            "(`importlib.reload`), or start anew"
        )
    return file.read_bytes()


def _held(space: Mapping[str, Any]) -> Iterator[types.CodeType]:
    """Code of a module's functions and of the methods of its classes."""
    waiting, seen = list(space.values()), set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, type):
            if one.__module__ == space.get("__name__") and one not in seen:
                seen.add(one)
                waiting += vars(one).values()
        elif isinstance(one, types.FunctionType):
            if one.__globals__ is space and one.__code__.co_filename[:1] != "<":
                yield one.__code__  # no dataclass's, which no file has
            waiting.append(vars(one).get("__wrapped__"))
        elif isinstance(one, METHODS):
            waiting += [getattr(one, part, None) for part in METHOD_PARTS]


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            yield from _codes(one)
