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
from bench.metrics.resampling import scene_draws


@dataclass(frozen=True, kw_only=True)
class Distorted:
    """How far images are from their originals, by scene.

    Attributes:
        sums: (N, P) distortions, summed over the images and targets of a scene.
        counts: (N, P) how many these are.
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.float64]

    @property
    def means(self) -> NDArray[np.float64]:
        """(N,) over all images."""
        found: NDArray[np.float64] = self.sums.sum(axis=1) / self.counts.sum(axis=1)
        return found


def strength_weights(
    distortions: NDArray[np.float64], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of each strength in the mixture that reaches a level, and how it moves with the level.

    Args:
        distortions: (..., S) means by rising strength; the first is at most `level`.
        level: Of distortion.

    Returns:
        (..., S) of which at most two neighbours are above 0; they sum to 1. And (..., S) their
        derivatives, which sum to 0.
    """
    beyond, places = distortions > level, np.arange(distortions.shape[-1])
    mixed = beyond[..., -1:]  # else the whole attack, though a weaker one may distort more
    upper = np.where(mixed, beyond.argmax(axis=-1, keepdims=True), places[-1])
    lower = np.where(mixed, np.maximum(upper - 1, 0), upper)
    low, high = (np.take_along_axis(distortions, place, axis=-1) for place in (lower, upper))
    gap = np.where(high > low, high - low, np.inf)
    share, (at_lower, at_upper) = (level - low) / gap, (places == place for place in (lower, upper))
    weights: NDArray[np.float64] = (1 - share) * at_lower + share * at_upper
    return weights, (1.0 * at_upper - at_lower) / gap


def at_level(
    shared: Shared, distorted: Distorted, strengths: Sequence[int], level: float
) -> Shared:
    """Successes of K attacks at a level of distortion, each a mixture of two of its strengths.

    Each draw of scenes has mixtures of its own. A scene that is distorted more than the
    mean makes a mixture weaker: what that costs all of them is taken from its successes, which then
    sum to the same, so that tests over scenes know of it as intervals do.

    Args:
        shared: Of N runs, one a strength: those of the first attack by rising strength, then those
            of the next.
        distorted: Of the same, over the same scenes.
        strengths: (K,) how many of the runs are of each attack; they sum to N.
        level: Of distortion.
    """
    parts = np.split(np.arange(len(shared.sums)), np.cumsum(strengths)[:-1])
    means = distorted.means
    excess = (distorted.sums - means[:, None] * distorted.counts) / distorted.counts.sum(1)[:, None]
    sums = []
    for part in parts:
        weights, slopes = strength_weights(means[part], level)
        cost = np.outer(weights @ excess[part], slopes @ shared.sums[part].sum(1))
        sums.append(np.tensordot(weights, shared.sums[part], axes=1) - cost)
    drawn = shared.drawn
    if drawn is not None:
        draws = scene_draws(shared.scenes)
        found = (draws @ distorted.sums.T) / (draws @ distorted.counts.T)
        drawn = np.stack(
            [
                (strength_weights(found[:, part], level)[0] * drawn[:, part]).sum(1)
                for part in parts
            ],
            axis=1,
        )
    return replace(shared, sums=np.stack(sums), drawn=drawn)
