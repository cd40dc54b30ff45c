"""The constrained convolution of Bayar & Stamm (2016, 2017): learnt prediction-error filters.

Every (out, in) slice has -1 at its centre, and its other weights sum to 1. The paper projects after
every optimiser step; here the slice is normalised from its free weights each time it is used, so
the constraint holds at every use, not only between steps. Free weights start positive: a sum that
passes near zero throws training off (a projected layer was seen to fail in one run of four).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConstrainedConv2d(nn.Module):
    """A size-preserving convolution whose filters predict the centre pixel from its neighbours.

    The side of the filters, `kernel_px`, is odd.
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
