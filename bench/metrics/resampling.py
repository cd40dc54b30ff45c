"""The bootstrap over source photographs, under every interval.

Photographs are drawn with replacement; all tiles, targets and victims of one photograph move
together. Figures that share their draws are paired.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

REPLICATES = 2000
TAIL = 0.025
"""Share of the draws beyond either end of an interval."""
LAST_DIGIT = 12
"""Of figures that are compared: equal ones differ in last bits, by the order of their sums."""
Figure = tuple[float | None, tuple[float, float] | None]
"""A value and its interval over draws of photographs; `None` where undefined."""
UNDEFINED: Figure = (None, None)


def percent(figure: Figure) -> Figure:
    """A fraction in per cent."""
    value, ends = figure
    return None if value is None else 100 * value, ends and (100 * ends[0], 100 * ends[1])


@lru_cache(maxsize=8)
def photograph_draws(photographs: int, *, seed: int = 0) -> NDArray[np.int64]:
    """(B, P): how often each of P photographs is in each of B draws of P; shared, so read-only."""
    chances = np.full(photographs, 1 / photographs)
    draws = np.random.default_rng(seed).multinomial(photographs, chances, size=REPLICATES)
    draws.flags.writeable = False
    return draws


def photograph_sums(
    photographs: NDArray[np.intp],
    columns: NDArray[np.intp],
    values: NDArray[np.floating[Any]],
    shape: tuple[int, int],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and number of `values` by photograph and column.

    Args:
        photographs: (N,) position of each value's photograph, below P.
        columns: (N,) position of each value's column (its victim), below K.
        values: (N,) what is averaged.
        shape: (P, K).

    Returns:
        Sums and counts, both (P, K); `draws @ sums / (draws @ counts)` are resampled means.
    """
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, (photographs, columns), values)
    np.add.at(counts, (photographs, columns), 1.0)
    return sums, counts


def percentile_interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The central part of (B,) resampled figures that holds 95 % of them."""
    low, high = np.quantile(values, [TAIL, 1 - TAIL])
    return float(low), float(high)


def with_interval(value: float, drawn: NDArray[np.float64] | None) -> Figure:
    """A value with the interval of its (B,) resampled figures, if there are any."""
    return value, None if drawn is None else percentile_interval(drawn)
