"""The cells of a board: in the order of their means, by camera, and as CSV."""

import math
from collections.abc import Mapping
from itertools import product
from typing import Any, Literal

import pandas as pd

from bench.records.metric import MetricSpec, headline, row_values, views
from bench.records.run import RunData
from bench.report.leaderboard.standing import KINDS, Standing, Standings
from bench.report.pages.charts import Matrix
from bench.report.statistics import bias_of
from bench.report.tables.table import number
from bench.types import IN, SPLITS

View = tuple[str, MetricSpec]
Label = Literal["target", "source"]


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
    lines = []
    for split, found in standings.by_split.items():
        for one, victim in product(found, standings.board.run.victims):
            cells = {name: by_victim[victim.name] for name, by_victim in one.cells.items()}
            first = cells[headline().name]
            line: dict[str, Any] = {
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
    families = board.panel_run.families
    shown = sorted(views(standings.by_split), key=lambda view: view[1].needs, reverse=True)
    for split, metric in shown:
        label: Label = "target" if metric.needs == "target" else "source"
        rows = board.run.predictions[board.run.predictions["split"] == split]
        shares = success_by_label(rows, metric, label, families)
        scored = {name for name, _ in shares}
        cameras = [one for one in board.run.classes if one in {camera for _, camera in shares}]
        names = [n for one in standings.by_split[split] if (n := one.attack.name) in scored]
        lines = {
            name: tuple(number(100 * shares.get((name, camera), math.nan)) for camera in cameras)
            for name in names
        }
        title = f"{metric.title} by {label} camera, {SPLITS[split]}"
        columns = tuple(cameras)
        matrix = Matrix(title=title, about=title, corner="Attack", columns=columns, rows=lines)
        found.append(((split, metric), matrix))
    return found


def bias_matrices(run: RunData) -> list[tuple[str, Matrix]]:
    """By split, what victims say of untouched images of cameras that they do not know."""
    found = []
    for split in (split for split in run.splits if split != IN):
        shares = bias_of(run, split)
        title = f"What victims say of untouched images, {SPLITS[split]} (%)"
        rows = {str(name): tuple(map(number, row)) for name, row in shares.iterrows()}
        columns = tuple(map(str, shares.columns))
        matrix = Matrix(title=title, about=title, corner="Victim", columns=columns, rows=rows)
        found += [(split, matrix)] if rows else []
    return found


def success_by_label(
    rows: pd.DataFrame, metric: MetricSpec, label: Label, families: Mapping[str, str]
) -> dict[tuple[str, str], float]:
    """Mean success within each target or source label: over families of means over architectures.

    Args:
        rows: Prediction rows of one split.
        metric: Which success; rows without a target are left out of what needs one.
        label: By which camera.
        families: Victim name to family; other victims are left out.

    Returns:
        (attack, label) to a fraction; nothing where an attack has no row.
    """
    mine = rows[rows["victim"].isin(list(families)) & rows[label].notna()]
    if metric.needs == "target":
        mine = mine[mine["target"].notna()]
    scored = mine[["attack", label, "victim"]].astype(str)
    scored = scored.assign(
        family=scored["victim"].map(dict(families)), hit=row_values(mine, metric)
    )
    for by in (["family", "victim"], ["family"], []):
        scored = scored.groupby(["attack", label, *by])["hit"].mean().reset_index()
    return {(a, b): float(mean) for a, b, mean in scored.itertuples(index=False)}
