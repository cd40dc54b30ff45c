"""Success against distortion: what stands where in the chart, and labels that cover nothing."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from matplotlib.ticker import MaxNLocator

from bench.metrics.success import CLEAN_CONTROL
from bench.records.metric import MetricSpec
from bench.report.tables.table import number

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 46, 150, 14, 44
LABEL_PX, LETTER_PX, MARK_PX, UNCHANGED_PX = 14, 7.6, 6, 34
Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One attack in the chart; all places in pixels.

    Attributes:
        ends: Heights of its interval's ends.
        lead: Where a line to its label ends, if that is far.
    """

    name: str
    kind: str
    x: float
    y: float
    ends: Point | None
    label: Box
    lead: Point | None
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
    width, height = WIDTH, HEIGHT
    left, right, top, bottom = LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM


def success_scatters(
    views: Iterable[tuple[str, MetricSpec]],
    fidelities: Sequence[MetricSpec],
    shown: Mapping[str, tuple[Sequence[dict[str, Any]], Collection[str]]],
) -> list[Scatter]:
    """All charts with something to show, of records and partial attacks by split."""
    found = (
        success_scatter(split, shown[split][0], metric, fidelity, shown[split][1])
        for (split, metric), fidelity in product(views, fidelities)
    )
    return [chart for chart in found if chart]


def success_scatter(
    split: str,
    records: Sequence[dict[str, Any]],
    metric: MetricSpec,
    fidelity: MetricSpec,
    partial: Collection[str] = (),
) -> Scatter | None:
    """Marks of all attacks that have both figures; `None` where fewer than two do.

    An unchanged image has an infinite PSNR: its mark stands at the right edge, on no line. What is
    not told from the untouched images, and what is `partial`, is on no front.
    """
    rates = {
        one["attack"]: [one[f"{metric.name}_mean{end}_percent"] for end in ("", "_low", "_high")]
        for one in records
        if one[f"{metric.name}_mean_percent"] is not None and one[fidelity.name] is not None
    }
    known = {one["attack"]: one for one in records if one["attack"] in rates}
    values = {name: float(one[fidelity.name]) for name, one in known.items()}
    finite = [value for value in values.values() if math.isfinite(value)]
    if len(known) < 2 or not finite:
        return None
    ticks, edge = nice_ticks(min(finite), max(finite)), float(WIDTH - RIGHT)
    unchanged = len(finite) < len(known)
    inner = edge - LEFT - (UNCHANGED_PX if unchanged else 0)
    sign = 1 if fidelity.higher_is_better else -1
    low_end, high_end = min(ticks[0], *finite), max(ticks[-1], *finite)

    def place(value: float) -> float:
        share = (value - low_end) / (high_end - low_end)
        return edge if math.isinf(value) else LEFT + inner * (share if sign > 0 else 1 - share)

    nothing = rates[CLEAN_CONTROL][0] if CLEAN_CONTROL in rates else None
    front = pareto_front(
        {
            name: (rate, sign * values[name])
            for name, (rate, low, _) in rates.items()
            if name not in partial and (nothing is None or (rate if low is None else low) > nothing)
        }
    )
    spots = {name: (place(value), height_of(rates[name][0])) for name, value in values.items()}
    ends = {
        name: (height_of(low), height_of(high))
        for name, (_, low, high) in rates.items()
        if low is not None
    }
    bars = [(spots[n][0] - 2, high, spots[n][0] + 2, low) for n, (low, high) in ends.items()]
    labels, marks = place_labels(spots, bars), {}
    for name, (x, y) in spots.items():
        figure = number(values[name], fidelity.digits)
        figure += " (unchanged)" if math.isinf(values[name]) else ""
        left, top, right, bottom = labels[name]
        near = min(max(x, left), right), min(max(y, top + 4), bottom - 4)
        marks[name] = Mark(
            name=name,
            kind="control" if known[name]["control"] == "yes" else "attack",
            x=_px(x),
            y=_px(y),
            ends=(_px(ends[name][0]), _px(ends[name][1])) if name in ends else None,
            label=(_px(left), _px(top), _px(right), _px(bottom)),
            lead=(_px(near[0]), _px(near[1])) if math.dist(near, (x, y)) > 2 * MARK_PX else None,
            front=name in front,
            tooltip=f"{name}: {number(rates[name][0])} %, {fidelity.axis} {figure}",
        )
    line = (marks[name] for name in front if math.isfinite(values[name]))
    x_ticks = [(_px(place(tick)), f"{tick:g}") for tick in ticks]
    return Scatter(
        split=split,
        metric=metric,
        fidelity=fidelity,
        marks=tuple(marks.values()),
        x_ticks=(*x_ticks, *([(edge, "∞")] if unchanged else [])),
        y_ticks=tuple((_px(height_of(tick)), str(tick)) for tick in range(0, 101, 20)),
        front=tuple(front),
        front_path=" ".join(f"{mark.x:g},{mark.y:g}" for mark in line),
        nothing_y=None if nothing is None else _px(height_of(nothing)),
        level_x=None if fidelity.level is None else _px(place(fidelity.level)),
    )


def height_of(percent: float) -> float:
    """Pixel of a rate."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - percent / 100)


def _px(value: float) -> float:
    return round(value, 1)


def nice_ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Round figures that span `low` to `high`, about `count` of them."""
    if high <= low:
        low, high = low - 1, high + 1
    ticks = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [round(float(tick), 10) for tick in ticks]


def pareto_front(points: Mapping[str, Point]) -> list[str]:
    """Names that no other surpasses in one figure and equals in the other, least distorted first.

    Of success and fidelity, which may be infinite, more is better.
    """

    def beaten(name: str) -> bool:
        success, fidelity = points[name]
        return any(
            s >= success and f >= fidelity and (s > success or f > fidelity)
            for s, f in points.values()
        )

    front = [name for name in points if not beaten(name)]
    return sorted(front, key=lambda name: (-points[name][1], -points[name][0], name))


def place_labels(points: Mapping[str, Point], bars: Sequence[Box] = ()) -> dict[str, Box]:
    """Boxes of labels near their marks that cover no mark, no bar and no other label."""
    taken = [(x - MARK_PX, y - MARK_PX, x + MARK_PX, y + MARK_PX) for x, y in points.values()]
    taken += bars
    placed: dict[str, Box] = {}
    for name, (x, y) in sorted(points.items(), key=lambda item: (item[1][1], item[0])):
        width = LETTER_PX * len(name)
        for left, middle in _places(x, y, width):
            box = left, middle - LABEL_PX / 2, left + width, middle + LABEL_PX / 2
            if _is_inside(box) and not any(overlap(box, other) for other in taken):
                break
        placed[name] = box
        taken.append(box)
    return placed


def _places(x: float, y: float, width: float) -> Iterator[Point]:
    """Left ends and heights of a label: beside its mark, then farther, then anywhere."""
    beside = x + MARK_PX + 3, x - MARK_PX - 3 - width, x - width / 2
    for far in range(0, HEIGHT // 2, 3):
        for left, middle in product(beside, (y - far, y + far)):
            yield left, middle
    for far in range(0, WIDTH, 8):
        for left, middle in product((beside[0] + far, beside[1] - far), range(TOP, HEIGHT, 4)):
            yield left, middle


def _is_inside(box: Box) -> bool:
    return box[0] >= LEFT and box[2] <= WIDTH and box[1] >= TOP and box[3] <= HEIGHT - BOTTOM


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes cover each other."""
    across = one[0] < other[2] and other[0] < one[2]
    return across and one[1] < other[3] and other[1] < one[3]
