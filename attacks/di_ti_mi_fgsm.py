"""DI-TI-MI-FGSM: MI-FGSM of resized views, its gradients smoothed.

DI (Xie et al. 2019, section 3): at each step, with probability 0.5, LAACs see the image enlarged
by a random factor below 1.1 (nearest neighbours) and padded with zeros at a random place to 1.1
times its size. TI (Dong et al. 2019, section 3): the gradient is convolved with a Gaussian kernel,
which stands for the gradients of shifted images. Together they are the TI-DIM of that paper.

Deviations: a kernel of 7 x 7 (sigma 1), as Wang & He 2021 take it, not 15 x 15, for images of half
the side; all images see the same random views, drawn anew from a fixed seed in each call, so that
no image's result depends on another's.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from attacks.mi_fgsm import MiFgsm

SEED = 2019


class DiTiMiFgsm(MiFgsm):
    """Diverse inputs, translation-invariant gradients."""

    def direction(
        self, images: Tensor, targets: Tensor, step: int, carried: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The smoothed gradient of the view of this step."""
        random = torch.Generator().manual_seed(SEED + step)
        draws = torch.rand(4, generator=random).tolist()
        gradient = self.gradient(images, targets, partial(self.view, draws=draws))
        return smooth(gradient, self.constants["kernel_px"]), carried

    def view(self, images: Tensor, draws: list[float]) -> Tensor:
        """Enlarge and pad.

        Args:
            images: (N, 3, H, W).
            draws: Four numbers in [0, 1): whether, the size, and where from the top and the left.

        Returns:
            (N, 3, H', W'), H' and W' being those of the largest view; or the images as they are.
        """
        whether, size, down, right = draws
        if whether >= self.constants["diversity"]:
            return images
        height, width = images.shape[-2:]
        largest = self.constants["largest"]
        factor = 1 + size * (largest - 1)
        scaled = F.interpolate(images, (int(height * factor), int(width * factor)), mode="nearest")
        rows = int(height * largest) - scaled.shape[-2]
        columns = int(width * largest) - scaled.shape[-1]
        top, left = int(down * (rows + 1)), int(right * (columns + 1))
        return F.pad(scaled, (left, columns - left, top, rows - top))


def smooth(gradient: Tensor, side_px: int) -> Tensor:
    """Convolve (N, 3, H, W) with a Gaussian that reaches three standard deviations."""
    x = torch.linspace(-3, 3, side_px, dtype=gradient.dtype, device=gradient.device)
    kernel = torch.exp(-0.5 * x.square())
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)
    pad = side_px // 2
    across = F.conv2d(gradient, kernel[:, :, None, :], padding=(0, pad), groups=3)
    return F.conv2d(across, kernel[:, :, :, None], padding=(pad, 0), groups=3)
