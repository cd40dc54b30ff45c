"""Attacks and victims in files of the user's: `my.py:MyAttack`.

A file is loaded as a module of a package of its own, rooted in the file's folder, so that
`from .net import G` works; the working directory never enters the import path. Several plug-in
files, even of the same name, live side by side. A file that has changed since is loaded anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import os
import sys
import traceback
import types
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contract.global_state import kept_global_state
from bench.contract.participant import Attack, Victim
from bench.contract.registration import REGISTRIES
from bench.contract.specs import AttackSpec, VictimSpec
from bench.registry import Entry
from bench.sources.imports import code_of
from bench.sources.in_memory import PACKAGES
from bench.sources.opened import as_made
from bench.store import file_digest
from bench.types import CamobenchError, WrongUsageError

SUFFIX = ".py"


@dataclass(frozen=True, kw_only=True)
class PluginFile:
    """What `my.py:MyAttack` gave.

    Attributes:
        text: The absolute path and the name in it; what another process loads.
        kind: "attack" or "victim".
        names: Registered by it: one, or several of a list of entries.
        files: SHA-256 of its sources, by path: itself, all that it imports of nobody else's.
    """

    text: str
    kind: str
    names: tuple[str, ...]
    files: Mapping[Path, str]


_loaded: dict[tuple[Path, str], PluginFile] = {}
_modules: dict[Path, types.ModuleType] = {}
_decorated: dict[Path, dict[str, set[str]]] = {}
"""What was registered while a file was imported, by kind."""
_versions = itertools.count()


def is_plugin_file(text: str) -> bool:
    """Whether a name is of the form `FILE.py:NAME`, or wants to be."""
    path, colon, _ = text.rpartition(":")
    return (bool(colon) and path.endswith(SUFFIX)) or text.endswith(SUFFIX)


def loaded_plugin_files() -> tuple[PluginFile, ...]:
    """All plug-in files of this process, for processes that it starts."""
    return tuple(_loaded.values())


def load_again(plugins: tuple[PluginFile, ...]) -> None:
    """Load in a new process what its parent has loaded.

    Raises:
        CamobenchError: If a file has changed since.
    """
    for plugin in plugins:
        if load_plugin_file(plugin.text, plugin.kind).files != plugin.files:
            raise CamobenchError(f"{plugin.text} has changed while it was run; run it again")


def load_plugin_file(text: str, kind: str | None = None) -> PluginFile:
    """Load `FILE.py:NAME` and register the attack or victim that it names.

    The name is that of a class, an `Entry` or a list; if `kind` is given, it is to be of that.

    Raises:
        WrongUsageError: If there is no such file or name, or it is of the other kind.
        CamobenchError: If the file cannot be imported, or its names are taken.
    """
    path, name = _split(text)
    stale = {
        file
        for (place, _), one in _loaded.items()
        if place == path
        for file, sha256 in one.files.items()
        if not (file.is_file() and file_digest(file) == sha256)
    }
    behind = {file for (file, _), one in _loaded.items() if stale & one.files.keys()}
    if path in behind:
        others = [place for place in _loaded if place[0] in behind and place != (path, name)]
        for file in behind:
            _forget(file, stale)
        for file, other in others:  # what else is in use is of the new version too, if it is there
            with suppress(WrongUsageError):
                load_plugin_file(f"{file}:{other}")
    if (path, name) not in _loaded:
        module, label = _import(path), f"{path.name}:{name}"
        thing = _named(module, name, path)
        found = _kind(thing, label)
        _loaded[path, name] = PluginFile(
            text=f"{path}:{name}",
            kind=found,
            files=code_of([module.__name__]).paths,
            names=_register(thing, found, label),
        )
    known = _loaded[path, name]
    if kind not in (None, known.kind):
        raise WrongUsageError(f"{text} is {known.kind} {known.names[0]}, no {kind}")
    return known


def _split(text: str) -> tuple[Path, str]:
    file, colon, name = text.rpartition(":")
    if not colon or not file.endswith(SUFFIX):
        file, name = text, ""
    path = Path(os.path.expanduser(file)).resolve()
    if not path.is_file():
        raise WrongUsageError(f"no plug-in file {file}: give its path from {Path.cwd()}")
    if not name:
        raise WrongUsageError(f"name the class in {file} too: {file}:MyAttack")
    return path, name


def _forget(path: Path, stale: Collection[Path]) -> None:
    """Make room for another version of a file, and of those that it imports."""
    for name, one in list(sys.modules.items()):
        if Path(getattr(one, "__file__", None) or "").resolve() in stale:
            del sys.modules[name]
            parent, _, tail = name.rpartition(".")
            vars(sys.modules.get(parent, one)).pop(tail, None)  # `from lib import a` finds it
    for key in [key for key in _loaded if key[0] == path]:
        old = _loaded.pop(key)
        REGISTRIES[old.kind].forget(old.names)
    for kind, names in _decorated.pop(path, {}).items():
        REGISTRIES[kind].forget(names)
    del _modules[path]


def _import(path: Path) -> types.ModuleType:
    if path in _modules:
        return _modules[path]
    place = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    package = f"{PACKAGES}{place}_{next(_versions)}"
    before = {kind: set(registry.names()) for kind, registry in REGISTRIES.items()}
    try:
        if (initial := path.parent / "__init__.py").is_file():
            _execute(package, initial, path.parent)
        else:
            sys.modules[package] = types.ModuleType(package, f"Plug-ins of {path.parent}.")
            sys.modules[package].__path__ = [str(path.parent)]
        _modules[path] = _execute(f"{package}.{path.stem.replace('.', '_')}", path)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a script that runs when it is imported
        for kind, names in before.items():
            REGISTRIES[kind].forget(set(REGISTRIES[kind].names()) - names)
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
        raise _explained(path, error) from error
    _decorated[path] = {
        kind: set(REGISTRIES[kind].names()) - names for kind, names in before.items()
    }
    return _modules[path]


def _execute(name: str, path: Path, folder: Path | None = None) -> types.ModuleType:
    places = None if folder is None else [str(folder)]
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=places)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with kept_global_state(), as_made():
        spec.loader.exec_module(module)
    return module


def _named(module: types.ModuleType, name: str, path: Path) -> Any:
    if hasattr(module, name):
        return getattr(module, name)
    there = [
        known
        for known, thing in vars(module).items()
        if isinstance(thing, type)
        and thing.__module__ == module.__name__
        and issubclass(thing, Attack | Victim)
    ]
    defined = ", ".join(there) or "no Attack and no Victim"
    raise WrongUsageError(f"{path.name} has no {name}: it defines {defined}")


def _kind(thing: Any, text: str) -> str:
    first = thing[0] if isinstance(thing, list | tuple) and thing else thing
    spec = first.spec if isinstance(first, Entry) else None
    for kind, base, spec_type in (("attack", Attack, AttackSpec), ("victim", Victim, VictimSpec)):
        if isinstance(spec, spec_type) or (isinstance(first, type) and issubclass(first, base)):
            return kind
    name = text.rpartition(":")[2]
    raise WrongUsageError(
        f"{text} is no Attack and no Victim: write `class {name}(camobench.Attack)` or "
        f"`class {name}(camobench.Victim)`, or name another class"
    )


def _register(thing: Any, kind: str, text: str) -> tuple[str, ...]:
    registry = REGISTRIES[kind]
    things = list(thing) if isinstance(thing, list | tuple) else [thing]
    names = tuple(e.spec.name for e in registry if any(e.builder is one for one in things))
    if not names:  # no decorator has registered it
        before = registry.names()
        try:
            registry.add(things)
        except (TypeError, ValueError) as error:
            raise CamobenchError(f"{text}: {error}") from error
        names = tuple(name for name in registry.names() if name not in before)
    registry.came_from_file(names, text)
    return names


def place_of(error: BaseException, folders: Collection[Path]) -> str:
    """File and line of the last code in some folders that led to an error; "" if none did."""
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame for frame in frames if Path(frame.filename).parent in folders]
    return f"{Path(mine[-1].filename).name} line {mine[-1].lineno}" if mine else ""


def _explained(path: Path, error: BaseException) -> CamobenchError:
    """One line: where in the user's own files, what, and the remedy."""
    where, reason, remedy = place_of(error, [path.parent]), " ".join(str(error).split()), "mend it"
    if isinstance(error, SyntaxError):
        where, reason = f"{Path(error.filename or path).name} line {error.lineno}", str(error.msg)
    elif isinstance(error, ModuleNotFoundError):
        remedy = "install it, or import a file beside this one as `from .net import ...`"
    return CamobenchError(f"{where or path.name}: {type(error).__name__}: {reason}; {remedy}")
