"""The network that estimates the wavelet-Wiener residual (Eq. 6), read by the wdf victims."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench.nets.johnson import JohnsonNet
from bench.nets.layout import channels_last
from bench.nets.unrolled import UnrolledShrinkage
from bench.recipes import EstimatorRecipe

GREY_LEVELS = 127.5
"""Grey levels of one unit of a network's [-1, 1] image."""


class ResidualEstimator(nn.Module):
    """Maps images in [0, 1] to an estimate of their `wdf-v1` residual in grey levels."""

    def __init__(self, recipe: EstimatorRecipe) -> None:
        super().__init__()
        self.unrolled = recipe.unrolled
        self.network: nn.Module = (
            UnrolledShrinkage(recipe.width)
            if recipe.unrolled
            else JohnsonNet(3, width=recipe.width)
        ).to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, H, W)."""
        if self.unrolled:
            residual: Tensor = self.network(images * 255)
            return residual
        out: Tensor = self.network(channels_last(images) * 2 - 1) * GREY_LEVELS
        return out
