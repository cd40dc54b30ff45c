"""Filters whose weights nobody learns, before networks that tell cameras apart.

A high-pass filter, and third-order finite differences: what SpoC's networks read beside an image
and `fd` victims alone (Cozzolino et al. 2021; settings of Andrews, Zhang & Griffin 2020, ECCV
workshops, who compare with it). Differences lie at the later pixel, and an image is continued to
its left and above by its first pixels.
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
