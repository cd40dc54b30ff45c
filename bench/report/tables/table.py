"""A table as values: what is displayed, and the numbers behind it."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, NamedTuple, TypeVar

from bench.metrics.resampling import Figure
from bench.records.participants import AttackRecord
from bench.records.run import RunData
from bench.types import SPLITS

NA = "n/a"
RowKind = Literal["attack", "published", "section", "control", "victim", "claim"]
Heading = str | tuple[str, str]
"""Of a column: its label, or (group, label)."""
ThingT = TypeVar("ThingT")
Shown = Sequence[tuple[Heading, Callable[[ThingT], str]]]
"""Columns, each by its heading and what it shows of a thing; the first shows the row's name."""


class Column(NamedTuple):
    """A column's heading, and the group of columns it stands under ("" for none)."""

    group: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One displayed row: its label (local classifiers and sCFA, or a name) and formatted cells.

    Attributes:
        best: Places of columns in which no other attack is better; see `choosing`.
    """

    kind: RowKind
    cells: tuple[str, ...]
    name: str = ""
    laac: tuple[str, ...] = ()
    scfa: bool = False
    best: frozenset[int] = frozenset()


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
    headings: Iterable[Heading],
    rows: Iterable[Row],
    notes: Iterable[str],
    records: Iterable[dict[str, Any]],
    number: str = "",
) -> Table:
    """A table; of its `records`, each is a row of CSV and JSON, with unrounded numbers."""
    named = (("", one) if isinstance(one, str) else one for one in headings)
    return Table(
        number=number,
        title=title,
        columns=tuple(Column(*one) for one in named),
        rows=tuple(rows),
        notes=tuple(notes),
        records=tuple(records),
    )


def table_of(
    title: str,
    columns: Shown[ThingT],
    things: Iterable[ThingT],
    notes: Iterable[str],
    records: Iterable[dict[str, Any]],
    *,
    kind: RowKind = "claim",
) -> Table:
    """A table with a row for each of some things, all of one kind."""
    named, *others = (show for _, show in columns)
    rows = (
        Row(kind=kind, name=named(one), cells=tuple(show(one) for show in others)) for one in things
    )
    return make_table(title, (heading for heading, _ in columns), rows, notes, records)


def section(name: str, width: int) -> Row:
    """The heading of the rows below it, over `width` columns."""
    return Row(kind="section", name=name, cells=("",) * (width - 1))


def attack_table(
    title: str,
    headings: Sequence[Heading],
    rows: Iterable[tuple[str, AttackRecord, Sequence[str]]],
    notes: Iterable[str],
    records: Iterable[dict[str, Any]],
) -> Table:
    """A table with a row for each attack, below a heading for each split.

    Args:
        title: Of the table.
        headings: The first is of the attacks.
        rows: Split, attack and cells.
        notes: Below it.
        records: As of `make_table`.
    """
    below: list[Row] = []
    for split, mine in groupby(rows, key=lambda one: one[0]):
        below.append(section(SPLITS[split].capitalize(), len(headings)))
        below += [
            Row(kind=kind_of(who), name=who.marked, cells=tuple(said)) for _, who, said in mine
        ]
    return make_table(title, headings, below, notes, records)


def kind_of(attack: AttackRecord) -> RowKind:
    """Of an attack's row."""
    return "control" if attack.control else "attack"


_NUMBER = re.compile(r"[-+−±]?[\d∞]")
_NEUTRAL = frozenset({"", NA, "–", "failed", "all", "nothing"})


def alignments(table: Table) -> tuple[Literal["left", "right"], ...]:
    """Of each column: words to the left, as the first one, and figures to the right."""
    shown = [row.cells for row in table.rows if row.kind != "section"]
    columns = [*zip(*shown, strict=True)] or [()] * (len(table.columns) - 1)

    def is_text(cells: tuple[str, ...]) -> bool:
        words = [cell for cell in cells if cell not in _NEUTRAL]
        return bool(words) and not any(_NUMBER.match(word) for word in words)

    return ("left", *("left" if is_text(cells) else "right" for cells in columns))


def number(value: float | None, digits: int = 1) -> str:
    """A figure as it stands everywhere: rounded, `∞`, or `n/a` where undefined.

    68.75 is 68.8, also where it is a sum a hair below.
    """
    if value is None or math.isnan(value):
        return NA
    return "∞" if math.isinf(value) else f"{round(value, 6):.{digits}f}"


def signed(value: float | None) -> str:
    """A difference, rounded as every figure: `+1.5`, or `n/a` where undefined."""
    text = number(value)
    return text if text == NA or text.startswith("-") else f"+{text}"


def between(low: float | None, high: float | None, digits: int = 1) -> str:
    """`82.4–87.0`, or `n/a`."""
    return NA if low is None else f"{number(low, digits)}–{number(high, digits)}"


def with_ends(figure: Figure, digits: int = 1) -> str:
    """`84.6 (82.4–87.0)`, the value alone where it has no interval, or `n/a`."""
    value, ends = figure
    if value is None:
        return NA
    return number(value, digits) + (f" ({between(*ends, digits)})" if ends else "")


def ends_record(name: str, figure: Figure, unit: str = "") -> dict[str, float | None]:
    """A figure in a record: `tpr_percent`, `tpr_low_percent` and `tpr_high_percent`."""
    value, ends = figure
    low, high = ends or (None, None)
    return {f"{name}{unit}": value, f"{name}_low{unit}": low, f"{name}_high{unit}": high}


def attack_head(run: RunData, split: str, attack: AttackRecord) -> dict[str, Any]:
    """What a record of one attack in one split begins with."""
    return {
        "suite": run.suite,
        "split": split,
        "attack": attack.name,
        "attack_key": attack.key,
        "control": "yes" if attack.control else "no",
    }
