"""Some rows and columns of a table, and the best figure of each column."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from itertools import product

from bench.records.participants import PARTIAL
from bench.registry import UnknownNameError
from bench.report.tables.notes import MARK
from bench.report.tables.table import Column, Row, Table

_FIGURE = re.compile(r"[-+]?\d+(\.\d+)?")


def choose(
    tables: Sequence[Table],
    *,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    published: bool = True,
    bold_best: bool = False,
) -> list[Table]:
    """What is asked for of tables; their first column stays, a table without any of it goes.

    Args:
        tables: Of attacks.
        rows: Patterns of attacks' names; all for none.
        columns: Patterns of headings or labels, such as `TASR*` or `Mean`; all for none.
        published: Whether the paper's rows stay below those that do.
        bold_best: Mark the best attack, without controls, in each column with an arrow.

    Raises:
        UnknownNameError: If nothing in any of them fits a pattern.
    """
    ours = (row for table in tables for row in table.rows if row.kind in ("attack", "control"))
    _require("row", rows, map(_names, ours))
    _require("column", columns, (_headings(c) for table in tables for c in table.columns[1:]))
    found = [_chosen(table, rows, columns, published, bold_best) for table in tables]
    if not rows and not columns:
        return found
    return [table for table in found if table.rows and len(table.columns) > 1]


def _chosen(
    table: Table, rows: Sequence[str], columns: Sequence[str], published: bool, bold_best: bool
) -> Table:
    kept: list[Row] = []
    inside = True
    for row in table.rows:
        if row.kind != "published":
            inside = row.kind == "section" or _fits(_names(row), rows)
        if inside and (published or row.kind != "published"):
            if kept and kept[-1].kind == row.kind == "section":
                kept.pop()
            kept.append(row)
    if kept and kept[-1].kind == "section":
        kept.pop()
    places = [p for p, one in enumerate(table.columns) if not p or _fits(_headings(one), columns)]
    best = _best(table.columns, kept) if bold_best else set()
    return replace(
        table,
        columns=tuple(table.columns[place] for place in places),
        rows=tuple(
            replace(
                row,
                cells=tuple(row.cells[place - 1] for place in places[1:]),
                best=frozenset(now for now, place in enumerate(places) if (place, n) in best),
            )
            for n, row in enumerate(kept)
        ),
        records=tuple(one for one in table.records if _fits([str(one.get("attack"))], rows)),
    )


def _best(columns: Sequence[Column], rows: Sequence[Row]) -> set[tuple[int, int]]:
    """(column, row) of the highest or lowest figures, as the column's arrow says.

    Without those over a part of what the others are over.
    """
    found = set[tuple[int, int]]()
    for place, column in enumerate(columns[1:], start=1):
        arrow = re.search("[↑↓]", " ".join(column))
        if arrow is None or column.label == "95 %":
            continue
        figures = {
            number: float(figure[0]) * (1 if arrow[0] == "↑" else -1)
            for number, row in enumerate(rows)
            if row.kind == "attack"
            and not (MARK in row.cells[place - 1] or row.name.endswith(PARTIAL))
            and (figure := _FIGURE.match(row.cells[place - 1]))
        }
        if len(figures) > 1:
            found |= {(place, n) for n, one in figures.items() if one == max(figures.values())}
    return found


def _names(row: Row) -> list[str]:
    return [row.name, re.split(r"[:( ]", row.name)[0]]


def _headings(column: Column) -> list[str]:
    label, group = (re.sub("[↑↓]", "", one) for one in (column.label, column.group))
    plain = label.removeprefix("f*_")
    return [f"{group} {label}".strip(), f"{group} {plain}".strip(), label, plain]


def _fits(texts: Sequence[str], patterns: Sequence[str]) -> bool:
    pairs = product((text.lower() for text in texts), (one.lower() for one in patterns))
    return not patterns or any(fnmatch(text, pattern) for text, pattern in pairs)


def _require(kind: str, patterns: Sequence[str], known: Iterable[list[str]]) -> None:
    names = list(known)
    for pattern in patterns:
        if not any(_fits(texts, [pattern]) for texts in names):
            there = ", ".join(dict.fromkeys(texts[-1] for texts in names))
            raise UnknownNameError(f"no {kind} {pattern!r} in these tables: they have {there}")
