"""The cells of a board: in the order of their means, by camera, and as CSV."""

from itertools import product
from typing import Any

import pandas as pd

from bench.records.metric import MetricSpec, headline, views
from bench.report.leaderboard.standing import KINDS, Standing, Standings
from bench.report.pages.charts import Label, Matrix, matrix_of, success_by_label
from bench.types import SPLITS

View = tuple[str, MetricSpec]


def mean_order(standings: Standings, split: str, metric: MetricSpec) -> dict[str, int]:
    """Attack name to its place by what ranks it, highest first; over a part, then undefined, last.

    Where nothing else tells them apart, controls come last.
    """

    def order(one: Standing) -> tuple[bool, bool, float, int, str]:
        mean = one.success(metric.name)
        part = not one.complete and mean is not None
        return mean is None, part, -(mean or 0.0), KINDS.index(one.kind), one.attack.name

    found = sorted(standings.by_split[split], key=order)
    return {one.attack.name: place for place, one in enumerate(found)}


def cells_csv(standings: Standings) -> str:
    """Every cell of a board, one a line; empty where undefined or not scored."""
    lines: list[dict[str, Any]] = []
    for split, found in standings.by_split.items():
        for one, victim in product(found, standings.board.run.victims):
            cells = {name: by_victim[victim.name] for name, by_victim in one.cells.items()}
            first = cells[headline().name]
            line = {
                "attack": one.attack.name,
                "attack_key": one.attack.key,
                "victim": victim.name,
                "victim_key": victim.key,
                "split": split,
                "rows": first.rows,
                "expected": first.expected,
            }
            for name, cell in cells.items():
                line[f"{name}_percent"] = None if cell.value is None else round(cell.value, 6)
            lines.append(line)
    return pd.DataFrame(lines, dtype="object").to_csv(index=False, lineterminator="\n")


def camera_matrices(standings: Standings) -> list[tuple[View, Matrix]]:
    """Each metric by the camera that it needs, over the board's panel."""
    board, found = standings.board, []
    shown = sorted(views(standings.by_split), key=lambda view: view[1].needs, reverse=True)
    for split, metric in shown:
        label: Label = "target" if metric.needs == "target" else "source"
        rows = board.run.predictions[board.run.predictions["split"] == split]
        shares = success_by_label(rows, metric, label, board.panel_run.families)
        names = [n for one in standings.by_split[split] if (n := one.attack.name) in shares.index]
        cameras = [one for one in board.run.classes if one in shares.columns]
        title = f"{metric.title} by {label} camera, {SPLITS[split]}"
        matrix = matrix_of(100 * shares.reindex(index=names, columns=cameras), title, "Attack")
        found.append(((split, metric), matrix))
    return found
