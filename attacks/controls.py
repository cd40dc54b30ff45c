"""Untargeted controls: an attack is worth what it adds to them.

JPEG, median and blur are what any user might do to a photograph; wavelet denoising subtracts the
noise residual that the wdf victims read (Lukáš et al. 2006).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from attacks.specs import CONTROLS
from bench.contract import Attack, AttackSpec
from bench.recipes import Recipe
from bench.signal.wavelet import denoise
from bench.types import Json


class Identity(Attack):
    """Changes nothing: its rows are the clean predictions."""

    spec = CONTROLS["Identity"][0]

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Return the images."""
        return images


class Jpeg(Attack):
    """Re-compress with Pillow's standard tables, at a quality of 85 % unless told otherwise."""

    spec = CONTROLS["Jpeg"][0]
    quality_percent: int = 85

    def __init__(
        self,
        spec: AttackSpec | None = None,
        *,
        classes: Sequence[str] = (),
        recipe: Recipe | None = None,
        quality_percent: int | None = None,
    ) -> None:
        super().__init__(spec, classes=classes, recipe=recipe)
        if quality_percent is not None:
            self.quality_percent = quality_percent
        if not 1 <= self.quality_percent <= 100:
            raise ValueError(f"expected `quality_percent` in 1-100, got {self.quality_percent}")

    @property
    def hyperparameters(self) -> Mapping[str, Json]:
        """The quality."""
        return {"quality_percent": self.quality_percent}

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Encode and decode each image."""
        pixels = (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        decoded = []
        for image in pixels:
            buffer = io.BytesIO()
            Image.fromarray(image).save(buffer, "JPEG", quality=self.quality_percent)
            decoded.append(np.asarray(Image.open(buffer)))
        stacked = torch.from_numpy(np.stack(decoded)).to(images.device)
        return stacked.permute(0, 3, 1, 2).float() / 255


class Median(Attack):
    """A median filter."""

    spec = CONTROLS["Median"][0]
    side_px: ClassVar[int] = 3

    @property
    def hyperparameters(self) -> Mapping[str, Json]:
        """The side of the window."""
        return {"side_px": self.side_px}

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Take the median of each window, reflected at the border."""
        pad = self.side_px // 2
        padded = F.pad(images, (pad,) * 4, mode="reflect")
        windows = padded.unfold(2, self.side_px, 1).unfold(3, self.side_px, 1)
        return windows.flatten(-2).median(-1).values


class GaussianBlur(Attack):
    """A Gaussian blur."""

    spec = CONTROLS["GaussianBlur"][0]
    sigma_px: ClassVar[float] = 1.0

    @property
    def hyperparameters(self) -> Mapping[str, Json]:
        """The standard deviation."""
        return {"sigma_px": self.sigma_px}

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Convolve with a separable kernel of seven standard deviations."""
        radius = round(3.5 * self.sigma_px)
        x = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
        kernel = torch.exp(-0.5 * (x / self.sigma_px) ** 2)
        kernel = (kernel / kernel.sum()).expand(3, 1, -1)
        padded = F.pad(images, (radius,) * 4, mode="reflect")
        across = F.conv2d(padded, kernel[:, :, None, :], groups=3)
        return F.conv2d(across, kernel[:, :, :, None], groups=3)


class WaveletDenoise(Attack):
    """Subtract the wavelet noise residual `wdf-v1`."""

    spec = CONTROLS["WaveletDenoise"][0]
    sigma_255: ClassVar[float] = 5.0

    @property
    def hyperparameters(self) -> Mapping[str, Json]:
        """The assumed noise standard deviation."""
        return {"sigma_255": self.sigma_255}

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Return x - W(x)."""
        return denoise(images, self.sigma_255)
