"""Bayer colour filter arrays: sampling, demosaicing, and the synthetic CFA (sCFA) built on both.

The sCFA of Andrews, Zhang & Griffin 2020 strips an image of its camera's demosaicing traces by
sampling it through a Bayer pattern and interpolating it again. The same demosaicers are what a
simulated camera has inside.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.signal.demosaicers import METHODS, Planes


def mosaic(images: Tensor, pattern: str = "RGGB") -> Tensor:
    """Sample images through a Bayer colour filter array.

    Args:
        images: (N, 3, H, W), RGB.
        pattern: The filter colours of the top-left 2x2 cell, row by row.

    Returns:
        (N, 1, H, W): at each pixel the colour its filter lets through.
    """
    row, column = divmod(pattern.index("R"), 2)
    height, width = images.shape[-2:]
    red_rows = (torch.arange(height, device=images.device) % 2 == row)[:, None]  # (H, 1)
    red_columns = torch.arange(width, device=images.device) % 2 == column  # (W,)
    red, green, blue = images[:, 0:1], images[:, 1:2], images[:, 2:3]
    chroma = torch.where(red_rows, red, blue)
    return torch.where(red_rows == red_columns, chroma, green)


def demosaic(mosaic: Tensor, method: str, pattern: str = "RGGB") -> Tensor:
    """Interpolate the two colours that each pixel of a Bayer mosaic lacks.

    The mosaic is mirrored at its borders about the outermost sample, which keeps the CFA phase.
    The result is not clipped. Measured samples are returned exactly.

    Args:
        mosaic: (N, 1, H, W), sides of at least 16 pixels, odd ones included. The scale of [0, 1]
            is assumed by `smooth-hue` (its offset) and by the two directional methods (their ties).
        method: One of `METHODS`.
        pattern: The filter colours of the top-left 2x2 cell, row by row.

    Returns:
        (N, 3, H, W), RGB, of the mosaic's dtype and device.
    """
    row, column = divmod(pattern.index("R"), 2)
    height, width = mosaic.shape[-2:]
    interpolate, reach = METHODS[method]
    margin = 2 * reach
    padding = (
        margin + column,
        margin + (width + column) % 2,
        margin + row,
        margin + (height + row) % 2,
    )
    padded = F.pad(mosaic, padding, mode="reflect")
    planes = Planes(*F.pixel_unshuffle(padded, 2).unbind(1))
    rgb = interpolate(planes)
    cells = torch.stack([*rgb.red, *rgb.green, *rgb.blue], dim=1)  # (N, 12, h, w)
    full = F.pixel_shuffle(cells, 2)  # (N, 3, 2h, 2w)
    return full[..., row : row + height, column : column + width].contiguous()


def synthetic_cfa(images: Tensor, method: str = "menon2007") -> Tensor:
    """Replace the demosaicing traces of images by those of a known demosaicer (sCFA).

    Args:
        images: (N, 3, H, W), RGB in [0, 1], sides of at least 16 pixels.
        method: One of `METHODS`.

    Returns:
        (N, 3, H, W), RGB, not clipped; differentiable almost everywhere in `images`.
    """
    return demosaic(mosaic(images), method)
