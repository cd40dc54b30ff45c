"""A registry of frozen specs and the builders that make instances from them.

It never holds an instance or a weight. Built-ins and installed plug-ins arrive through entry
points, loaded at the first look-up; plug-in files register themselves through the decorators of
`bench.contract`. Duplicate names raise, unknown names raise with close matches.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar

from bench.sources.in_memory import shown_module
from bench.sources.opened import as_made, watch_opens
from bench.wording import unknown


class Named(Protocol):
    """What a registry needs to know of a spec: its unique kebab-case name."""

    @property
    def name(self) -> str: ...  # noqa: D102


SpecT = TypeVar("SpecT", bound=Named)
ThingT = TypeVar("ThingT")


@dataclass(frozen=True, kw_only=True)
class Entry(Generic[SpecT, ThingT]):
    """A spec, the builder that makes it real, and where it came from.

    Attributes:
        origin: `None` for what ships with camobench; else the module, entry point or file.
        traits: What a recipe makes of it, known without building it; where it is `None`, the thing
            itself has to be asked.
        installed: Whether a new process can know it, for it came by an entry point or from a file:
            what a script registers by a decorator is known to that script's process alone.
    """

    spec: SpecT
    builder: Callable[..., ThingT]
    origin: str | None = None
    traits: Callable[[Any], Any] | None = None
    installed: bool = False

    @property
    def maker(self) -> Any:
        """What its builder is, whatever constants that has."""
        builder: Any = self.builder
        while isinstance(builder, partial):
            builder = builder.func
        return builder


@dataclass(frozen=True)
class Deferred:
    """A builder at `package.module:name`, imported when it is called: to know a spec is cheap."""

    place: str

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Import and build."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)(*arguments, **options)


@dataclass(frozen=True, kw_only=True)
class Family(Generic[SpecT, ThingT]):
    """Entries made from their names where there are too many to list: every network of a library.

    Attributes:
        form: How such a name is written, for people.
        resolve: The entry of a name; `None` for one of another form. Raises `UnknownNameError`.
    """

    form: str
    resolve: Callable[[str], Entry[SpecT, ThingT] | None]


class UnknownNameError(LookupError):
    """A name that no registered spec has; the message lists close matches."""


class Registry(Generic[SpecT, ThingT]):
    """Specs of a kind ("attack", "victim") by name, in order of registration.

    Those of an entry-point group come at the first look-up. `as_entries` turns what is registered
    (a class, an `Entry`, a sequence) into entries.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        as_entries: Callable[[Any], Iterable[Entry[SpecT, ThingT]]],
    ) -> None:
        watch_opens()  # before anybody imports what is to be registered
        self.kind = kind
        self._group = group
        self._as_entries = as_entries
        self._entries: dict[str, Entry[SpecT, ThingT]] = {}
        self._families: list[Family[SpecT, ThingT]] = []
        self._loaded = False

    def add(self, thing: object, origin: str | None = None) -> None:
        """Register a class with a `spec`, an `Entry`, a sequence of them, or a `Family`.

        A class that is defined again, as by a notebook's cell that runs again, replaces itself.

        Raises:
            ValueError: If a name is taken.
            TypeError: If the object is none of these.
        """
        if isinstance(thing, Family):
            self._families.append(thing)
            return
        added: dict[str, Entry[SpecT, ThingT]] = {}
        for entry in self._as_entries(thing):
            name = entry.spec.name
            known = added.get(name) or self._entries.get(name)
            if known is not None and (name in added or not _same_class(known, entry)):
                raise ValueError(
                    f"{self.kind} {name!r} is registered already, as {_shown(known)}, and "
                    f"{_shown(entry)} is another: give one of the two another name in its spec, or "
                    "run them in turn"
                )
            added[name] = replace(entry, origin=entry.origin or origin, installed=False)
        self._entries.update(added)

    def get(self, name: str) -> Entry[SpecT, ThingT]:
        """The entry called `name`, else one of a family, else an `UnknownNameError`."""
        self._load()
        found = self._entries.get(name) or self._of_a_family(name)
        if found is not None:
            return found
        close = unknown(self.kind, name, self._entries)
        raise UnknownNameError(f"{close} `camobench list {self.kind}s` shows them all")

    def _of_a_family(self, name: str) -> Entry[SpecT, ThingT] | None:
        return next(filter(None, (family.resolve(name) for family in self._families)), None)

    def families(self) -> list[Family[SpecT, ThingT]]:
        """What has names beyond those of `names`."""
        self._load()
        return list(self._families)

    def __iter__(self) -> Iterator[Entry[SpecT, ThingT]]:
        self._load()
        return iter(tuple(self._entries.values()))

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._entries

    def is_own(self, name: str) -> bool:
        """Whether it ships with camobench; what nobody registered does not."""
        try:
            return self.get(name).origin is None
        except UnknownNameError:
            return False

    def is_installed(self, name: str) -> bool:
        """Whether a new process can know it; see `Entry`."""
        self._load()
        known = self._entries.get(name)
        return known.installed if known is not None else self._of_a_family(name) is not None

    def came_from_file(self, names: Iterable[str], origin: str) -> None:
        """Note that these entries were made by loading a plug-in file."""
        for name in names:
            self._entries[name] = replace(self._entries[name], origin=origin, installed=True)

    @contextmanager
    def during(self, entry: Entry[SpecT, ThingT], of: type | None = None) -> Iterator[None]:
        """Know an entry by its name inside the block; then what had that name before has it again.

        The name has to be free, or that of the same class: `of` what object the entry is made.

        Raises:
            ValueError: If the name is taken, as of `add`.
        """
        self._load()  # what is installed comes first, so that a name taken is this one's fault
        name = entry.spec.name
        before = self._entries.get(name)
        if before is not None and of and _same_class(before, replace(entry, builder=of)):
            self.forget([name])
        self.add(entry)
        try:
            yield
        finally:
            self.forget([name])
            if before is not None:
                self._entries[name] = before

    def forget(self, names: Iterable[str]) -> None:
        """Remove entries, so that a plug-in file that has changed can be loaded again."""
        for name in names:
            self._entries.pop(name, None)

    def names(self) -> list[str]:
        """All names in order of registration."""
        self._load()
        return list(self._entries)

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        points = sorted(entry_points(group=self._group), key=lambda p: (not _is_own(p), p.name))
        for point in points:
            own, before = _is_own(point), set(self._entries)
            try:
                with nullcontext() if own else as_made():
                    thing = point.load()
                self.add(thing, origin=None if own else point.value)
                for name in self._entries.keys() - before:  # what its module registers, too
                    self._entries[name] = replace(self._entries[name], installed=True)
            except (Exception, SystemExit) as error:
                if own:
                    self._loaded = False
                    self._entries.clear()
                    self._families.clear()
                    raise
                warnings.warn(
                    f"{self.kind} entry point {point.name!r} ({point.value}) is broken and was "
                    f"skipped: {error}",
                    stacklevel=3,
                )


def _same_class(known: Entry[Any, Any], entry: Entry[Any, Any]) -> bool:
    """Whether both are one class of a plug-in, as it was and as it is defined now."""
    pair = known.builder, entry.builder
    if known.origin is None or not all(isinstance(one, type) for one in pair):
        return False
    return len({(one.__module__, getattr(one, "__qualname__", "")) for one in pair}) == 1


def _is_own(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == "camobench"


def _shown(entry: Entry[Any, Any]) -> str:
    name = getattr(entry.maker, "__qualname__", None) or getattr(entry.maker, "place", entry.maker)
    return f"{name} ({shown_module(entry.origin)})" if entry.origin else str(name)
