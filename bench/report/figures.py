"""Charts of the report and of victims' cards as SVG text.

Drawn without pyplot and with a fixed hash salt, so that the same run gives the same bytes.
"""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.metrics.success import confusion
from bench.records.metric import MetricSpec
from bench.records.networks import Training
from bench.records.participants import PARTIAL
from bench.records.run import RunData
from bench.report.statistics import rates_of
from bench.report.table import Table

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
_SCALE = LinearSegmentedColormap.from_list(
    "success", ["#f4f7fb", "#c3d9ec", "#76abd3", "#2a70a8", "#0a2c4a"]
)
_SIZE = (4.4, 2.7)
_LOG_FROM = 20


@contextmanager
def chart_style() -> Iterator[None]:
    """The look of all charts inside a `with` block, whatever settings other packages have changed.

    NumPy's way of printing numbers is among them: matplotlib hashes printed numbers into SVG ids.
    """
    with style.context(STYLE, after_reset=True), np.printoptions(legacy=False):
        yield


def svg(figure: Figure, *, tight: bool = True) -> str:
    """The figure as SVG text, without a date; `tight` cuts it to what is drawn."""
    stream = io.StringIO()
    box = "tight" if tight else None
    figure.savefig(stream, format="svg", bbox_inches=box, metadata={"Date": None})
    return stream.getvalue()


def heat_map(run: RunData, split: str, metric: MetricSpec, order: Sequence[str]) -> str | None:
    """Attack x victim matrix of a rate in per cent, victims grouped by family.

    Args:
        run: The run.
        split: "in" or "out".
        metric: Which rate.
        order: Attack names from top to bottom; those with an undefined rate are left out.

    Returns:
        SVG text, or `None` if the rate is undefined for every attack.
    """
    rates = rates_of(run, split)
    matrix = rates.pivot_table(index="attack", columns="victim", values=metric.name, aggfunc="mean")
    attacks = [name for name in order if name in matrix.index and matrix.loc[name].notna().any()]
    if not attacks:
        return None
    victims = [victim.name for victim in run.victims]
    values = 100 * matrix.reindex(index=attacks, columns=victims)
    with chart_style():
        figure = Figure(figsize=(2.6 + 0.62 * len(victims), 1.9 + 0.36 * len(attacks)))
        axes = figure.add_subplot()
        marked = {one.name: f"{one.name} {PARTIAL}" for one in run.attacks if one.partial}
        labels = {victim.name: victim.marked for victim in run.victims}
        _matrix(axes, values.rename(index=marked, columns=labels), low=0, high=100)
        families = [victim.family for victim in run.victims]
        for place in range(1, len(families)):
            if families[place] != families[place - 1]:
                axes.axvline(place - 0.5, color="white", linewidth=4)
        return svg(figure)


def success_scatter(run: RunData, table: Table, metric: MetricSpec) -> str | None:
    """Mean success against the fidelity that has a unit, one mark per attack.

    Unchanged images stand at the right edge.

    Returns:
        SVG text, or `None` if no attack has both figures.
    """
    fidelity = next((m for m in run.metrics if m.unit and m.higher_is_better), None)
    if fidelity is None:
        return None
    column = f"{metric.name}_mean_percent"
    points = [r for r in table.records if r[column] is not None and r[fidelity.name] is not None]
    finite = [record[fidelity.name] for record in points if math.isfinite(record[fidelity.name])]
    if not finite:
        return None
    edge = max(finite) + max(2.0, 0.12 * (max(finite) - min(finite)))
    with chart_style():
        figure = Figure(figsize=(8.2, 4.2))
        axes = figure.add_subplot()
        colours, squares = cycle(COLOURS), cycle("s^vPX<>")
        for record in points:
            control, success = record["control"] == "yes", record[column]
            unchanged = math.isinf(record[fidelity.name])
            low, high = (
                record[f"{metric.name}_mean_low_percent"],
                record[f"{metric.name}_mean_high_percent"],
            )
            colour = MUTED if control else next(colours)
            place = edge if unchanged else record[fidelity.name]
            name = record["attack"] + (" (unchanged)" if unchanged else "")
            name += f" {PARTIAL}" if "scored" in record else ""
            if low is not None:
                axes.plot([place, place], [low, high], color=colour, linewidth=1.5, alpha=0.6)
            marker = next(squares) if control else "D" if record["scfa"] == "yes" else "o"
            axes.plot([place], [success], marker, color=colour, markersize=8, label=name)
        if len(finite) < len(points):
            ticks = [tick for tick in axes.get_xticks() if min(finite) <= tick <= max(finite)]
            axes.set_xticks([*ticks, edge], [*(f"{tick:g}" for tick in ticks), "∞"])
        axes.set(xlabel=f"{fidelity.axis}, higher is closer to the original", ylim=(-3, 103))
        axes.set_ylabel(f"mean {metric.title} (%)")
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
        return svg(figure)


def confusion_matrices(run: RunData, split: str, attack: str) -> str | None:
    """What the victims say, by wanted camera and by true camera, pooled over victims, in per cent.

    Returns:
        SVG text, or `None` if the attack has no rows in this split.
    """
    panels = {
        "Target camera": confusion(run.predictions, split, attack, "target", run.classes),
        "True camera": confusion(run.predictions, split, attack, "source", run.classes),
    }
    panels = {title: panel for title, panel in panels.items() if len(panel)}
    if not panels:
        return None
    tallest = max(len(panel) for panel in panels.values())
    widest = len(run.classes)
    with chart_style():
        figure = Figure(figsize=(len(panels) * (1.6 + 0.58 * widest), 1.7 + 0.42 * tallest))
        for place, (title, panel) in enumerate(panels.items(), start=1):
            axes = figure.add_subplot(1, len(panels), place)
            _matrix(axes, 100 * panel, low=0, high=100)
            axes.set_ylabel(title)
            axes.set_xlabel("Predicted camera")
        figure.tight_layout(w_pad=3)
        return svg(figure)


def _matrix(axes: Axes, values: pd.DataFrame, *, low: float, high: float) -> None:
    numbers: Any = values.to_numpy(dtype=np.float64)
    axes.imshow(np.ma.masked_invalid(numbers), cmap=_SCALE, vmin=low, vmax=high, aspect="auto")
    axes.set_xticks(range(values.shape[1]), [str(name) for name in values.columns])
    axes.set_yticks(range(values.shape[0]), [str(name) for name in values.index])
    axes.tick_params(length=0)
    for label in axes.get_xticklabels():
        label.set(rotation=40, ha="right", rotation_mode="anchor")
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(values.shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(values.shape[0] + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    for (row, column), value in np.ndenumerate(numbers):
        text = "n/a" if math.isnan(value) else f"{value:.0f}"
        dark = not math.isnan(value) and value > low + 0.6 * (high - low)
        colour = "white" if dark else MUTED if math.isnan(value) else INK
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)


def reliability_chart(bins: pd.DataFrame) -> str:
    """Accuracy by confidence against the diagonal; below, how many images each bin holds."""
    filled = bins[bins["n"] > 0]
    width = float((bins["high"] - bins["low"]).iloc[0])
    middle = (filled["low"] + filled["high"]) / 2
    with chart_style():
        figure = Figure(figsize=_SIZE)
        above, below = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": (4, 1), "hspace": 0.3}
        )
        figure.subplots_adjust(left=0.13, right=0.97, top=0.97, bottom=0.19)
        above.bar(middle, filled["accuracy"], 0.9 * width, color=COLOURS[0], alpha=0.85)
        above.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--")
        above.plot(filled["confidence"], filled["accuracy"], "o", color=COLOURS[1], markersize=4)
        above.set(xlim=(0, 1.01), ylim=(0, 1.04), yticks=(0, 0.5, 1))
        above.set_ylabel("accuracy")
        below.bar(middle, filled["n"] / filled["n"].sum(), 0.9 * width, color=MUTED, alpha=0.7)
        below.set(ylim=(0, 1), yticks=(1,), ylabel="share", xlabel="confidence")
        for axes in (above, below):
            _plain(axes)
        figure.align_ylabels()
        return svg(figure, tight=False)


def training_chart(training: Training) -> str | None:
    """Loss by step, logarithmic where it fell far; `None` without a curve."""
    curves = {name: curve for name, curve in training.curves.items() if curve}
    if not curves:
        return None
    values = [value for curve in curves.values() for _, value in curve]
    with chart_style():
        figure = Figure(figsize=_SIZE)
        axes = figure.add_subplot()
        figure.subplots_adjust(left=0.15, right=0.97, top=0.97, bottom=0.19)
        for place, (name, curve) in enumerate(curves.items()):
            steps, losses = zip(*curve, strict=True)
            colour = COLOURS[place % len(COLOURS)]
            mark = "o" if len(curve) == 1 else ""
            axes.plot(steps, losses, color=colour, marker=mark, linewidth=1.6, label=name)
        if min(values) > 0 and max(values) > _LOG_FROM * min(values):
            axes.set_yscale("log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel="step", ylabel="loss" if len(curves) == 1 else "value")
        if len(curves) > 1:
            axes.legend(frameon=False, fontsize=8)
        _plain(axes)
        return svg(figure, tight=False)


def _plain(axes: Axes) -> None:
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0, which="both")
