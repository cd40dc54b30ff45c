"""A table as values: what is displayed, and the numbers behind it."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bench.metrics.success import Spread
from bench.records.participants import AttackRecord

NA = "n/a"
RowKind = Literal["attack", "published", "section", "control", "victim", "claim"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column's heading, and the group of columns it stands under ("" for none)."""

    group: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One displayed row: its label (local classifiers and sCFA, or a name) and formatted cells."""

    kind: RowKind
    cells: tuple[str, ...]
    name: str = ""
    laac: tuple[str, ...] = ()
    scfa: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """What is displayed (`columns`, `rows`, `notes`) and the numbers behind it (`records`)."""

    number: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    records: tuple[dict[str, Any], ...]

    @property
    def caption(self) -> str:
        """Number and title."""
        return ". ".join(filter(None, (self.number, self.title)))

    @property
    def headings(self) -> list[str]:
        """Of its columns, each with its group's."""
        return [f"{column.group} {column.label}".strip() for column in self.columns]


def make_table(
    title: str,
    labels: Sequence[str | tuple[str, str]],
    rows: Iterable[Row],
    notes: Iterable[str],
    records: Iterable[dict[str, Any]],
    number: str = "",
) -> Table:
    """A table.

    Args:
        title: Above it.
        labels: Headings of its columns, or (group, heading).
        rows: What is displayed.
        notes: Below it.
        records: The numbers behind it, one a row of CSV and JSON.
        number: Before the title.
    """
    named = [("", label) if isinstance(label, str) else label for label in labels]
    return Table(
        number=number,
        title=title,
        columns=tuple(Column(group=group, label=label) for group, label in named),
        rows=tuple(rows),
        notes=tuple(notes),
        records=tuple(records),
    )


def kind_of(attack: AttackRecord) -> RowKind:
    """Of an attack's row."""
    return "control" if attack.control else "attack"


_NUMBER = re.compile(r"[-+−±]?[\d∞]")
_NEUTRAL = frozenset({"", NA, "–", "failed", "all", "nothing"})


def alignments(table: Table) -> tuple[Literal["left", "right"], ...]:
    """Of each column: words to the left, as the first one, and figures to the right."""
    shown = [row.cells for row in table.rows if row.kind != "section"]

    def is_text(cells: tuple[str, ...]) -> bool:
        words = [cell for cell in cells if cell not in _NEUTRAL]
        return bool(words) and not any(_NUMBER.match(word) for word in words)

    return ("left", *("left" if is_text(cells) else "right" for cells in zip(*shown, strict=True)))


def number(value: float | None, digits: int = 1) -> str:
    """A figure as it stands everywhere: rounded, `∞`, or `n/a` where undefined.

    68.75 is 68.8, also where it is a sum a hair below.
    """
    if value is None or math.isnan(value):
        return NA
    return "∞" if math.isinf(value) else f"{round(value, 6):.{digits}f}"


def percent(cell: Spread | None, *, scale: float = 1, digits: int = 1) -> str:
    """`94.6 ± 2.1`, or `n/a` where undefined; the spread of a single value is `n/a` too."""
    if cell is None:
        return NA
    std = None if cell.std is None else scale * cell.std
    return f"{number(scale * cell.mean, digits)} ± {number(std, digits)}"


def between(ends: Sequence[float] | None, *, scale: float = 100, digits: int = 1) -> str:
    """`82.4–87.0` of fractions, in per cent, or `n/a`."""
    return NA if ends is None else "–".join(number(scale * end, digits) for end in ends)
