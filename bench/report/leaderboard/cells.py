"""The cells of a board: as texts with their colours, in the order of their means, and as CSV."""

import csv
import io

from bench.records.metric import MetricSpec, row_metrics
from bench.report.leaderboard.standing import KINDS, Cell, Standing, Standings

HOLE, UNDEFINED = "hole", "n/a"


def view_name(split: str, metric: MetricSpec) -> str:
    """What a metric in a split goes by on the pages: "tasr-in"."""
    return f"{metric.name}-{split}"


def number(value: float | None) -> str:
    """A rate in per cent, or `n/a`."""
    return UNDEFINED if value is None else f"{value:.1f}"


def cell_text(cell: Cell) -> str:
    """`84.6`, `84.6*` where some rows are missing, `hole` where all are, `n/a` where undefined."""
    if cell.hole:
        return HOLE
    return number(cell.value) + ("*" if cell.partial and cell.value is not None else "")


def mean_cell(one: Standing, metric: MetricSpec) -> str:
    """The mean in the heat map, starred where it is over a part alone."""
    value = one.record[f"{metric.name}_mean_percent"]
    return number(value) + ("" if one.complete or value is None else "*")


def level(text: str) -> str:
    """The class of colour of a rate's text: `l0` to `l10`, `hole` or `undefined`."""
    if text == HOLE:
        return "hole"
    try:
        return f"l{min(10, max(0, int(float(text.rstrip('*')) / 10 + 0.5)))}"
    except ValueError:
        return "undefined"


def mean_order(standings: Standings, split: str, metric: MetricSpec) -> dict[str, int]:
    """Attack name to its place by a mean, highest first; over a part, then undefined, last.

    Where nothing else tells them apart, controls come last.
    """

    def order(one: Standing) -> tuple[bool, bool, float, int, str]:
        mean = one.record[f"{metric.name}_mean_percent"]
        part = not one.complete and mean is not None
        return mean is None, part, -(mean or 0.0), KINDS.index(one.kind), one.attack.name

    found = sorted(standings.by_split[split], key=order)
    return {one.attack.name: place for place, one in enumerate(found)}


def cells_csv(standings: Standings) -> str:
    """Every cell of a board, one a line; empty where undefined or not scored."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    head = ("attack", "attack_key", "victim", "victim_key", "split", "rows", "expected")
    writer.writerow([*head, *(f"{metric.name}_percent" for metric in row_metrics())])
    for split, found in standings.by_split.items():
        for one in found:
            for victim in standings.board.run.victims:
                cells = [by_victim[victim.name] for by_victim in one.cells.values()]
                rates = ["" if cell.value is None else round(cell.value, 6) for cell in cells]
                keys = (one.attack.name, one.attack.key, victim.name, victim.key)
                writer.writerow([*keys, split, cells[0].rows, cells[0].expected, *rates])
    return stream.getvalue()
