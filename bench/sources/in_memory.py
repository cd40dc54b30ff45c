"""Modules as this process has imported them, whatever their files have become since."""

from __future__ import annotations

import functools
import sys
import time
import types
from contextlib import suppress
from pathlib import Path

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
_run: dict[Path, bytes] = {}
"""Text of the file of each module when its code was last run."""
_texts: dict[str, tuple[types.ModuleType, object, bytes]] = {}
"""Text of each imported module when it was first looked at; reloading gives it another spec."""


def note_run(file: Path) -> None:
    """Keep the text of a module, whose code begins to run: nobody knows what its file becomes."""
    with suppress(OSError):
        _run[file] = file.read_bytes()


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
        if file not in _run and file.suffix == ".py" and file.stat().st_mtime > _BEGAN:
            raise CamobenchError(
                f"{file.name} has changed since this process imported it: reload it "
                "(`importlib.reload`), or start anew"
            )
        known = _texts[name] = (module, module.__spec__, _run.get(file) or file.read_bytes())
    return known[2]
