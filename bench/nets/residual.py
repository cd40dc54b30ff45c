"""The network that estimates the wavelet-Wiener residual (Eq. 6), read by the wdf victims.

The `paper` recipe trains the plain Johnson network. The others unroll the wavelet shrinkage of
`wdf-v1`: a fixed transform, and gains that are learnt. Wiener shrinkage multiplies each detail
coefficient by a gain that depends on the local energies around it. Here db4 detail bands of two
levels, or three (the levels below hold half a percent of the residual's energy on simulated images
of 128 px, 5 and 0.3 percent on those of 256 px), and their local energies are computed as the
filter does, and a small network, the same for every coefficient, learns the gain. A
Johnson network of a few channels cannot carry every pixel through its stride-4 middle: one of
twelve explained 81 % of the residual where this explains 96.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from bench.nets.johnson import JohnsonNet, channels_last
from bench.recipes import DeepEstimatorRecipe, EstimatorRecipe
from bench.signal.wavelet import WINDOWS, analyse, local_energies, synthesise

GREY_LEVELS = 127.5
"""Grey levels of one unit of a network's [-1, 1] image."""
ENERGY_UNIT = 5.0**2
"""Local energies are told in units of the filter's noise variance, in grey levels squared."""


class UnrolledShrinkage(nn.Module):
    """Maps images to residuals: every detail coefficient times its gain, transformed back.

    Args:
        width: Hidden units of the network that gives the gains.
        levels: Of the transform.
    """

    def __init__(self, width: int, levels: int = 2) -> None:
        super().__init__()
        self.levels = levels
        self.gain = nn.Sequential(
            nn.Linear(len(WINDOWS), width), nn.ReLU(inplace=True), nn.Linear(width, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, H, W), both in grey levels."""
        approximation, sizes, shrunk = images, [], []
        for _ in range(self.levels):
            sizes.append((approximation.shape[-2], approximation.shape[-1]))
            approximation, details = analyse(approximation)
            energies = torch.stack(local_energies(details)).flatten(1) / ENERGY_UNIT
            shrunk.append(details * self._gains(energies).view_as(details))
        residual = torch.zeros_like(approximation)
        for size, details in zip(reversed(sizes), reversed(shrunk), strict=True):
            residual = synthesise(residual, details, size)
        return residual.contiguous()

    def _gains(self, energies: Tensor) -> Tensor:
        """(windows, n) -> (1, n): a column a coefficient, which is how the energies lie."""
        hidden, last = cast("nn.Linear", self.gain[0]), cast("nn.Linear", self.gain[2])
        inner = torch.addmm(hidden.bias[:, None], hidden.weight, torch.log(1 + energies))
        return torch.addmm(last.bias[:, None], last.weight, inner.relu_()).sigmoid_()


class ResidualEstimator(nn.Module):
    """Maps images in [0, 1] to an estimate of their `wdf-v1` residual in grey levels."""

    def __init__(self, recipe: EstimatorRecipe) -> None:
        super().__init__()
        self.unrolled = recipe.unrolled
        levels = recipe.levels if isinstance(recipe, DeepEstimatorRecipe) else 2
        self.network: nn.Module = (
            UnrolledShrinkage(recipe.width, levels)
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
