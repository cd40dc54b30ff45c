"""Matrices of rates and small bar charts; the templates draw them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from bench.metrics.success import confusion
from bench.records.metric import MetricSpec, row_values
from bench.records.run import RunData
from bench.report.pages.scatter import nice_ticks
from bench.report.statistics import Clean, attack_rows, bias_of
from bench.report.tables.table import number
from bench.types import IN, SPLITS

Label = Literal["target", "source"]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar in a box of 100 x 40, and what it says."""

    x: float
    width: float
    height: float
    title: str
    opacity: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Rates in per cent as texts: columns, and rows by name.

    Attributes:
        about: Of the whole, for who does not see it.
        corner: Heading of the rows' names.
        groups: Name and width of each group of columns, whose names are then set upright.
    """

    title: str
    about: str
    corner: str
    columns: tuple[str, ...]
    rows: dict[str, tuple[str, ...]]
    groups: tuple[tuple[str, int], ...] = ()


def matrix_of(
    percent: pd.DataFrame,
    title: str,
    corner: str,
    about: str = "",
    groups: tuple[tuple[str, int], ...] = (),
) -> Matrix:
    """A matrix of a frame's figures, under the names of its columns and rows."""
    lines = zip(percent.index, percent.to_numpy(dtype=np.float64), strict=True)
    return Matrix(
        title=title,
        about=about or title,
        corner=corner,
        columns=tuple(map(str, percent.columns)),
        rows={str(name): tuple(map(number, figures)) for name, figures in lines},
        groups=groups,
    )


def confusion_matrices(run: RunData, split: str, attack: str) -> list[Matrix]:
    """What victims say of each target and of each source camera; none without rows."""
    rows, labels = attack_rows(run, "predictions", attack, split), get_args(Label)
    tables = {label: 100 * confusion(rows, label, run.classes) for label in labels}
    about, where = "Per cent of each row, pooled over the victims", SPLITS[split]
    return [
        matrix_of(found, f"What victims say by {label} camera, {where}", f"{label} camera", about)
        for label, found in tables.items()
        if len(found)
    ]


def bias_matrices(run: RunData) -> list[tuple[str, Matrix]]:
    """By split, what victims say of untouched images of cameras that they do not know."""
    shares = {split: bias_of(run, split) for split in run.splits if split != IN}
    said = "What victims say of untouched images"
    return [
        (split, matrix_of(found, f"{said}, {SPLITS[split]} (%)", "Victim"))
        for split, found in shares.items()
        if len(found)
    ]


def success_by_label(
    rows: pd.DataFrame, metric: MetricSpec, label: Label, families: Mapping[str, str]
) -> pd.DataFrame:
    """Mean success within each target or source label: over families of means over architectures.

    Returns:
        Fractions of one split's rows: an attack a row, a label a column; NaN where it has none.
    """
    mine = rows[rows["victim"].isin(list(families)) & rows[label].notna()]
    if metric.needs == "target":
        mine = mine[mine["target"].notna()]
    scored = mine[["attack", label, "victim"]].astype(str)
    family = scored["victim"].map(dict(families))
    means = scored.assign(family=family, hit=row_values(mine, metric))
    for by in (["family", "victim"], ["family"], []):
        means = means.groupby(["attack", label, *by])["hit"].mean().reset_index()
    return means.pivot(index="attack", columns=label, values="hit")


def histogram(values: Iterable[float], unit: str, bins: int = 20) -> tuple[Bar, ...]:
    """Bars of finite values; none where there are none."""
    finite = np.asarray([value for value in values if math.isfinite(value)], dtype=np.float64)
    if not finite.size:
        return ()
    ticks = nice_ticks(float(finite.min()), float(finite.max()), bins)
    counts, edges = np.histogram(finite, bins=ticks)
    width = 100 / len(counts)
    return tuple(
        Bar(
            x=round(width * place, 2),
            width=round(0.9 * width, 2),
            height=round(40 * int(count) / int(counts.max()), 2),
            title=f"{edges[place]:g} to {edges[place + 1]:g} {unit}: {int(count)}",
        )
        for place, count in enumerate(counts)
    )


def reliability_bars(clean: Clean) -> tuple[Bar, ...]:
    """Accuracy by confidence, in a box of 100 x 40; none without probabilities."""
    if clean.bins is None:
        return ()
    bins = clean.bins[clean.bins["n"] > 0]
    images = bins["n"].sum()
    return tuple(
        Bar(
            x=round(100 * one["low"], 2),
            width=round(90 * (one["high"] - one["low"]), 2),
            height=round(40 * one["accuracy"], 2),
            title=f"confidence {one['low']:.2f} to {one['high']:.2f}: "
            f"{number(100 * one['accuracy'], 0)} % right of {one['n']}",
            opacity=round(0.25 + 0.75 * math.sqrt(one["n"] / images), 2),
        )
        for one in bins.to_dict("records")
    )
