"""Small types that every layer shares."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, is_dataclass
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

SetName: TypeAlias = Literal["A", "B", "C", "D"]
SETS: tuple[SetName, ...] = ("A", "B", "C")
"""What every suite has; Set-D is made beside them where a victim asks for it."""
ALL_SETS: tuple[SetName, ...] = (*SETS, "D")
Split: TypeAlias = Literal["in", "out", "real"]
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

IN: Split = "in"
OUT: Split = "out"
REAL: Split = "real"
SPLITS: Mapping[str, str] = {
    IN: "in distribution",
    OUT: "out of distribution",
    REAL: "on real photographs",
}
"""The parts of Set-C and how prose names them. The last two are of models that are no classes; not
every suite has the last."""
SILENT_DEFAULT: Mapping[str, bool] = {"silent default": True}
"""Metadata of a dataclass field that `as_json` leaves out while it holds its default: what is added
to a recipe or a spec later does not change the keys of those that do not use it."""


class CamobenchError(Exception):
    """Something the user can mend; the message names the thing and the remedy."""


class WrongUsageError(CamobenchError):
    """An argument that cannot be meant; the command line ends with 2."""


class StoppingError(CamobenchError):
    """Trouble of the machine or the store, which stops all work and is no participant's fault."""


ThingT = TypeVar("ThingT")


class Progress(Protocol):
    """How long work tells how far it is; implemented by the command line."""

    def start(self, label: str, total: int, done: int = 0) -> None:
        """Begin a task of `total` units, `done` of them by an earlier run: no time of this one."""

    def advance(self, units: int = 1, **figures: float) -> None:
        """Report `units` done and the current figures (losses, accuracies)."""

    def finish(self) -> None:
        """End the task."""

    def fork(self) -> Progress:
        """A progress for a task beside this one."""


class Silent:
    """A progress that says nothing."""

    def start(self, label: str, total: int, done: int = 0) -> None:
        """Ignore the start of a task."""

    def advance(self, units: int = 1, **figures: float) -> None:
        """Ignore units done."""

    def finish(self) -> None:
        """Ignore the end of a task."""

    def fork(self) -> Silent:
        """Say nothing beside it either."""
        return self


SILENT = Silent()


def tracked(things: Collection[ThingT], label: str, progress: Progress) -> Iterator[ThingT]:
    """Go through things one by one, and tell of each that is done with."""
    progress.start(label, len(things))
    for one in things:
        yield one
        progress.advance()
    progress.finish()


@dataclass(frozen=True, kw_only=True)
class FitReport:
    """What a training run has to say: final figures, and curves of (step, value)."""

    figures: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    seconds: float = 0.0


def as_json(value: Any) -> Json:
    """Turn dataclasses, enums, tuples and mappings into plain JSON values.

    Raises:
        TypeError: If a value has no JSON form.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, enum.Enum):
        return as_json(value.value)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name)) for f in fields(value) if _said(value, f)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [as_json(item) for item in items]
    if getattr(value, "ndim", None) == 0 and type(value.item()) is not type(value):
        return as_json(value.item())  # a number of NumPy's or torch's
    raise TypeError(f"no JSON form for {type(value).__name__}: {value!r}")


def _said(value: Any, field_: Field[Any]) -> bool:
    silent = SILENT_DEFAULT.items() <= field_.metadata.items()
    return not (silent and getattr(value, field_.name) == field_.default)
