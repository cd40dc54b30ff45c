"""What stands where in small charts and matrices; the templates draw them."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from bench.metrics.success import CLEAN_CONTROL, confusion
from bench.records.metric import MetricSpec
from bench.records.run import RunData
from bench.report.pages.labels import (
    BOTTOM,
    HEIGHT,
    LEFT,
    MARK_PX,
    RIGHT,
    TOP,
    WIDTH,
    Box,
    place_labels,
)
from bench.report.statistics import attack_rows
from bench.report.tables.table import number
from bench.types import SPLITS


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One attack in the chart; all places in pixels, `lead` where a line joins it to its label."""

    name: str
    kind: str
    x: float
    y: float
    low_y: float | None
    high_y: float | None
    label: Box
    lead: tuple[float, float] | None
    front: bool
    tooltip: str


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """Success against fidelity, better to the right and upward.

    Attributes:
        nothing_y: Of the untouched images.
        level_x: Where attacks are compared at equal distortion.
    """

    split: str
    metric: MetricSpec
    fidelity: MetricSpec
    marks: tuple[Mark, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    front: tuple[str, ...]
    front_path: str
    nothing_y: float | None
    level_x: float | None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


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


def success_scatter(
    split: str,
    records: Sequence[dict[str, Any]],
    metric: MetricSpec,
    fidelity: MetricSpec,
    partial: Collection[str] = (),
) -> Scatter | None:
    """Marks of all attacks that have both figures; `None` where fewer than two do.

    An unchanged image has an infinite PSNR: its mark stands at the right edge, on no line. What is
    not told from the untouched images is on no front.

    Args:
        split: Of the records.
        records: Of a table of this split.
        metric: Upward.
        fidelity: To the right.
        partial: Attacks that were scored in part, and so are on no front.
    """
    mean = f"{metric.name}_mean"
    known = {
        record["attack"]: record
        for record in records
        if record[f"{mean}_percent"] is not None and record[fidelity.name] is not None
    }
    values = {name: float(record[fidelity.name]) for name, record in known.items()}
    finite = [value for value in values.values() if math.isfinite(value)]
    if len(known) < 2 or not finite:
        return None
    ticks = nice_ticks(min(finite), max(finite))
    low, high = min(ticks[0], min(finite)), max(ticks[-1], max(finite))
    edge = WIDTH - RIGHT
    inner = edge - LEFT - (34 if len(finite) < len(known) else 0)

    def place(value: float) -> float:
        if math.isinf(value):
            return float(edge)
        share = (value - low) / (high - low)
        return LEFT + inner * (share if fidelity.higher_is_better else 1 - share)

    sign = 1 if fidelity.higher_is_better else -1
    points = {n: (known[n][f"{mean}_percent"], sign * value) for n, value in values.items()}
    nothing = known[CLEAN_CONTROL][f"{mean}_percent"] if CLEAN_CONTROL in known else None
    lows = {name: record[f"{mean}_low_percent"] for name, record in known.items()}
    least = {name: points[name][0] if low is None else low for name, low in lows.items()}
    idle = {name for name, low in least.items() if nothing is not None and low <= nothing}
    able = {name: at for name, at in points.items() if name not in idle | set(partial)}
    front = pareto_front(able)
    spots = {name: (place(value), height_of(points[name][0])) for name, value in values.items()}
    ends = {
        name: tuple(height_of(record[f"{mean}_{end}_percent"]) for end in ("low", "high"))
        for name, record in known.items()
        if record[f"{mean}_low_percent"] is not None
    }
    bars = [(spots[n][0] - 2, high, spots[n][0] + 2, low) for n, (low, high) in ends.items()]
    labels = place_labels(spots, bars)
    marks = {}
    for name, record in known.items():
        (x, y), label = spots[name], labels[name]
        low_y, high_y = (round(end, 1) for end in ends[name]) if name in ends else (None, None)
        near = min(max(x, label[0]), label[2]), min(max(y, label[1] + 4), label[3] - 4)
        far = math.dist(near, (x, y)) > 2 * MARK_PX
        figure = number(values[name], fidelity.digits)
        figure += " (unchanged)" if math.isinf(values[name]) else ""
        marks[name] = Mark(
            name=name,
            kind="control" if record["control"] == "yes" else "attack",
            x=round(x, 1),
            y=round(y, 1),
            low_y=low_y,
            high_y=high_y,
            label=(round(label[0], 1), round(label[1], 1), round(label[2], 1), round(label[3], 1)),
            lead=(round(near[0], 1), round(near[1], 1)) if far else None,
            front=name in front,
            tooltip=f"{name}: {number(points[name][0])} %, {fidelity.axis} {figure}",
        )
    line = [marks[name] for name in front if math.isfinite(values[name])]
    x_ticks = [(round(place(tick), 1), f"{tick:g}") for tick in ticks]
    if len(finite) < len(known):
        x_ticks.append((float(edge), "∞"))
    return Scatter(
        split=split,
        metric=metric,
        fidelity=fidelity,
        marks=tuple(marks.values()),
        x_ticks=tuple(x_ticks),
        y_ticks=tuple((round(height_of(tick), 1), str(tick)) for tick in range(0, 101, 20)),
        front=tuple(front),
        front_path=" ".join(f"{mark.x:g},{mark.y:g}" for mark in line),
        nothing_y=None if nothing is None else round(height_of(nothing), 1),
        level_x=None if fidelity.level is None else round(place(fidelity.level), 1),
    )


def height_of(percent: float) -> float:
    """Pixel of a rate."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - percent / 100)


def nice_ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Round figures that span `low` to `high`, about `count` of them."""
    if high <= low:
        low, high = low - 1, high + 1
    ticks = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [round(float(tick), 10) for tick in ticks]


def pareto_front(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Names that no other surpasses in one figure and equals in the other, least distorted first.

    Args:
        points: Name to (success, fidelity); of both more is better, and fidelity may be infinite.
    """

    def beaten(name: str) -> bool:
        success, fidelity = points[name]
        return any(
            s >= success and f >= fidelity and (s > success or f > fidelity)
            for s, f in points.values()
        )

    front = [name for name in points if not beaten(name)]
    return sorted(front, key=lambda name: (-points[name][1], -points[name][0], name))


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


def reliability_bars(bins: pd.DataFrame) -> tuple[Bar, ...]:
    """Accuracy by confidence, in a box of 100 x 40."""
    columns = [bins[name].tolist() for name in ("low", "high", "n", "accuracy")]
    images = sum(columns[2])
    return tuple(
        Bar(
            x=round(100 * low, 2),
            width=round(90 * (high - low), 2),
            height=round(40 * accuracy, 2),
            title=f"confidence {low:.2f} to {high:.2f}: {number(100 * accuracy, 0)} % right of "
            f"{count}",
            opacity=round(0.25 + 0.75 * math.sqrt(count / images), 2),
        )
        for low, high, count, accuracy in zip(*columns, strict=True)
        if count
    )


def confusion_matrices(run: RunData, split: str, attack: str) -> list[Matrix]:
    """What victims say of each target and of each source camera; none without rows."""
    found = []
    rows = attack_rows(run, "predictions", attack, split)
    for label in ("target", "source"):
        table = 100 * confusion(rows, split, attack, label, run.classes)
        if len(table):
            found.append(
                Matrix(
                    title=f"What victims say by {label} camera, {SPLITS[split]}",
                    about="Per cent of each row, pooled over the victims",
                    corner=f"{label} camera",
                    columns=tuple(map(str, table.columns)),
                    rows={
                        str(name): tuple(map(number, shares))
                        for name, shares in zip(table.index, table.to_numpy(), strict=True)
                    },
                )
            )
    return found
