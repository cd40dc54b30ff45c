"""Filters before networks that tell cameras apart: learnt ones, and two that nobody learns.

The latter are a high-pass filter, and third-order finite differences: what SpoC's networks read
beside an image and `fd` victims alone (Cozzolino et al. 2021; settings of Andrews, Zhang & Griffin
2020, ECCV workshops, who compare with it). Differences lie at the later pixel, and an image is
continued to its left and above by its first pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ORDER = 3
"""Of the differences."""
HIGH_PASS = (
    (-1, 2, -2, 2, -1),
    (2, -6, 8, -6, 2),
    (-2, 8, -12, 8, -2),
    (2, -6, 8, -6, 2),
    (-1, 2, -2, 2, -1),
)
"""Twelve times the filter that Qian et al. (2015) put before a network against steganography, and
Tuama, Comby & Chaumont (2016) before one that tells camera models."""


class ConstrainedConv2d(nn.Module):
    """Learnt prediction-error filters: the constrained convolution of Bayar & Stamm (2016, 2017).

    Every (out, in) slice has -1 at its centre, and its other weights sum to 1. The paper projects
    after every optimiser step; here the slice is normalised from its free weights each time it is
    used, so the constraint holds at every use, not only between steps. Free weights start positive:
    a sum that passes near zero throws training off (a projected layer was seen to fail in one run
    of four). The side of the filters, `kernel_px`, is odd.
    """

    store_fp32 = True

    def __init__(self, in_channels: int = 3, out_channels: int = 3, kernel_px: int = 5) -> None:
        super().__init__()
        shape = (out_channels, in_channels, kernel_px, kernel_px)
        self.free = nn.Parameter(torch.rand(shape) + 0.1)
        mask = torch.ones(kernel_px, kernel_px)
        mask[kernel_px // 2, kernel_px // 2] = 0
        self.neighbours: Tensor
        self.register_buffer("neighbours", mask, persistent=False)

    @property
    def weight(self) -> Tensor:
        """(O, I, k, k) filters: -1 at the centre, neighbours that sum to 1."""
        free = self.free.float() * self.neighbours
        return free / free.sum(dim=(2, 3), keepdim=True) - (1 - self.neighbours)

    def forward(self, images: Tensor) -> Tensor:
        """Filter (N, I, H, W) images into (N, O, H, W) prediction errors, in fp32.

        The border is reflected: zeros beyond it would be the strongest prediction error of all.
        """
        pad = self.neighbours.shape[0] // 2
        with torch.autocast(images.device.type, enabled=False):
            padded = F.pad(images.float(), (pad,) * 4, mode="reflect")
            return F.conv2d(padded, self.weight)


class HighPass(nn.Module):
    """The sum over three planes of their high-pass filtered values; the border is reflected."""

    def __init__(self) -> None:
        super().__init__()
        self.weight: Tensor
        kernel = (torch.tensor(HIGH_PASS) / 12).expand(1, 3, 5, 5).clone()
        self.register_buffer("weight", kernel, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 1, H, W), in fp32."""
        with torch.autocast(images.device.type, enabled=False):
            return F.conv2d(F.pad(images.float(), (2,) * 4, mode="reflect"), self.weight)


def differences(images: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, 2 C, H, W) differences along rows, then along columns."""
    across = torch.diff(F.pad(images, (ORDER, 0, 0, 0), mode="replicate"), n=ORDER, dim=-1)
    down = torch.diff(F.pad(images, (0, 0, ORDER, 0), mode="replicate"), n=ORDER, dim=-2)
    return torch.cat((across, down), dim=1)


def beside_differences(images: Tensor, unit: float) -> Tensor:
    """Append to images their differences along rows and columns.

    Args:
        images: (N, C, H, W).
        unit: Multiplies differences, which are far smaller than the images.

    Returns:
        (N, 3 C, H, W): images, differences along rows, then along columns.
    """
    return torch.cat((images, differences(images) * unit), dim=1)
