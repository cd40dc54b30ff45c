"""The bootstrap over scenes, under every interval.

Scenes are drawn with replacement; all photographs, tiles, targets and victims of one scene move
together: cameras that took the same scenes do not make more of them. A photograph whose scene is
not told is a scene of its own. Figures that share their draws are paired. Intervals of differences,
ratios and medians are percentiles of the draws, stretched where scenes are few; those of shares,
whose draws say too little near 0 and 1, take the draws' variance alone (`share_interval`).
"""

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

REPLICATES = 2000
TAIL = 0.025
"""Share of the draws beyond either end of an interval."""
_Z = NormalDist().inv_cdf(1 - TAIL)
CAUTION = 0.25
"""Failing photographs that the worst case weighs as much as, in `share_interval`."""
LAST_DIGIT = 12
"""Of figures that are compared: equal ones differ in last bits, by the order of their sums."""
Figure = tuple[float | None, tuple[float, float] | None]
"""A value and its interval over draws of scenes; `None` where undefined."""
UNDEFINED: Figure = (None, None)


def percent(figure: Figure) -> Figure:
    """A fraction in per cent."""
    value, ends = figure
    return None if value is None else 100 * value, ends and (100 * ends[0], 100 * ends[1])


@lru_cache(maxsize=8)
def scene_draws(scenes: int, *, seed: int = 0) -> NDArray[np.int64]:
    """(B, P): how often each of P scenes is in each of B draws of P; shared, so read-only."""
    chances = np.full(scenes, 1 / scenes)
    draws = np.random.default_rng(seed).multinomial(scenes, chances, size=REPLICATES)
    draws.flags.writeable = False
    return draws


def scene_sums(
    scenes: NDArray[np.intp],
    columns: NDArray[np.intp],
    values: NDArray[np.floating[Any]],
    shape: tuple[int, int],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and number of `values` by scene and column.

    Args:
        scenes: (N,) position of each value's scene, below P.
        columns: (N,) position of each value's column (its victim), below K.
        values: (N,) what is averaged.
        shape: (P, K).

    Returns:
        Sums and counts, both (P, K); `draws @ sums / (draws @ counts)` are resampled means.
    """
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, (scenes, columns), values)
    np.add.at(counts, (scenes, columns), 1.0)
    return sums, counts


def _stretch(scenes: int) -> float:
    """What draws of P scenes lack of a 95 % interval, as for the mean of normal figures.

    They spread less than samples do, by (P - 1) / P, and know nothing of how unsure that spread is.
    """
    stretch: float = math.sqrt(scenes / (scenes - 1)) * stdtrit(scenes - 1, 1 - TAIL) / _Z
    return stretch


def percentile_interval(values: NDArray[np.float64], scenes: int) -> tuple[float, float]:
    """The 95 % interval of a figure, of its (B,) values in draws of P scenes.

    Their central 95 %, stretched about their median: draws of a ratio have no mean. Expanded
    percentiles (Hesterberg 2015, What Teachers Should Know About the Bootstrap, The American
    Statistician 69) are the same of many scenes, and of few end at the outermost draw.
    """
    low, centre, high = np.quantile(values, [TAIL, 0.5, 1 - TAIL])
    low, high = centre + _stretch(scenes) * (np.array([low, high]) - centre)
    return float(low), float(high)


def wilson_interval(share: float, number: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of independent units.

    Source: `scipy.stats.binomtest(...).proportion_ci` by Wilson's method without continuity
    correction, which takes whole successes only.
    """
    centre = (share + _Z**2 / (2 * number)) / (1 + _Z**2 / number)
    half = math.sqrt(share * (1 - share) / number + (_Z / (2 * number)) ** 2)
    half *= _Z / (1 + _Z**2 / number)
    low, high = np.clip([centre - half, centre + half], 0, 1).tolist()  # NaN stays
    return low, high


def share_interval(
    share: float, drawn: NDArray[np.float64] | None, scenes: int, photographs: int
) -> tuple[float, float] | None:
    """The 95 % interval of a mean of fractions, such as success or AUC, also near 0 and 1.

    Draws of twelve scenes without a failure never fail, so their percentiles end at 100 %, whatever
    the truth. Here they give the variance, and with it the number of independent units that this
    share is worth, fewer as few scenes tell little of it (both as of Korn and Graubard 1998, Survey
    Methodology 24), for Wilson's interval. Few failures tell little of it either: it is averaged
    with the largest there can be where photographs fail as a whole, each for itself, by the number
    of photographs that would then have failed against `CAUTION`. By simulation (3 to 48 scenes of 1
    to 12 cameras, 50 to 98 %, predictions that fail together a little or all) it covers 94 to 99 %
    of the time for the middle half of the cases, 91 at the least where each scene is one camera's.
    Where all cameras fail at the same scenes and nowhere else it may be half, near 100 %: of what
    has not failed nobody knows with what it fails. Draws of the photographs of twelve cameras cover
    48 % at 60 %; percentiles 6 % near 100 %.

    Args:
        share: In [0, 1], or NaN, which its interval is too then.
        drawn: (B,) the same under draws of scenes; `None` where there are none.
        scenes: How many were drawn from; a draw of one has no variance.
        photographs: How many these have.

    Returns:
        `None` without draws.
    """
    if drawn is None:
        return None
    largest, failing = share * (1 - share), photographs * min(share, 1 - share)
    variance = float(np.var(drawn)) * _stretch(scenes) ** 2
    own = variance / largest if largest > 0 else 0.0
    return wilson_interval(share, (failing + CAUTION) / (own * failing + CAUTION / photographs))
