"""VMI-FGSM (Wang & He 2021): MI-FGSM whose gradients are tuned by their variance nearby.

    g <- mu g + (grad J(x) + v) / ||grad J(x) + v||_1 ,   v <- mean_i grad J(x + r_i) - grad J(x)

with r_i uniform in [-beta eps, beta eps] (algorithm 1): v, from the step before,
turns a gradient towards what its neighbourhood agrees on.

Deviations: fewer neighbours than the paper's 20, each of which costs as much as a step of MI-FGSM;
all images have the same r_i, drawn anew from a fixed seed in each call, so that no image's result
depends on another's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from attacks.mi_fgsm import MiFgsm

SEED = 2021


class VmiFgsm(MiFgsm):
    """Variance-tuned momentum."""

    def direction(
        self, images: Tensor, targets: Tensor, step: int, carried: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The gradient plus the variance of the step before, and the variance here."""
        gradient = self.gradient(images, targets)
        if step + 1 == self.constants["steps"]:
            return gradient + carried, carried
        random = torch.Generator().manual_seed(SEED + step)
        reach = self.constants["beta"] * self.constants["eps_255"] / 255
        around = torch.zeros_like(images)
        for _ in range(self.constants["neighbours"]):
            shift = reach * (2 * torch.rand(images.shape[1:], generator=random) - 1)
            around += self.gradient(images + shift.to(images.device), targets)
        return gradient + carried, around / self.constants["neighbours"] - gradient
