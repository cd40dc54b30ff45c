"""Charts of the report as SVG text: heat map, success against distortion, confusion matrices."""

import math
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from bench.metrics.success import confusion
from bench.records.metric import MetricSpec
from bench.records.participants import PARTIAL
from bench.records.run import RunData
from bench.report.drawing import COLOURS, GRID, INK, MUTED, chart_style, svg
from bench.report.statistics import rates_of
from bench.report.table import Table

_SCALE = LinearSegmentedColormap.from_list(
    "success", ["#f4f7fb", "#c3d9ec", "#76abd3", "#2a70a8", "#0a2c4a"]
)


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
