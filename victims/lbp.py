"""Local binary patterns and a support vector machine, after Xu & Shi 2012 (`victims.svm`).

*Camera model identification using local binary patterns*, ICME 2012: histograms of the 59 uniform
patterns of eight neighbours (Ojala et al. 2002) of the image, of what its neighbours predict
wrongly, and of its first diagonal wavelet band; of red and green alone, since blue is sampled as
red is: 354 features.

Deviations: neighbours are the eight of a 3 x 3 square, not interpolated on a circle, so that
patterns of whole numbers are exact; the wavelet is Haar's; the predictor is the median edge
detector; square roots of the histograms (Hellinger's kernel) go into the Gaussian one, not scaled.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from bench.types import Json
from victims.specs import ROOTED_SVM
from victims.svm import SvmVictim

RING = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
"""Neighbours in a 3 x 3 window, in turn."""
BINS = 59


class LbpSvm(SvmVictim):
    """Uniform local binary patterns of three images of two planes, and a machine a class."""

    features: ClassVar[int] = 2 * 3 * BINS
    constants: ClassVar[Mapping[str, Json]] = ROOTED_SVM

    def frontend(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> (N, 354) square roots of shares of patterns."""
        levels = (images[:, :2] * 255).round().to(torch.int32)
        views = (levels, levels[..., 1:, 1:] - predicted(levels), diagonal(levels))
        return torch.cat([patterns(view).flatten(1) for view in views], dim=1).sqrt()


def predicted(levels: Tensor) -> Tensor:
    """What the left, upper and upper left neighbours predict: (..., H - 1, W - 1)."""
    left, above, corner = levels[..., 1:, :-1], levels[..., :-1, 1:], levels[..., :-1, :-1]
    low, high = torch.minimum(left, above), torch.maximum(left, above)
    return torch.minimum(torch.maximum(left + above - corner, low), high)


def diagonal(levels: Tensor) -> Tensor:
    """Twice the diagonal band of the Haar transform: (..., H // 2, W // 2)."""
    height, width = (size // 2 * 2 for size in levels.shape[-2:])
    cells = levels[..., :height, :width]
    upper = cells[..., 0::2, 0::2] - cells[..., 0::2, 1::2]
    lower = cells[..., 1::2, 0::2] - cells[..., 1::2, 1::2]
    return upper - lower


def patterns(values: Tensor) -> Tensor:
    """How often each uniform pattern occurs; the last bin holds all others.

    Args:
        values: (N, C, H, W) of an integer type.

    Returns:
        (N, C, 59) float64 shares, on the processor: not every device has float64.
    """
    height, width = (size - 2 for size in values.shape[-2:])
    centre = values[..., 1:-1, 1:-1]
    code = torch.zeros_like(centre)
    for turn, (y, x) in enumerate(RING):
        code += (values[..., y : y + height, x : x + width] >= centre).to(code.dtype) << turn
    bins = uniform_bins().to(values.device)[code.long()].flatten(2)
    shift = BINS * torch.arange(bins.shape[0] * bins.shape[1], device=bins.device)
    flat = (bins.flatten(0, 1) + shift[:, None]).flatten()
    counts = torch.bincount(flat, minlength=BINS * len(shift)).view(*bins.shape[:2], BINS)
    return counts.cpu().double() / bins.shape[2]


def uniform_bins() -> Tensor:
    """The bin of each of 256 patterns: uniform ones have at most two changes around the ring."""
    found: list[int] = []
    for code in range(256):
        ring = [code >> turn & 1 for turn in range(8)]
        changes = sum(one != other for one, other in pairwise([*ring, ring[0]]))
        found.append(changes <= 2)
    bins = torch.tensor(found).long().cumsum(0) - 1
    return torch.where(torch.tensor(found), bins, BINS - 1)
