"""How much of an attack's success is left after its images were changed once more.

Both figures are means as in the tables (over families of means over architectures), on the same
images, targets and victims, so that one draw of photographs moves both.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.metrics.paired import Shared
from bench.metrics.resampling import LEVEL, REPLICATES, percentile_interval

Interval = tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class Survived:
    """Success before and after, as fractions.

    Attributes:
        before: On the images as the attack left them.
        before_interval: Over draws of photographs; `None` as for `Shared.interval`.
        after: On the images after the change.
        after_interval: Likewise.
        left: After over before; `None` where nothing succeeded before, or nothing did in some draw:
            a share of next to nothing says nothing.
        left_interval: Likewise.
        images: Images in both.
    """

    before: float
    before_interval: Interval
    after: float
    after_interval: Interval
    left: float | None
    left_interval: Interval
    images: int


def survived(
    pair: Shared, *, replicates: int = REPLICATES, seed: int = 0, level: float = LEVEL
) -> Survived:
    """What is left of the first attack's success in the second's rows: the same attack, changed.

    Args:
        pair: First the images as they were, then the changed ones.
        replicates: Draws of photographs.
        seed: Of the draws.
        level: Of the intervals.
    """
    before, after = pair.means
    drawn = pair.resampled(replicates=replicates, seed=seed)
    befores, afters = (None, None) if drawn is None else drawn.T
    return Survived(
        before=before,
        before_interval=_interval(befores, level),
        after=after,
        after_interval=_interval(afters, level),
        left=after / before if before > 0 and (befores is None or befores.all()) else None,
        left_interval=_ratio_interval(befores, afters, level),
        images=pair.images,
    )


def _interval(values: NDArray[np.float64] | None, level: float) -> Interval:
    return None if values is None else percentile_interval(values, level)


def _ratio_interval(
    befores: NDArray[np.float64] | None, afters: NDArray[np.float64] | None, level: float
) -> Interval:
    if befores is None or afters is None or not befores.all():
        return None
    return percentile_interval(afters / befores, level)
