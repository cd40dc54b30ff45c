"""Success at equal distortion: attacks at the strength at which each changes images just so much.

An attack of strength s makes x + s (g(x, t) - x) of an image. Its success over its distortion is a
curve through the strengths that were scored, from the untouched images (strength 0) to the whole
attack; between two of them it is linear, which is what an attack reaches that takes either strength
by lot. Where the whole attack distorts less than the level, it stands as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench.metrics.paired import Shared
from bench.metrics.resampling import photograph_draws


@dataclass(frozen=True, kw_only=True)
class Distorted:
    """How far images are from their originals, by photograph.

    Attributes:
        sums: (N, P) distortions, summed over the images and targets of a photograph.
        counts: (N, P) how many these are.
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.float64]

    @property
    def means(self) -> NDArray[np.float64]:
        """(N,) over all images."""
        found: NDArray[np.float64] = self.sums.sum(axis=1) / self.counts.sum(axis=1)
        return found


def strength_weights(distortions: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Share of each strength in the mixture that reaches a level.

    Args:
        distortions: (..., S) means by rising strength; the first is at most `level`.
        level: Of distortion.

    Returns:
        (..., S) of which at most two neighbours are above 0; they sum to 1.
    """
    beyond, places = distortions > level, np.arange(distortions.shape[-1])
    reached = beyond.any(axis=-1, keepdims=True)
    upper = np.where(reached, beyond.argmax(axis=-1, keepdims=True), places[-1])
    lower = np.where(reached, np.maximum(upper - 1, 0), upper)
    low, high = (np.take_along_axis(distortions, place, axis=-1) for place in (lower, upper))
    share = np.divide(level - low, high - low, out=np.zeros_like(low), where=high > low)
    weights: NDArray[np.float64] = (1 - share) * (places == lower) + share * (places == upper)
    return weights


def at_level(
    shared: Shared, distorted: Distorted, strengths: Sequence[int], level: float
) -> Shared:
    """Successes of K attacks at a level of distortion, each a mixture of two of its strengths.

    Each draw of photographs has mixtures of its own.

    Args:
        shared: Of N runs, one a strength: those of the first attack by rising strength, then those
            of the next.
        distorted: Of the same, over the same photographs.
        strengths: (K,) how many of the runs are of each attack; they sum to N.
        level: Of distortion.
    """
    parts = np.split(np.arange(len(shared.sums)), np.cumsum(strengths)[:-1])
    means = distorted.means
    weights = [strength_weights(means[part], level) for part in parts]
    sums = [
        np.tensordot(w, shared.sums[part], axes=1) for w, part in zip(weights, parts, strict=True)
    ]
    drawn = shared.drawn
    if drawn is not None:
        draws = photograph_draws(shared.photographs)
        found = (draws @ distorted.sums.T) / (draws @ distorted.counts.T)
        drawn = np.stack(
            [(strength_weights(found[:, part], level) * drawn[:, part]).sum(1) for part in parts],
            axis=1,
        )
    return replace(shared, sums=np.stack(sums), drawn=drawn)
