"""How well images fit the fingerprint of their device, and better than those of others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.metrics.detection import Floats, Interval, auc_of
from bench.metrics.resampling import percentile_interval, photograph_draws


@dataclass(frozen=True, kw_only=True)
class Linkage:
    """Figures of some images; intervals are `None` where there is but one photograph.

    Attributes:
        pce: Median with the own device's fingerprint.
        auc: Chance that an image fits its own device's better than an image fits another's.
    """

    pce: float
    pce_interval: Interval
    auc: float
    auc_interval: Interval


def linkage(fits: Floats, own: NDArray[np.intp], photographs: NDArray[np.intp]) -> Linkage:
    """Figures of PCE values.

    All images of a photograph move together in the bootstrap.

    Args:
        fits: (N, D) PCE of each image with each device's fingerprint.
        own: (N,) position of each image's device.
        photographs: (N,) position of each image's photograph, below P.

    Raises:
        ValueError: If there are no images, or fewer than two devices, or a value is NaN.
    """
    images, devices = fits.shape
    if not images or devices < 2 or np.isnan(fits).any():
        raise ValueError("expected PCE of images with two devices or more, and none that is NaN")
    is_own = np.arange(devices) == own[:, None]
    mine = fits[is_own]
    auc, auc_interval = auc_of(
        fits[~is_own], mine, (np.repeat(photographs, devices - 1), photographs)
    )
    count = 1 + int(photographs.max())
    whole = _medians(mine, photographs, np.ones((1, count)))
    drawn = _medians(mine, photographs, photograph_draws(count).astype(np.float64))
    interval = percentile_interval(drawn) if count > 1 and auc_interval else None
    return Linkage(pce=float(whole[0]), pce_interval=interval, auc=auc, auc_interval=auc_interval)


def _medians(values: Floats, photographs: NDArray[np.intp], draws: Floats) -> Floats:
    """(B,) medians of values that count as often as (B, P) draws hold their photograph."""
    order = np.argsort(values)
    counts = np.cumsum(draws[:, photographs[order]], axis=1)
    half = counts[:, -1:] / 2
    low, high = (counts >= half).argmax(1), (counts > half).argmax(1)
    found: Floats = (values[order][low] + values[order][high]) / 2
    return found
