"""A table as values: what is displayed, and the numbers behind it."""

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from bench.metrics.success import Spread

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


_NUMBER = re.compile(r"[-+−±]?[\d∞]")
_NEUTRAL = frozenset({"", NA, "–", "failed", "all", "nothing"})


def alignments(table: Table) -> tuple[Literal["left", "right"], ...]:
    """Of each column: words to the left, as the first one, and figures to the right."""
    shown = [row.cells for row in table.rows if row.kind != "section"]

    def is_text(cells: tuple[str, ...]) -> bool:
        words = [cell for cell in cells if cell not in _NEUTRAL]
        return bool(words) and not any(_NUMBER.match(word) for word in words)

    return ("left", *("left" if is_text(cells) else "right" for cells in zip(*shown, strict=True)))


def percent(cell: Spread | None, *, scale: float = 1, digits: int = 1) -> str:
    """`94.6 ± 2.1`, or `n/a` where undefined; the spread of a single value is `n/a` too."""
    if cell is None:
        return NA
    std = NA if cell.std is None else f"{scale * cell.std:.{digits}f}"
    return f"{scale * cell.mean:.{digits}f} ± {std}"


def plain(value: float | None, *, digits: int) -> str:
    """A number, `∞`, or `n/a` where undefined."""
    if value is None:
        return NA
    return "∞" if math.isinf(value) else f"{value:.{digits}f}"
