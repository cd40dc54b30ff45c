"""Modules as this process has imported them, whatever their files have become since."""

from __future__ import annotations

import os
import sys
import time
import types
from contextlib import suppress
from pathlib import Path

from bench.types import CamobenchError

PACKAGES = "camobench_plugin_"
"""How the packages are called that plug-in files are loaded into, before the digest."""


def shown_module(name: str) -> str:
    """A module's name without that of the package that a plug-in file was loaded into."""
    return name.partition(".")[2] or "__init__" if name.startswith(PACKAGES) else name


_BEGAN = time.time()
_texts: dict[str, tuple[object, bytes]] = {}
"""Text of each module as its code began to run, with its spec: reloading gives it another."""


def note_run(file: Path, frame: types.FrameType) -> None:
    """Keep the text of a module that a loader runs in a frame, or in the one that called it."""
    for one in (frame, frame.f_back):
        module = one and one.f_locals.get("module")
        spec = module.__spec__ if isinstance(module, types.ModuleType) else None
        if spec is not None and os.path.realpath(str(spec.origin)) == str(file):
            with suppress(OSError):
                _texts[spec.name] = spec, file.read_bytes()
            return


def as_imported(name: str, file: Path) -> bytes:
    """Text of a module as this process has imported it; of its file now, if it has not.

    Raises:
        CamobenchError: If it was imported before anybody watched, and has been edited since.
    """
    module = sys.modules.get(name)
    spec, text = _texts.get(name, (None, b""))
    if module is None:
        return file.read_bytes()
    if spec is not None and spec is module.__spec__:
        return text
    if file.suffix == ".py" and file.stat().st_mtime > _BEGAN:
        raise CamobenchError(
            f"{file.name} has changed since this process imported it: reload it "
            "(`importlib.reload`), or start anew"
        )
    return file.read_bytes()
