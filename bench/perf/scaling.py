"""How cost grows with images, victims, targets and resolution: linearly, or said where not."""

from __future__ import annotations

import shutil
import statistics
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from bench.perf.children import in_child
from bench.perf.end_to_end import time_runner
from bench.perf.workbench import Load, Workbench
from bench.report.drawing import chart_style
from bench.runner.batches import AUTO
from bench.types import Progress

GROWTH = (1, 2, 4, 8)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One measurement.

    Attributes:
        axis: What grows.
        value: How much of it there is.
        seconds: To score everything, networks open.
    """

    axis: str
    value: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Law:
    """Cost as a power of what grows, fitted to the logarithms.

    Attributes:
        exponent: 1 is linear.
    """

    axis: str
    smallest: int
    largest: int
    seconds_smallest: float
    seconds_largest: float
    exponent: float


def measure_scaling(
    base: Load, root: Path, device: torch.device, repeats: int, progress: Progress
) -> list[Point]:
    """Time the runner in mixed precision while one number grows and the others stay.

    Args:
        base: The smallest load; its victims are added one after the other.
        root: An empty folder.
        device: Where.
        repeats: Of each point; the median counts.
        progress: Advanced by points.
    """
    loads: list[tuple[str, int, Load]] = []
    for factor in GROWTH:
        loads.append(("images", base.images * factor, replace(base, images=base.images * factor)))
        loads.append(("targets", factor, replace(base, targets=factor)))
    for count in sorted({1, 3, 7, len(base.victims)}):
        chosen = base.victims[-count:]
        loads.append(("victims", count, replace(base, victims=chosen)))
    for factor in (1, 2, 4):
        side = base.image_px * factor
        loads.append(("side in pixels", side, replace(base, image_px=side)))
    progress.start("scaling", len(loads))
    points = []
    for number, (axis, value, load) in enumerate(loads):
        bench = Workbench(load=load, root=root / str(number)).build()
        times = in_child(time_runner, bench, str(device), "mixed", AUTO, repeats)
        points.append(Point(axis=axis, value=value, seconds=statistics.median(times.seconds)))
        shutil.rmtree(bench.root)
        progress.advance(1)
    progress.finish()
    return points


def fit_laws(points: list[Point]) -> list[Law]:
    """One law an axis."""
    laws = []
    for axis in dict.fromkeys(point.axis for point in points):
        mine = sorted((p for p in points if p.axis == axis), key=lambda point: point.value)
        x = np.log([point.value for point in mine])
        y = np.log([point.seconds for point in mine])
        laws.append(
            Law(
                axis=axis,
                smallest=mine[0].value,
                largest=mine[-1].value,
                seconds_smallest=mine[0].seconds,
                seconds_largest=mine[-1].seconds,
                exponent=float(np.polyfit(x, y, 1)[0]),
            )
        )
    return laws


def draw_scaling(points: list[Point], path: Path) -> None:
    """One panel an axis, both scales logarithmic, with a line of slope 1 (2 for the side)."""
    import matplotlib.pyplot as plt

    axes = list(dict.fromkeys(point.axis for point in points))
    with chart_style():
        figure, panels = plt.subplots(1, len(axes), figsize=(3 * len(axes), 2.8), sharey=True)
        for panel, law in zip(np.atleast_1d(panels), fit_laws(points), strict=True):
            mine = sorted((p for p in points if p.axis == law.axis), key=lambda point: point.value)
            values = [point.value for point in mine]
            panel.loglog(values, [point.seconds for point in mine], "o-", label="measured")
            power = 2 if law.axis.startswith("side") else 1
            line = [mine[-1].seconds * (value / values[-1]) ** power for value in values]
            panel.loglog(values, line, "--", color="grey", label=f"slope {power}")
            panel.set_xlabel(law.axis)
            panel.set_xticks(values, [str(value) for value in values])
            panel.minorticks_off()
            panel.set_title(f"exponent {law.exponent:.2f}", fontsize=9)
            panel.legend(fontsize=7)
        np.atleast_1d(panels)[0].set_ylabel("seconds")
        figure.tight_layout()
        figure.savefig(path, dpi=150)
        plt.close(figure)
