"""Plug-ins on their way to another process: files by their paths, objects by value."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import cloudpickle

from bench.contract import REGISTRIES
from bench.contract.plugin_files import (
    PluginFile,
    load_again,
    load_plugin_file,
    loaded_plugin_files,
)
from bench.jobs.job import Keys
from bench.jobs.opened_files import knows_makeup, stands_for_root
from bench.sources import makeup_of
from bench.sources.opened import files_opened_by, see_too, seen
from bench.types import CamobenchError


def pack(keys: Keys, *, whole: bool = False) -> bytes | None:
    """What another process needs to know the attacks and victims of a run; `None` if it knows them.

    With `whole`, what the files of plug-ins hold comes along, for a machine that may lack them.

    Raises:
        CamobenchError: If one cannot travel, such as a module that holds an open file.
    """
    named = {
        "attack": {**keys.attacks, **keys.known},
        "victim": {**keys.victims, **keys.surrogates},
    }
    files = [one for one in loaded_plugin_files() if set(one.names) & set(named[one.kind])]
    entries = []
    for kind, names in named.items():
        for name in names:
            registry = REGISTRIES[kind]
            if registry.is_installed(name):
                continue
            entry = registry.get(name)
            makeup = None if entry.origin is None else makeup_of(entry.builder)
            try:
                with _by_value([] if makeup is None else makeup.files):
                    entries.append((kind, cloudpickle.dumps((entry, makeup))))
            except Exception as error:  # whatever its own code raises
                raise CamobenchError(
                    f"{kind} {name} cannot go to a worker process ({error})"
                ) from error
    if not files and not entries:
        return None
    sources = {path for plugin in files for path in plugin.files if whole}
    behind = sources.union(filter(Path.is_file, files_opened_by(sources)))
    contents = {path: path.read_bytes() for path in behind}
    luggage: bytes = cloudpickle.dumps((files, contents, entries, seen()))
    return luggage


@contextmanager
def _by_value(modules: Iterable[str]) -> Iterator[None]:
    """Pickle what these modules define as it is here, whatever their files are by now."""
    known = [sys.modules[name] for name in modules if name in sys.modules and name != "__main__"]
    for module in known:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in known:
            cloudpickle.unregister_pickle_by_value(module)


def unpack(luggage: bytes | None) -> None:
    """Know here what `pack` was told of.

    Raises:
        CamobenchError: If a plug-in file has changed since.
    """
    if luggage is None:
        return
    files, contents, entries, noted = cloudpickle.loads(luggage)
    if all(path.is_file() and path.read_bytes() == one for path, one in contents.items()):
        see_too(noted)
        load_again(tuple(files))
    else:
        _load_away(files, contents)
    for kind, content in entries:
        entry, makeup = cloudpickle.loads(content)
        registry = REGISTRIES[kind]
        registry.forget([entry.spec.name])
        registry.add(entry)
        if makeup is not None:
            knows_makeup(entry, makeup)


def _load_away(plugins: Iterable[PluginFile], contents: Mapping[Path, bytes]) -> None:
    """Load plug-in files on a machine that has none of them, from a folder of their own."""
    folder = Path(tempfile.mkdtemp(prefix="camobench-plug-ins-")).resolve()
    stands_for_root(folder)
    for file, content in contents.items():
        away = folder / file.relative_to(file.anchor)
        away.parent.mkdir(parents=True, exist_ok=True)
        away.write_bytes(content)
    for plugin in plugins:
        path, _, name = plugin.text.rpartition(":")
        load_plugin_file(
            f"{folder / Path(path).relative_to(Path(path).anchor)}:{name}", plugin.kind
        )
