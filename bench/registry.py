"""A registry of frozen specs and the builders that make instances from them.

It never holds an instance or a weight. Built-ins and installed plug-ins arrive through entry
points, loaded at the first look-up; plug-in files register themselves through the decorators of
`bench.contract`. Duplicate names raise, unknown names raise with close matches.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar

from bench.sources.in_memory import shown_module
from bench.sources.opened import watch_opens
from bench.wording import near


class Named(Protocol):
    """What a registry needs to know of a spec."""

    @property
    def name(self) -> str:
        """Unique kebab-case name."""


SpecT = TypeVar("SpecT", bound=Named)
ThingT = TypeVar("ThingT")


@dataclass(frozen=True, kw_only=True)
class Entry(Generic[SpecT, ThingT]):
    """A spec, the builder that makes it real, and where it came from.

    Attributes:
        origin: `None` for what ships with camobench; else the module, entry point or file.
        traits: What a recipe makes of it, known without building it; where it is `None`, the thing
            itself has to be asked.
    """

    spec: SpecT
    builder: Callable[..., ThingT]
    origin: str | None = None
    traits: Callable[[Any], Any] | None = None

    def is_made_by(self, cls: type) -> bool:
        """Whether a class is its builder."""
        return self.builder in (cls, Deferred(f"{cls.__module__}:{cls.__qualname__}"))


@dataclass(frozen=True)
class Deferred:
    """A builder that is imported when it is first called: to know a spec then imports no network.

    Attributes:
        place: `package.module:name`.
    """

    place: str

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Build."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)(*arguments, **options)


@dataclass(frozen=True, kw_only=True)
class Family(Generic[SpecT, ThingT]):
    """Entries made from their names where there are too many to list: every network of a library.

    Attributes:
        form: How such a name is written, for people.
        resolve: The entry of a name; `None` for a name that is none of the family's, and an
            `UnknownNameError` for one that would be but that nothing has.
    """

    form: str
    resolve: Callable[[str], Entry[SpecT, ThingT] | None]


class UnknownNameError(LookupError):
    """A name that no registered spec has; the message lists close matches."""


class Registry(Generic[SpecT, ThingT]):
    """Specs by name, in order of registration.

    Args:
        kind: What is registered, for messages ("attack", "victim").
        group: Entry-point group read at the first look-up.
        as_entries: Turns what is registered (a class, an `Entry`, a sequence) into entries.
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
        self._installed: set[str] = set()
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
            added[name] = replace(entry, origin=entry.origin or origin)
        self._entries.update(added)

    def get(self, name: str) -> Entry[SpecT, ThingT]:
        """Return the entry called `name`: a registered one, else one of a family.

        Raises:
            UnknownNameError: If there is none; names close matches.
        """
        self._load()
        if name in self._entries:
            return self._entries[name]
        made = self._of_a_family(name)
        if made is not None:
            return made
        close = near(name, self._entries)
        hint = f"did you mean {', '.join(close)}?" if close else "nothing registered is close."
        raise UnknownNameError(
            f"unknown {self.kind} {name!r}: {hint} `camobench list {self.kind}s` shows them all"
        )

    def _of_a_family(self, name: str) -> Entry[SpecT, ThingT] | None:
        made = (family.resolve(name) for family in self._families)
        return next((entry for entry in made if entry is not None), None)

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
        """Whether a new process can know it: it came by an entry point or from a plug-in file.

        What a script registers by a decorator is known to that script's process alone.
        """
        self._load()
        return name in self._installed or self._of_a_family(name) is not None

    def came_from_file(self, names: Iterable[str], origin: str) -> None:
        """Note that these entries were made by loading a plug-in file."""
        for name in names:
            self._entries[name] = replace(self._entries[name], origin=origin)
            self._installed.add(name)

    @contextmanager
    def during(self, entry: Entry[SpecT, ThingT], of: type | None = None) -> Iterator[None]:
        """Know an entry by its name inside the block; then what had that name before has it again.

        Args:
            entry: Whose name is free, or that of the same class.
            of: The class of an object that the entry is made of.

        Raises:
            ValueError: If the name is taken, as of `add`.
        """
        self._load()  # what is installed comes first, so that a name taken is this one's fault
        name = entry.spec.name
        before, installed = self._entries.get(name), name in self._installed
        if before is not None and of and _same_class(before, replace(entry, builder=of)):
            self.forget([name])
        self.add(entry)
        try:
            yield
        finally:
            self.forget([name])
            if before is not None:
                self._entries[name] = before
            if installed:
                self._installed.add(name)

    def forget(self, names: Iterable[str]) -> None:
        """Remove entries, so that a plug-in file that has changed can be loaded again."""
        for name in names:
            self._entries.pop(name, None)
            self._installed.discard(name)

    def names(self) -> list[str]:
        """All names in order of registration."""
        self._load()
        return list(self._entries)

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        for point in sorted(entry_points(group=self._group), key=_own_first):
            before = set(self._entries)
            try:
                self.add(point.load(), origin=None if _is_own(point) else point.value)
                self._installed |= self._entries.keys() - before
            except Exception as error:
                if _is_own(point):
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


def _own_first(point: EntryPoint) -> tuple[bool, str]:
    return (not _is_own(point), point.name)


def _shown(entry: Entry[Any, Any]) -> str:
    builder: Any = entry.builder
    while isinstance(builder, partial):
        builder = builder.func
    name = getattr(builder, "__qualname__", type(builder).__qualname__)
    return f"{name} ({shown_module(entry.origin)})" if entry.origin else str(name)
