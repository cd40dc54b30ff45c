"""Success by target and by source camera: where an attack works and where it does not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from bench.records.metric import MetricSpec, row_values, views
from bench.report.leaderboard.cells import number
from bench.report.leaderboard.standing import Standings
from bench.types import SPLITS

Label = Literal["target", "source"]


@dataclass(frozen=True, kw_only=True)
class Shares:
    """A rate by camera: each attack's texts (per cent), in the order of `labels`."""

    title: str
    split: str
    metric: MetricSpec
    labels: tuple[str, ...]
    rows: dict[str, tuple[str, ...]]


def build_shares(standings: Standings) -> tuple[Shares, ...]:
    """Each metric by the camera that it needs, over the board's panel."""
    board = standings.board
    families = {victim.name: victim.family for victim in board.panel_run.victims}
    found = []
    shown = sorted(views(standings.by_split), key=lambda view: view[1].needs, reverse=True)
    for split, metric in shown:
        label: Label = "target" if metric.needs == "target" else "source"
        rows = board.run.predictions
        shares = success_by_label(rows[rows["split"] == split], metric, label, families)
        present = {name for _, name in shares}
        labels = tuple(name for name in board.run.classes if name in present)
        lines = {}
        for name in (one.attack.name for one in standings.by_split[split]):
            values = [shares.get((name, camera)) for camera in labels]
            if any(value is not None for value in values):
                lines[name] = tuple(number(None if v is None else 100 * v) for v in values)
        found.append(
            Shares(
                title=f"{metric.title} by {label} camera, {SPLITS[split]}",
                split=split,
                metric=metric,
                labels=labels,
                rows=lines,
            )
        )
    return tuple(found)


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
    scored = pd.DataFrame(
        {
            "attack": mine["attack"].astype(str),
            "label": mine[label].astype(str),
            "victim": mine["victim"].astype(str),
            "hit": row_values(mine, metric),
        }
    )
    by_victim = scored.groupby(["attack", "label", "victim"])["hit"].mean().reset_index()
    by_victim["family"] = by_victim["victim"].map(dict(families))
    by_family = by_victim.groupby(["attack", "label", "family"])["hit"].mean().reset_index()
    means = by_family.groupby(["attack", "label"])["hit"].mean().reset_index()
    pairs = zip(means["attack"], means["label"], strict=True)
    return dict(zip(pairs, means["hit"].astype(float).tolist(), strict=True))
