"""Charts as SVG text: success after JPEG and over distortion, and the losses of a training.

Drawn without pyplot and with a fixed hash salt, so that the same run gives the same bytes.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, product
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator

from bench.metrics.resampling import Figure
from bench.records.networks import Training

INK, MUTED, GRID = "#1f2328", "#6b7280", "#e5e7eb"
COLOURS = ("#12507f", "#c8553d", "#3f8f5b", "#8a5fb0", "#c08a1e", "#2b9aa8", "#a83a6b", "#7a4a1e")
STYLE: Any = {
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GRID,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "camobench",
}
_LOG_FROM = 20


@dataclass(frozen=True, kw_only=True)
class Line:
    """One attack in a panel: places on the axis, and fractions there with their intervals."""

    name: str
    control: bool
    x: Sequence[float]
    figures: Sequence[Figure]


@contextmanager
def chart_style() -> Iterator[None]:
    """The look of all charts inside a `with` block, whatever settings other packages have changed.

    NumPy's way of printing numbers is among them: matplotlib hashes printed numbers into SVG ids.
    """
    with style.context(STYLE, after_reset=True), np.printoptions(legacy=False):
        yield


def line_panels(panels: Mapping[str, Sequence[Line]], ticks: Sequence[str]) -> str:
    """SVG text of lines with bands over named places, a panel a title."""

    def dress(axes: Axes, title: str) -> None:
        axes.set_xticks(range(len(ticks)), ticks, rotation=30, ha="right")

    return _panels(panels, dress)


def curve_panels(
    panels: Mapping[str, Sequence[Line]],
    axis: str,
    level: float,
    published: Mapping[str, Sequence[tuple[float, float]]],
) -> str:
    """SVG text of success over distortion (`axis`), a panel a title; a line at the `level`.

    `published` is distortion and success in per cent of others, by panel.
    """

    def dress(axes: Axes, title: str) -> None:
        points = published.get(title, ())
        if points:
            axes.scatter(*zip(*points, strict=True), marker="x", color=INK, zorder=3)
        axes.axvline(level, color=MUTED, linewidth=0.8, linestyle="--")
        axes.set_xlim(-0.05 * level, min(axes.get_xlim()[1], 3 * level))
        axes.set_xlabel(axis + ("   (×: as published)" if points else ""))

    return _panels(panels, dress)


def _panels(panels: Mapping[str, Sequence[Line]], dress: Callable[[Axes, str], None]) -> str:
    """Lines with bands, a colour an attack and grey marks for controls, and one legend."""
    names = dict.fromkeys((one.name, one.control) for lines in panels.values() for one in lines)
    marks, looks = cycle("s^vPX<>"), dict[str, dict[str, Any]]()
    coloured = cycle(product(("-", "--", "-."), COLOURS))
    for name, control in names:
        if control:
            looks[name] = {"color": MUTED, "linestyle": ":", "marker": next(marks)}
        else:
            line, colour = next(coloured)
            looks[name] = {"color": colour, "linestyle": line, "marker": "o"}
    with chart_style():
        figure, handles = Drawing(figsize=(0.6 + 4.2 * len(panels), 4.4)), {}
        for place, (title, lines) in enumerate(panels.items(), start=1):
            axes = figure.add_subplot(1, len(panels), place)
            for one in lines:
                values = [100 * (value or 0.0) for value, _ in one.figures]
                look = looks[one.name]
                (handles[one.name],) = axes.plot(one.x, values, markersize=5, **look)
                placed = zip(one.x, one.figures, strict=True)
                bands = [(x, *ends) for x, (_, ends) in placed if ends]
                if bands:
                    x, low, high = np.array(bands).T
                    band = {"color": look["color"], "alpha": 0.12, "linewidth": 0}
                    axes.fill_between(x, 100 * low, 100 * high, **band)
            axes.set(ylim=(-3, 103), title=title)
            dress(axes, title)
            _plain(axes)
        figure.tight_layout(w_pad=2)
        beside: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
        figure.legend(list(handles.values()), list(handles), **beside, frameon=False)
        return _svg(figure, tight=True)


def training_chart(training: Training) -> str | None:
    """Loss by step, logarithmic where it fell far; `None` without a curve."""
    curves = {name: curve for name, curve in training.curves.items() if curve}
    if not curves:
        return None
    values = [value for curve in curves.values() for _, value in curve]
    with chart_style():
        figure = Drawing(figsize=(4.4, 2.7))
        axes = figure.add_subplot()
        figure.subplots_adjust(left=0.15, right=0.97, top=0.97, bottom=0.19)
        for place, (name, curve) in enumerate(curves.items()):
            steps, losses = zip(*curve, strict=True)
            colour = COLOURS[place % len(COLOURS)]
            mark = "o" if len(curve) == 1 else ""
            axes.plot(steps, losses, color=colour, marker=mark, linewidth=1.6, label=name)
        if min(values) > 0 and max(values) > _LOG_FROM * min(values):
            axes.set_yscale("log")
            axes.minorticks_off()
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="step", ylabel="loss" if len(curves) == 1 else "value")
        if len(curves) > 1:
            axes.legend(frameon=False, fontsize=8)
        _plain(axes)
        return _svg(figure)


def _plain(axes: Axes) -> None:
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0, which="both")


def _svg(figure: Drawing, *, tight: bool = False) -> str:
    stream = io.StringIO()
    box = "tight" if tight else None
    figure.savefig(stream, format="svg", bbox_inches=box, metadata={"Date": None})
    return stream.getvalue()
