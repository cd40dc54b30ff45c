"""Untargeted controls: an attack is worth what it adds to them.

JPEG, median and blur are what any user might do to a photograph; wavelet denoising subtracts the
noise residual that the wdf victims read (Lukáš et al. 2006).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from attacks.parametric import ParametricAttack
from bench.data import as_jpeg
from bench.signal.wavelet import denoise


class Identity(ParametricAttack):
    """Changes nothing: its rows are the clean predictions."""

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Return the images."""
        return images


class Jpeg(ParametricAttack):
    """Re-compress with Pillow's standard tables."""

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Encode and decode each image."""
        pixels = (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        decoded = np.stack([as_jpeg(one, self.constants["quality_percent"]) for one in pixels])
        return torch.from_numpy(decoded).to(images.device).permute(0, 3, 1, 2).float() / 255


class Median(ParametricAttack):
    """A median filter."""

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Take the median of each window, reflected at the border."""
        side = self.constants["side_px"]
        padded = F.pad(images, (side // 2,) * 4, mode="reflect")
        return padded.unfold(2, side, 1).unfold(3, side, 1).flatten(-2).median(-1).values


class GaussianBlur(ParametricAttack):
    """A Gaussian blur."""

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Convolve with a separable kernel of seven standard deviations."""
        sigma = self.constants["sigma_px"]
        radius = round(3.5 * sigma)
        x = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
        kernel = torch.exp(-0.5 * (x / sigma) ** 2)
        kernel = (kernel / kernel.sum()).expand(3, 1, -1)
        padded = F.pad(images, (radius,) * 4, mode="reflect")
        across = F.conv2d(padded, kernel[:, :, None, :], groups=3)
        return F.conv2d(across, kernel[:, :, :, None], groups=3)


class WaveletDenoise(ParametricAttack):
    """Subtract the wavelet noise residual `wdf-v1`."""

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Return x - W(x)."""
        return denoise(images, self.constants["sigma_255"])
