"""The chart of survival, success against JPEG quality; and the files of a run's survival."""

from itertools import cycle
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.records.metric import views
from bench.records.run import RunData
from bench.report.figures import COLOURS, GRID, MUTED, chart_style, svg
from bench.report.render import render
from bench.report.survival import CHART, SurvivalFiles, SurvivalRow, survival_rows, survival_table
from bench.store import write_text
from bench.types import SPLITS


def write_survival(run: RunData) -> list[Path]:
    """Write `survival.{md,csv,tex,svg}` into the run's own folder, recomputed from its files.

    Raises:
        ValueError: As `load_survival`.
    """
    table, files = survival_table(run), SurvivalFiles(run.directory)
    written = [write_text(path, render(table, suffix)) for suffix, path in files.texts.items()]
    return [*written, write_text(run.directory / CHART, survival_chart(run))]


def survival_chart(run: RunData) -> str:
    """SVG text: a panel for each rate that was measured, with bands of 95 %.

    Raises:
        ValueError: As `load_survival`.
    """
    rows = survival_rows(run)
    shown = {
        f"{metric.title}, {SPLITS[split]} (%)": [
            row for row in rows if (row.split, row.metric) == (split, metric)
        ]
        for split, metric in views()
    }
    there = [(title, mine) for title, mine in shown.items() if mine]
    looks = _looks(rows)
    with chart_style():
        figure = Figure(figsize=(0.6 + 4.2 * len(there), 4.4))
        handles = {}
        for place, (title, mine) in enumerate(there, start=1):
            axes = figure.add_subplot(1, len(there), place)
            for row in mine:
                handles[row.attack.name] = _line(axes, row, looks[row.attack.name])
            qualities = list(mine[0].at)
            axes.set_xticks(range(1 + len(qualities)), ["PNG", *(f"{q}" for q in qualities)])
            axes.set(ylim=(-3, 103), title=title, xlabel="PNG, then JPEG of this quality")
            axes.grid(color=GRID, linewidth=0.8)
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
        figure.tight_layout(w_pad=2)
        figure.legend(
            list(handles.values()),
            list(handles),
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            frameon=False,
        )
        return svg(figure)


def _looks(rows: list[SurvivalRow]) -> dict[str, dict[str, Any]]:
    """Colour, line and mark of each attack: colours for attacks, grey marks for controls."""
    controls = {row.attack.name: row.attack.control for row in rows}
    attacks = [name for name, control in controls.items() if not control]
    others = [name for name, control in controls.items() if control]
    looks: dict[str, dict[str, Any]] = {}
    for place, name in enumerate(attacks):
        line = ("-", "--", "-.")[place // len(COLOURS) % 3]
        looks[name] = {"color": COLOURS[place % len(COLOURS)], "linestyle": line, "marker": "o"}
    for name, mark in zip(others, cycle("s^vPX<>"), strict=False):
        looks[name] = {"color": MUTED, "linestyle": ":", "marker": mark}
    return looks


def _line(axes: Axes, row: SurvivalRow, look: dict[str, Any]) -> Line2D:
    before = row.before
    points = [(before.before, before.before_interval)]
    points += [(at.after, at.after_interval) for at in row.at.values()]
    places = range(len(points))
    (line,) = axes.plot(places, [100 * value for value, _ in points], markersize=5, **look)
    bands = [(x, *interval) for x, (_, interval) in zip(places, points, strict=True) if interval]
    if bands:
        x, low, high = zip(*bands, strict=True)
        axes.fill_between(
            x,
            [100 * v for v in low],
            [100 * v for v in high],
            color=look["color"],
            alpha=0.12,
            linewidth=0,
        )
    return line
