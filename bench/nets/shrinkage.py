"""A narrow network for wavelet shrinkage: learned high-pass filters, gated pixel by pixel.

Wiener shrinkage multiplies each detail coefficient by a gain that depends on its neighbourhood. A
Johnson network wide enough learns this; one of a few channels cannot carry every pixel through its
stride-4 middle. Here it only predicts the gains (and a correction), and a bank of filters supplies
the detail. Used by the `mini` recipe; the `paper` recipe trains the plain Johnson network.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from bench.nets.johnson import JohnsonNet

KERNEL_PX = 7
BOX_RADII_PX = (0, 1, 3)
"""Band k starts as the difference of two box blurs, of radii k and k + 1 in this list."""
BANDS = len(BOX_RADII_PX) - 1


class ShrinkageNet(nn.Module):
    """Maps images to residuals: correction + sum over bands of sigmoid(gain) * band.

    Args:
        width: Channels of the Johnson network's first convolution.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gains = JohnsonNet(3, 3 + 3 * BANDS, width=width, skip=True, norm=False)
        self.filters = nn.Conv2d(
            3, 3 * BANDS, KERNEL_PX, padding=KERNEL_PX // 2, padding_mode="reflect", bias=False
        )
        self.filters.store_fp32 = True  # type: ignore[assignment]
        with torch.no_grad():
            self.filters.weight.normal_(0, 0.005)
            for band, (inner, outer) in enumerate(pairwise(BOX_RADII_PX)):
                passed = _box(inner) - _box(outer)
                for channel in range(3):
                    self.filters.weight[3 * band + channel, channel] += passed

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 3, H, W)."""
        correction, gains = self.gains(images).split((3, 3 * BANDS), dim=1)
        detail = torch.sigmoid(gains) * self.filters(images)
        out: Tensor = correction + detail.unflatten(1, (BANDS, 3)).sum(dim=1)
        return out


def _box(radius: int) -> Tensor:
    """A normalised box of side 2 * radius + 1 in the middle of a kernel."""
    kernel = torch.zeros(KERNEL_PX, KERNEL_PX)
    middle = KERNEL_PX // 2
    span = slice(middle - radius, middle + radius + 1)
    kernel[span, span] = 1 / (2 * radius + 1) ** 2
    return kernel
