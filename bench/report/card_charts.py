"""The two small charts of a victim's card, as SVG text: reliability and training curve."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.records.networks import Training
from bench.report.drawing import COLOURS, GRID, MUTED, chart_style, svg

_SIZE = (4.4, 2.7)
_LOG_FROM = 20


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
