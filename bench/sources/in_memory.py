"""Modules as this process has imported them, whatever their files have become since."""

from __future__ import annotations

import functools
import sys
import time
import types
from collections.abc import Iterator, Mapping
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
_texts: dict[str, tuple[types.ModuleType, object, bytes]] = {}
"""Text of each imported module when it was first looked at; reloading gives it another spec."""


def as_imported(name: str, file: Path) -> bytes:
    """Text of a module as this process has imported it; of its file now, if it has not.

    Raises:
        CamobenchError: If it was edited after it was imported and before it was looked at.
    """
    module = sys.modules.get(name)
    if module is None:
        return file.read_bytes()
    known = _texts.get(name)
    if known is None or known[0] is not module or known[1] is not module.__spec__:
        known = _texts[name] = (module, module.__spec__, _text_in_memory(module, file))
    return known[2]


def _text_in_memory(module: types.ModuleType, file: Path) -> bytes:
    """Text of a module that is looked at for the first time.

    Raises:
        CamobenchError: If what was imported is another text, as after an edit in a notebook.
    """
    text = file.read_bytes()
    if file.suffix == ".py" and file.stat().st_mtime > _BEGAN:
        written = compile(text, str(file), "exec", dont_inherit=True)
        if not set(_held(vars(module))) <= set(_codes(written)):
            raise CamobenchError(
                f"{file.name} has changed since this process imported it: reload it "
                "(`importlib.reload`), or start anew"
            )
    return text


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


def changed() -> list[str]:
    """Modules that were looked at and whose files are others by now."""
    return [name for name in _texts if _changed(name)]


def _changed(name: str) -> bool:
    module, _, text = _texts[name]
    file = Path(str(module.__file__))
    return sys.modules.get(name) is module and not (file.is_file() and file.read_bytes() == text)
