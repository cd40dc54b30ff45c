"""Filters whose weights nobody learns, as front-ends of attribution classifiers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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
