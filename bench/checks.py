"""Checks on tensors that cross a contract, and on devices; each raises with what it found."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.types import CamobenchError

PATCH_PX = 64
"""Side of the training patches; the smallest image that can be attributed or anonymised."""


def require_images(images: Tensor) -> None:
    """Raise a `ValueError` unless `images` is a (N, 3, H, W) tensor."""
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"expected `images` of shape (N, 3, H, W), got {tuple(images.shape)}")


def require_finite(values: Tensor, what: str) -> None:
    """Raise a `ValueError` that says how many values are NaN or infinite, if any is."""
    bad = int((~torch.isfinite(values)).sum())
    if bad:
        raise ValueError(f"{what}: {bad} of {values.numel()} values are NaN or infinite")


def to_unit(images: Tensor) -> Tensor:
    """Turn uint8 images into float32 in [0, 1], exact multiples of 1/255.

    Raises:
        TypeError: If `images` is not uint8.
    """
    if images.dtype != torch.uint8:
        raise TypeError(f"expected uint8 images, got {images.dtype}")
    return images.to(torch.float32) / 255


def to_uint8(images: Tensor) -> Tensor:
    """Clip to [0, 1] and round to 8 bits, exactly as a PNG on disk would hold them."""
    return (images.float().clamp(0, 1) * 255).round().to(torch.uint8)


def resolve_device(name: str) -> str:
    """Turn "auto" into the best device here, and check any other name.

    Raises:
        CamobenchError: If torch cannot use that device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise CamobenchError(f"device {name!r} cannot be used here: {error}") from error
    return name
