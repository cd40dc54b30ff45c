"""Resampling there and back: the image is rescaled by a factor and again to its size.

Geometric desynchronisation: a scaled image does not match its sensor's fingerprint until somebody
searches for the scale (Goljan & Fridrich 2008). Here in the form that keeps the picture in its
place: every pixel is interpolated twice off the grid, which overwrites demosaicing traces and
shifts noise. Bicubic, low-passed where the image shrinks.

Deviation: no rotation and no net change of size, since results are compared pixel by pixel.
`factor` was chosen for its LPIPS on Set-B of `simcam-mini-v2`, without asking a victim.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from attacks.parametric import ParametricAttack


class Resample(ParametricAttack):
    """Rescale and scale back."""

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """(N, 3, H, W) -> (N, 3, H, W)."""
        height, width = images.shape[-2:]
        factor = self.constants["factor"]
        between = _resized(images, round(height * factor), round(width * factor))
        return _resized(between, height, width)


def _resized(images: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(images, (height, width), mode="bicubic", antialias=True)
