"""Where the code of plug-in attacks with rows in the store lies, so that new victims find them.

`plug-ins/SUITE/RECIPE-SEED/NAME.json` names the file of an attack and the digest of its sources.
Code that has changed since is not run: its rows would be another attack's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.contract import ATTACKS
from bench.contract.plugin_files import load_plugin_file, loaded_plugin_files
from bench.registry import Registry
from bench.sources.in_memory import shown_module
from bench.store import Store, file_digest, read_json, write_json
from bench.types import CamobenchError

if TYPE_CHECKING:
    from bench.runner.api import Request

FOLDER = "plug-ins"


def with_place(registry: Registry[Any, Any], name: str, start: Path) -> str:
    """A name and, unless it is camobench's own, the place of what has it, seen from `start`.

    An edited version of a class has its place; another object in memory has another.
    """
    entry = registry.get(name)
    if entry.origin is None:
        return name
    place = shown_module(entry.origin)
    if entry.origin == getattr(entry.builder, "__module__", None):  # handed over or decorated
        main = getattr(sys.modules["__main__"], "__file__", None)
        place = f"{(place == '__main__' and main) or place}:{entry.builder.__qualname__}"
    for file in loaded_plugin_files() if entry.source_sha256 else ():
        if file.kind == registry.kind and name in file.names:
            place = file.text
    if Path(place).is_absolute():
        place = os.path.relpath(place, start)
    return f"{name} ({place})"


def note_plugins(request: Request, store: Store, attacks: Iterable[str]) -> None:
    """Keep where the code of those attacks lies that are plug-ins; they have rows by now."""
    files = {name: one for one in loaded_plugin_files() for name in one.names}
    for name in attacks:
        if ATTACKS.is_own(name):
            continue
        text, sources, file_sha256 = None, None, None
        if name in files and files[name].kind == "attack":
            text, sources = files[name].text, files[name].sha256
            file_sha256 = file_digest(_file(text))
        record = {"attack": text, "sources_sha256": sources, "file_sha256": file_sha256}
        write_json(_folder(request, store) / f"{name}.json", record)


def recorded_plugins(request: Request, store: Store) -> tuple[list[str], dict[str, str]]:
    """Load the plug-in attacks that have rows for the request's suite, recipe and seed.

    Returns:
        Their names, and why others are left out, by name.
    """
    names, left = [], {}
    for path in sorted(_folder(request, store).glob("*.json")):
        if path.stem in request.attacks:
            continue
        record = read_json(path)
        reason = _load(path.stem, **record)
        if reason:
            left[path.stem] = reason
        else:
            names.append(path.stem)
    return names, left


def _load(
    name: str, attack: str | None, sources_sha256: str | None, file_sha256: str | None
) -> str:
    """Load one; returns why not, or ""."""
    again = "name it with --attack FILE.py:CLASS"
    if attack is None:
        if ATTACKS.is_installed(name):
            return ""
        return f"it was defined in a script or a notebook, not in a file of its own; {again}"
    file = _file(attack)
    if not file.is_file():
        return f"{file} is gone; {again}"
    changed = f"{file} has changed since it was scored; score it anew with --attack {attack}"
    if file_digest(file) != file_sha256:
        return changed
    try:
        found = load_plugin_file(attack, "attack")
    except CamobenchError as error:
        return str(error)
    return "" if found.sha256 == sources_sha256 and name in found.names else changed


def _file(attack: str) -> Path:
    return Path(attack.rpartition(":")[0])


def _folder(request: Request, store: Store) -> Path:
    card = request.source.card
    suite = store.data_folder(card.name, card.fingerprint).name
    return store.root / FOLDER / suite / f"{request.recipe}-{request.seed}"
