"""The look that all charts share, and a figure as SVG text.

Drawn without pyplot and with a fixed hash salt, so that the same run gives the same bytes.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure

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
