"""How much an anonymised image differs from its original: PSNR, SSIM, LPIPS.

All three see 8-bit images, as the victims do.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.metrics.lpips import load_lpips


@dataclass(frozen=True, kw_only=True)
class Distortion:
    """Per-image distortions, each (N,) on the CPU."""

    psnr_db: Tensor
    ssim: Tensor
    lpips: Tensor


def psnr_db(originals: Tensor, anonymised: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of (N, 3, H, W) uint8 images: (N,) decibels, inf where equal.

    The squares are summed as integers, exactly and on devices without float64; the result is on
    the CPU.
    """
    squares = (originals.int() - anonymised.int()).square().sum(dim=(1, 2, 3)).cpu()
    return 10 * torch.log10(255.0**2 / (squares.double() / originals[0].numel()))


def ssim(originals: Tensor, anonymised: Tensor) -> Tensor:
    """Structural similarity of (N, 3, H, W) uint8 images: (N,).

    An 11 x 11 Gaussian window at every pixel, mirrored at the border (Wang et al. 2004).
    """
    # Imported here: it takes seconds, and a matrix that is complete needs none of it.
    from torchmetrics.functional.image import structural_similarity_index_measure

    values = structural_similarity_index_measure(
        anonymised.float(), originals.float(), data_range=255.0, reduction="none"
    )
    if not isinstance(values, Tensor):
        raise TypeError("torchmetrics returned more than the similarity")
    return values.reshape(len(originals))


@torch.no_grad()
def measure(originals: Tensor, anonymised: Tensor) -> Distortion:
    """All distortions of (N, 3, H, W) uint8 images."""
    return Distortion(
        psnr_db=psnr_db(originals, anonymised),
        ssim=ssim(originals, anonymised).cpu(),
        lpips=load_lpips(originals.device)(originals, anonymised).cpu(),
    )
