"""Where things stand in the site's small charts; the templates draw them as inline SVG."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.records.metric import MetricSpec
from bench.report.leaderboard.standing import Standing

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 46, 150, 14, 44
LABEL_PX, LETTER_PX, MARK_PX = 13, 7, 10


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One attack in the chart; all places in pixels."""

    name: str
    kind: str
    x: float
    y: float
    low_y: float | None
    high_y: float | None
    label_y: float
    front: bool
    tooltip: str


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """Success against fidelity, better to the right and upward."""

    split: str
    measure: str
    title: str
    fidelity: str
    heading: str
    marks: tuple[Mark, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    front: tuple[str, ...]
    front_path: str
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


def success_scatter(
    standings: Sequence[Standing], metric: MetricSpec, fidelity: MetricSpec
) -> Scatter | None:
    """Marks of all attacks that have both figures; `None` where fewer than two do.

    An unchanged image has an infinite PSNR: its mark stands at the right edge, on no line.
    """
    heading, sign, digits = fidelity.axis, 1 if fidelity.higher_is_better else -1, fidelity.digits
    column = f"{metric.name}_mean_percent"
    known = [
        one
        for one in standings
        if one.record[column] is not None and one.record[fidelity.name] is not None
    ]
    values = [float(one.record[fidelity.name]) for one in known]
    finite = [value for value in values if math.isfinite(value)]
    if len(known) < 2 or not finite:
        return None
    ticks = nice_ticks(min(finite), max(finite))
    low, high = min(ticks[0], min(finite)), max(ticks[-1], max(finite))
    width = WIDTH - LEFT - RIGHT
    edge = LEFT + width
    inner = width - (34 if len(finite) < len(known) else 0)

    def place(value: float) -> float:
        if math.isinf(value):
            return float(edge)
        share = (value - low) / (high - low)
        return LEFT + inner * (share if sign > 0 else 1 - share)

    points = {
        one.attack.name: (one.record[column], sign * one.record[fidelity.name]) for one in known
    }
    front = pareto_front(
        {one.attack.name: points[one.attack.name] for one in known if one.complete}
    )
    label_ys = spread_labels({n: (place(sign * f), height_of(s)) for n, (s, f) in points.items()})
    marks = [
        Mark(
            name=one.attack.name,
            kind=one.kind,
            x=round(place(one.record[fidelity.name]), 1),
            y=round(height_of(one.record[column]), 1),
            low_y=_height(one.record[f"{metric.name}_mean_low_percent"]),
            high_y=_height(one.record[f"{metric.name}_mean_high_percent"]),
            label_y=round(label_ys[one.attack.name], 1),
            front=one.attack.name in front,
            tooltip=f"{one.attack.name}: {one.record[column]:.1f} %, {heading} "
            + (
                "∞ (unchanged)"
                if math.isinf(one.record[fidelity.name])
                else f"{one.record[fidelity.name]:.{digits}f}"
            ),
        )
        for one in known
    ]
    by_name = {mark.name: mark for mark in marks}
    line = [by_name[name] for name in front if math.isfinite(points[name][1])]
    x_ticks = [(round(place(tick), 1), f"{tick:g}") for tick in ticks]
    if len(finite) < len(known):
        x_ticks.append((float(edge), "∞"))
    return Scatter(
        split=standings[0].split,
        measure=metric.name,
        title=metric.title,
        fidelity=fidelity.name,
        heading=heading,
        marks=tuple(marks),
        x_ticks=tuple(x_ticks),
        y_ticks=tuple((round(height_of(tick), 1), str(tick)) for tick in range(0, 101, 20)),
        front=tuple(front),
        front_path=" ".join(f"{mark.x:g},{mark.y:g}" for mark in line),
    )


def height_of(percent: float) -> float:
    """Pixel of a rate."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - percent / 100)


def _height(percent: float | None) -> float | None:
    return None if percent is None else round(height_of(percent), 1)


def spread_labels(points: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Heights of labels right of their marks, moved down until none covers another or a mark.

    Args:
        points: Name to the pixels of its mark.
    """
    placed: dict[str, float] = {}

    def overlap(one: str, other: str) -> bool:
        left, right = points[one][0] + 10, points[other][0] + 10
        return left < right + LETTER_PX * len(other) and right < left + LETTER_PX * len(one)

    def covered(name: str, height: float) -> bool:
        start, end = points[name][0] + 6, points[name][0] + 10 + LETTER_PX * len(name)
        return any(
            abs(placed[other] - height) < LABEL_PX for other in placed if overlap(name, other)
        ) or any(
            start < x < end and abs(y - height) < MARK_PX
            for other, (x, y) in points.items()
            if other != name
        )

    for name, (_, y) in sorted(points.items(), key=lambda item: (item[1][1], item[0])):
        height, lowest = y, y + 6 * LABEL_PX
        while covered(name, height) and height < lowest:
            height += 1
        placed[name] = height
    return placed


def nice_ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Round figures that span `low` to `high`, about `count` of them."""
    if high <= low:
        low, high = low - 1, high + 1
    raw = (high - low) / count
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(step * place, 10) for place in range(first, last + 1)]


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
    bars = []
    for low, high, count, accuracy in zip(
        *(bins[name].to_numpy(np.float64) for name in ("low", "high", "n", "accuracy")), strict=True
    ):
        if not count:
            continue
        share = f"{100 * accuracy:.0f} % right of {count:.0f}"
        bars.append(
            Bar(
                x=round(100 * low, 2),
                width=round(90 * (high - low), 2),
                height=round(40 * accuracy, 2),
                title=f"confidence {low:.2f} to {high:.2f}: {share}",
                opacity=round(0.25 + 0.75 * float(np.sqrt(count / bins["n"].sum())), 2),
            )
        )
    return tuple(bars)


def pareto_front(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Names on the front, from the least distortion to the most.

    Args:
        points: Name to (success, fidelity); of both more is better, and fidelity may be infinite.

    Returns:
        Every name that no other one equals in one figure and surpasses in the other, or surpasses
        in both. Equal points are all on the front.
    """

    def beaten(name: str) -> bool:
        success, fidelity = points[name]
        return any(
            s >= success and f >= fidelity and (s > success or f > fidelity)
            for other, (s, f) in points.items()
            if other != name
        )

    front = [name for name in points if not beaten(name)]
    return sorted(front, key=lambda name: (-points[name][1], -points[name][0], name))
