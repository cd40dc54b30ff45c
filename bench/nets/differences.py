"""Third-order finite differences: what SpoC's networks read beside an image, `fd` victims alone.

Cozzolino et al. (2021); the settings are those of Andrews, Zhang & Griffin (2020, ECCV workshops),
who compare with it. Differences lie at the later pixel, and an image is continued to its left and
above by its first pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

ORDER = 3


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
