"""Layers that do what a trained network's layers do, in fewer or cheaper operations."""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CELL_PX = 2
CLOSE = 1 / 32
"""Share of the span of an image's logits: twice the largest error of a margin that was seen."""


class CellConv2d(nn.Module):
    """A stride-1 convolution that computes cells of 2 x 2 output pixels as channels.

    Its 2 x 2 shifted copies of each filter, in a kernel one pixel larger, move by two pixels; the
    cells are then unfolded. 64 to 3 channels at 7 x 7 ran 2.9 times as fast on AVX-512. `conv` has
    no dilation, and one group.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        weight = conv.weight.detach()
        out, into, height, width = weight.shape
        cells = weight.new_zeros(out, CELL_PX, CELL_PX, into, height + 1, width + 1)
        for y in range(CELL_PX):
            for x in range(CELL_PX):
                cells[:, y, x, :, y : y + height, x : x + width] = weight
        self.weight: Tensor
        self.bias: Tensor | None
        self.register_buffer("weight", cells.flatten(0, 2))
        bias = None if conv.bias is None else conv.bias.detach().repeat_interleave(CELL_PX**2)
        self.register_buffer("bias", bias)
        vertical, horizontal = cast("tuple[int, int]", conv.padding)
        self.padding = (horizontal, horizontal, vertical, vertical)
        self.mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
        self.overlap = (height - 1, width - 1)

    def forward(self, features: Tensor) -> Tensor:
        """(N, I, H, W) -> (N, O, H', W') as the convolution would give."""
        padded = F.pad(features, self.padding, mode=self.mode)
        sides = [padded.shape[2] - self.overlap[0], padded.shape[3] - self.overlap[1]]
        if any(side % CELL_PX for side in sides):
            padded = F.pad(padded, (0, sides[1] % CELL_PX, 0, sides[0] % CELL_PX))
        cells = F.conv2d(padded, self.weight, self.bias, stride=CELL_PX)
        return F.pixel_shuffle(cells, CELL_PX)[..., : sides[0], : sides[1]]


class SplitInputConv2d(nn.Module):
    """A bf16 convolution, of one group, that reads an fp32 input as the sum of two bf16 terms."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = copy.deepcopy(conv)
        self.conv.in_channels *= 2
        self.conv.weight = nn.Parameter(conv.weight.detach().repeat(1, 2, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """(N, I, H, W) fp32 -> (N, O, H', W') bf16."""
        high = images.to(torch.bfloat16)
        low = (images - high.float()).to(torch.bfloat16)
        out: Tensor = self.conv(torch.cat((high, low), dim=1))
        return out


class Fp32Linear(nn.Module):
    """A linear layer that stays in fp32 whatever type its input has."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.linear = linear

    def forward(self, features: Tensor) -> Tensor:
        """(..., I) -> (..., O) in fp32."""
        out: Tensor = self.linear(features.float())
        return out


class Arbitrated(nn.Module):
    """A bf16 classifier whose close calls are decided in fp32.

    Rounding moves the logits of the networks at hand by 0.2 % of their standard deviation. Where
    the two best lie closer than `CLOSE` of the span of all, the image is classified again in fp32.

    Attributes:
        reduced: The network in bf16, fp32 in and out.
        exact: The same in fp32.
        seen: Images classified so far.
        close: Those of them that were decided in fp32.
    """

    def __init__(self, reduced: nn.Module, exact: nn.Module) -> None:
        super().__init__()
        self.reduced, self.exact = reduced, exact
        self.seen = self.close = 0

    def forward(self, features: Tensor) -> Tensor:
        """(N, K, H, W) -> (N, C) logits."""
        logits: Tensor = self.reduced(features)
        close = too_close(logits)
        count = int(close.sum())  # the one wait for the device
        self.seen, self.close = self.seen + len(logits), self.close + count
        if count:
            logits = logits.clone()
            logits[close] = self.exact(features[close])
        return logits


def too_close(logits: Tensor) -> Tensor:
    """Which of (N, C) logits have two best classes that bf16 may mistake for each other: (N,)."""
    if logits.shape[1] < 2:
        return torch.zeros(len(logits), dtype=torch.bool, device=logits.device)
    best = logits.topk(2, dim=1).values
    span = logits.amax(1) - logits.amin(1)
    return best[:, 0] - best[:, 1] <= CLOSE * span


class InFp32(nn.Module):
    """A network that gives fp32, whatever it computes in.

    Args:
        network: Any.
        autocast: Run it in bf16 by torch's own rules, its input included: for a network in fp32
            that cannot be rewritten.
    """

    def __init__(self, network: nn.Module, *, autocast: bool = False) -> None:
        super().__init__()
        self.network, self.autocast = network, autocast

    def forward(self, images: Tensor) -> Tensor:
        """Whatever the network gives."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.autocast):
            out: Tensor = self.network(images)
        return out.float()
