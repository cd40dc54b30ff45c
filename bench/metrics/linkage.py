"""How well images fit the fingerprint of their device, and better than those of others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.metrics.detection import Floats, auc_of
from bench.metrics.resampling import Figure, percentile_interval, scene_draws


@dataclass(frozen=True, kw_only=True)
class Linkage:
    """Figures of some images, without intervals where there is but one scene.

    Attributes:
        pce: Median with the own device's fingerprint.
        auc: Chance that an image fits its own device's better than an image fits another's.
    """

    pce: Figure
    auc: Figure


def linkage(
    fits: Floats, own: NDArray[np.intp], scenes: NDArray[np.intp], photographs: int
) -> Linkage:
    """Figures of PCE values.

    All images of a scene move together in the bootstrap.

    Args:
        fits: (N, D) PCE of each image with each device's fingerprint.
        own: (N,) position of each image's device.
        scenes: (N,) position of each image's scene, below P.
        photographs: How many the scenes have.

    Raises:
        ValueError: If there are no images, or fewer than two devices, or a value is NaN.
    """
    images, devices = fits.shape
    if not images or devices < 2 or np.isnan(fits).any():
        raise ValueError("expected PCE of images with two devices or more, and none that is NaN")
    is_own = np.arange(devices) == own[:, None]
    others = np.repeat(scenes, devices - 1)
    auc = auc_of(fits[~is_own], fits[is_own], (others, scenes), photographs)
    order = np.argsort(fits[is_own])
    values, places = fits[is_own][order], scenes[order]

    def medians(draws: Floats) -> Floats:
        """(B,) medians of values that count as often as (B, P) draws hold their scene."""
        counts = np.cumsum(draws[:, places], axis=1)
        half = counts[:, -1:] / 2
        low, high = (counts >= half).argmax(1), (counts > half).argmax(1)
        found: Floats = (values[low] + values[high]) / 2
        return found

    count = 1 + int(scenes.max())
    draws = scene_draws(count).astype(np.float64)
    ends = auc[1] and percentile_interval(medians(draws), count)
    return Linkage(pce=(float(medians(np.ones((1, count)))[0]), ends), auc=auc)
