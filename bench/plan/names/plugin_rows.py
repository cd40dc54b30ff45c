"""Where the code of plug-in attacks with rows in the store lies, so that new victims find them.

`plug-ins/SUITE/RECIPE-SEED/NAME-DIGEST8.json` names an attack's file and digests of its sources.
Code that has changed since is not run: its rows would be another attack's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.contract import ATTACKS
from bench.contract.plugin_files import load_plugin_file, loaded_plugin_files
from bench.registry import Registry
from bench.sources.in_memory import shown_module
from bench.store import Store, digest, file_digest, read_json, write_json
from bench.types import CamobenchError

if TYPE_CHECKING:
    from bench.plan.request import Request

FOLDER = "plug-ins"


def with_place(registry: Registry[Any, Any], name: str, start: Path) -> str:
    """A name and, unless it is camobench's own, the place of what has it, seen from `start`."""
    entry = registry.get(name)
    if entry.origin is None:
        return name
    place = shown_module(entry.origin)
    if entry.origin == getattr(entry.builder, "__module__", None):  # handed over or decorated
        main = getattr(sys.modules["__main__"], "__file__", None)
        place = f"{(place == '__main__' and main) or place}:{entry.builder.__qualname__}"
    for file in loaded_plugin_files():
        if (file.kind, Path(file.text).name) == (registry.kind, entry.origin):
            place = file.text
    if Path(place).is_absolute():
        place = os.path.relpath(place, start)
    return f"{name} ({place})"


def note_plugins(request: Request, store: Store, attacks: Iterable[str]) -> None:
    """Keep where the code of those attacks lies that are plug-ins; they have rows by now."""
    found = {
        name: one for one in loaded_plugin_files() if one.kind == "attack" for name in one.names
    }
    for name in attacks:
        if ATTACKS.is_own(name):
            continue
        text, files = None, {}
        if name in found:
            text = found[name].text
            files = {str(path): sha256 for path, sha256 in found[name].files.items()}
        path = _folder(request, store) / f"{name}-{digest([name, text])[:8]}.json"
        write_json(path, {"name": name, "attack": text, "files": files})


def recorded_plugins(request: Request, store: Store) -> tuple[list[str], dict[str, str]]:
    """Load the plug-in attacks that have rows for the request's suite, recipe and seed.

    Returns:
        Their names, and why others are left out, by name.
    """
    names, left = [], dict[str, str]()
    records = [read_json(path) for path in sorted(_folder(request, store).glob("*.json"))]
    for record in sorted(records, key=lambda one: one["attack"] is not None):
        name = record["name"]
        if name in request.attacks:
            continue
        reason = _load(**record)
        if reason:
            left[name] = "; ".join(filter(None, [left.get(name), reason]))
        else:
            names.append(name)
    return list(dict.fromkeys(names)), left


def _load(name: str, attack: str | None, files: Mapping[str, str]) -> str:
    """Load one; returns why not, or ""."""
    again = "name it with --attack FILE.py:CLASS"
    if attack is None:
        if ATTACKS.is_installed(name):
            return ""
        return f"it was defined in a script or a notebook, not in a file of its own; {again}"
    for file in map(Path, files):
        if not file.is_file():
            return f"{file} is gone; {again}"
        if file_digest(file) != files[str(file)]:
            return f"{file} has changed since it was scored; score it anew with --attack {attack}"
    try:
        found = load_plugin_file(attack, "attack")
    except CamobenchError as error:
        return str(error)
    return "" if name in found.names else f"{attack} is another attack now; {again}"


def _folder(request: Request, store: Store) -> Path:
    card = request.source.card
    suite = store.data_folder(card.name, card.fingerprint).name
    return store.root / FOLDER / suite / f"{request.recipe}-{request.seed}"
