"""Attacks and victims as Python hands them over: names, classes, instances, plain modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, TypeAlias

from torch import nn

from bench.contract import ATTACKS, VICTIMS
from bench.contract.given import given_entry
from bench.plan.names.selection import select_attacks, select_victims
from bench.registry import Registry
from bench.types import WrongUsageError

One: TypeAlias = str | type | nn.Module | Mapping[str, type | nn.Module]
Wanted: TypeAlias = One | Iterable[One]


@contextmanager
def names_of(kind: Literal["attack", "victim"], wanted: Wanted) -> Iterator[tuple[str, ...]]:
    """Names of attacks or victims, which are registered inside the block.

    Raises:
        WrongUsageError: If something is neither, or its name is taken.
        UnknownNameError: If a name is not registered.
    """
    registry: Registry[Any, Any] = ATTACKS if kind == "attack" else VICTIMS
    select: Callable[[str], list[str]] = select_attacks if kind == "attack" else select_victims
    with ExitStack() as stack:
        names: list[str] = []
        for name, part in _parts(wanted):
            if isinstance(part, str):
                names += select(part)
                continue
            known = [e.spec.name for e in registry if isinstance(part, type) and e.is_made_by(part)]
            if known and name in (None, *known):
                names += known
                continue
            entry = given_entry(kind, part, name)
            if entry.spec.name in names:
                raise WrongUsageError(
                    f'two are called {entry.spec.name!r}: name one, as in {{"my-{kind}": it}}'
                )
            try:
                stack.enter_context(registry.during(entry, of=type(part)))
            except ValueError as error:
                raise WrongUsageError(f'{error}, as in {{"my-{kind}": it}}') from error
            names.append(entry.spec.name)
        yield tuple(dict.fromkeys(names))


def _parts(wanted: Wanted) -> Iterator[tuple[str | None, Any]]:
    alone = isinstance(wanted, str | type | nn.Module | Mapping) or not isinstance(wanted, Iterable)
    for part in [wanted] if alone else wanted:  # type: ignore[union-attr]
        if isinstance(part, Mapping):
            yield from part.items()
        else:
            yield None, part
