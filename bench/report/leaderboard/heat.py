"""The attack x victim heat map as values, and every cell of it as CSV."""

import csv
import io
from dataclasses import dataclass
from itertools import groupby

from bench.metrics.success import Measure, clean_accuracy
from bench.report.leaderboard.boards import Board
from bench.report.leaderboard.standing import KINDS, VIEWS, Cell, Standing, Standings
from bench.report.records import VictimInfo

HOLE, UNDEFINED = "hole", "n/a"


@dataclass(frozen=True, kw_only=True)
class HeatRow:
    """One attack: its texts by view ("tasr-in") under each victim, its mean, and its place."""

    name: str
    slug: str
    kind: str
    mean: dict[str, str]
    cells: tuple[dict[str, str], ...]
    order: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """Attacks by victims; `families` are the groups of columns and `clean` their accuracies."""

    victims: tuple[VictimInfo, ...]
    families: tuple[tuple[str, int], ...]
    clean: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    views: tuple[str, ...]


def build_heat_map(standings: Standings, slug_of: dict[str, str]) -> HeatMap:
    """All attacks, in the order of their standing in the first split.

    Args:
        standings: Of the board.
        slug_of: Attack name to that of its page.
    """
    board = standings.board
    views = [(measure, split) for measure, split in VIEWS if split in standings.by_split]
    order = next(iter(standings.by_split.values()))
    by_view = {
        split: {s.attack.name: s for s in found} for split, found in standings.by_split.items()
    }
    orders = {f"{m}-{s}": mean_order(standings, m, s) for m, s in views}
    rows = []
    for one in order:
        name = one.attack.name
        mean = {}
        cells: list[dict[str, str]] = [{} for _ in board.run.victims]
        for measure, split in views:
            standing = by_view[split][name]
            view = f"{measure}-{split}"
            value = standing.record[f"{measure}_mean_percent"]
            mean[view] = number(value) + ("" if standing.complete or value is None else "*")
            for place, victim in enumerate(board.run.victims):
                cells[place][view] = cell_text(standing.cells[measure][victim.name])
        rows.append(
            HeatRow(
                name=name,
                slug=slug_of[name],
                kind=one.kind,
                mean=mean,
                cells=tuple(cells),
                order={view: places[name] for view, places in orders.items()},
            )
        )
    accuracy = clean_accuracy(board.run.predictions)["accuracy"]
    return HeatMap(
        victims=board.run.victims,
        families=tuple(
            (family, len(list(members)))
            for family, members in groupby(board.run.victims, lambda victim: victim.family)
        ),
        clean=tuple(
            number(100 * float(accuracy[v.name])) if v.name in accuracy.index else UNDEFINED
            for v in board.run.victims
        ),
        rows=tuple(rows),
        views=tuple(f"{measure}-{split}" for measure, split in views),
    )


def mean_order(standings: Standings, measure: Measure, split: str) -> dict[str, int]:
    """Attack name to its place by a mean, highest first; over a part, then undefined, last.

    Where nothing else tells them apart, controls come last.
    """
    means = {s.attack.name: s.record[f"{measure}_mean_percent"] for s in standings.by_split[split]}
    part = {s.attack.name: not s.complete for s in standings.by_split[split]}
    kind = {s.attack.name: KINDS.index(s.kind) for s in standings.by_split[split]}

    def order(name: str) -> tuple[bool, bool, float, int, str]:
        mean = means[name]
        undefined = mean is None
        return undefined, part[name] and not undefined, -(mean or 0.0), kind[name], name

    names = sorted(means, key=order)
    return {name: place for place, name in enumerate(names)}


def cell_text(cell: Cell) -> str:
    """`84.6`, `84.6*` where some rows are missing, `hole` where all are, `n/a` where undefined."""
    if cell.hole:
        return HOLE
    return number(cell.value) + ("*" if cell.partial and cell.value is not None else "")


def number(value: float | None) -> str:
    """A rate in per cent, or `n/a`."""
    return UNDEFINED if value is None else f"{value:.1f}"


def level(text: str) -> str:
    """The class of colour of a rate's text: `l0` to `l10`, `hole` or `undefined`."""
    if text == HOLE:
        return "hole"
    try:
        return f"l{min(10, max(0, int(float(text.rstrip('*')) / 10 + 0.5)))}"
    except ValueError:
        return "undefined"


def cells_csv(standings: Standings) -> str:
    """Every cell of a board, one a line; empty where undefined or not scored."""
    board: Board = standings.board
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    head = ("attack", "attack_key", "victim", "victim_key", "split", "rows", "expected")
    writer.writerow([*head, "tasr_percent", "uasr_percent"])
    keys = {victim.name: victim.key for victim in board.run.victims}
    for split, found in standings.by_split.items():
        for one in found:
            for victim in keys:
                writer.writerow(_line(one, victim, keys[victim], split))
    return stream.getvalue()


def _line(one: Standing, victim: str, key: str, split: str) -> list[object]:
    tasr, uasr = one.cells["tasr"][victim], one.cells["uasr"][victim]
    rates = ["" if c.value is None else round(c.value, 6) for c in (tasr, uasr)]
    head = [one.attack.name, one.attack.key, victim, key, split, tasr.rows, tasr.expected]
    return [*head, *rates]
