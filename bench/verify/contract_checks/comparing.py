"""How far two results of one subject are apart, in the units that matter for its kind."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

LOGITS = 1e-4
"""What batch size and memory layout may move fp32 logits by."""
GREY_LEVELS = 1
SHARE = 1e-3
"""Of 8-bit values that may differ by a grey level: those that lay at a rounding edge."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Of two tensors.

    Attributes:
        largest: In grey levels, or in units of logits.
        count: Values that differ.
        total: All values.
        levels: Whether these are 8-bit images.
    """

    largest: float
    count: int
    total: int
    levels: bool

    @property
    def tolerance(self) -> float:
        """How large `largest` may be."""
        if not self.levels:
            return LOGITS
        return GREY_LEVELS if self.count <= SHARE * self.total else 0.0

    def __str__(self) -> str:
        if self.count == 0:
            return "the same to the last bit"
        if self.levels:
            what = f"{self.count} of {self.total} 8-bit values differ"
            return f"{what}, by {self.largest:.0f} grey level{'s' if self.largest > 1 else ''}"
        return f"logits differ by {self.largest:.1e} at most"


def difference(one: Tensor, other: Tensor) -> Difference:
    """Compare images with images, or logits with logits."""
    levels = one.dtype == torch.uint8
    apart = (one.double() - other.double()).abs()
    return Difference(
        largest=float(apart.max()), count=int((apart > 0).sum()), total=apart.numel(), levels=levels
    )
