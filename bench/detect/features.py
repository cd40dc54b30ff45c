"""What detectors read of an image: four short vectors of numbers.

Bonettini et al. 2019 train residual networks of 23 million weights on the same four inputs; these
are the summaries that a linear classifier learns from in seconds, so a stronger detector may see
more: an AUC near 0.5 here says that these do not, never that nothing does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.signal.cooccurrence import FEATURES, spam_features
from bench.signal.wavelet import wdf_residual

VERSION = 1
"""Raise it when features change: they are then measured anew."""
LAGS = tuple((y, x) for y in range(4) for x in range(-3, 4) if (y, x) > (0, 0))
"""Half of the neighbourhood: the other half says the same."""
LEVELS = (0.5, 1.0, 2.0, 4.0, 8.0)
SPECTRUM = (16, 8)
BLOCK = 8
TO_YCBCR = ((0.299, 0.587, 0.114), (-0.1687, -0.3313, 0.5), (0.5, -0.4187, -0.0813))


def features_of(images: Tensor) -> dict[str, Tensor]:
    """Each detector's features.

    Args:
        images: (N, 3, H, W) uint8, sides of at least 16 pixels.

    Returns:
        (N, F) float32 by detector.
    """
    residual = wdf_residual(images.float() / 255)
    return {name: measure(images, residual).float().cpu() for name, measure in _MEASURES.items()}


def _spam(images: Tensor, residual: Tensor) -> Tensor:
    """Transitions of pixel differences (`bench.signal.cooccurrence`), mean of the planes: 686."""
    return spam_features(images.flatten(0, 1)).view(-1, 3, FEATURES).mean(1)


def _residual(images: Tensor, residual: Tensor) -> Tensor:
    """Size, shape and correlations of the noise residual: 99 of three planes."""
    deviation = residual.std((2, 3), keepdim=True) + 1e-3
    unit = (residual - residual.mean((2, 3), keepdim=True)) / deviation
    found = [deviation.flatten(1).log(), (unit.abs().mean((2, 3)) + 1e-3).log()]
    found += [(unit.pow(4).mean((2, 3)) + 1e-3).log()]
    height, width = unit.shape[-2:]
    for y, x in LAGS:
        here = unit[..., y:, max(0, x) : width + min(0, x)]
        there = unit[..., : height - y, max(0, -x) : width - max(0, x)]
        found.append((here * there).mean((2, 3)))
    found.append((unit * unit.roll(1, 1)).mean((2, 3)))  # between planes
    found += [(residual.abs() < level).float().mean((2, 3)) for level in LEVELS]
    return torch.cat(found, 1)


def _fourier(images: Tensor, residual: Tensor) -> Tensor:
    """Logarithm of the residual's Fourier magnitude, in 16 x 8 bins of each plane's half."""
    spectrum = torch.fft.rfft2(residual - residual.mean((2, 3), keepdim=True))[..., :-1].abs()
    return F.adaptive_avg_pool2d(torch.fft.fftshift((spectrum + 1).log(), 2), SPECTRUM).flatten(1)


def _image(images: Tensor, residual: Tensor) -> Tensor:
    """The image itself in 8 x 8 cosine blocks, on the grid of a JPEG file and between it.

    Of each coefficient of Y, Cb and Cr its mean size, and how often it is next to nothing: 768.
    """
    from scipy.fft import dct  # slow to import, and only this asks for it

    colours = torch.einsum("cp,nphw->nchw", torch.tensor(TO_YCBCR).to(residual), images.float())
    waves = torch.from_numpy(dct(torch.eye(BLOCK).numpy(), axis=0, norm="ortho")).to(residual)
    found = []
    for start in (0, BLOCK // 2):
        blocks = colours[..., start:, start:].unfold(2, BLOCK, BLOCK).unfold(3, BLOCK, BLOCK)
        sizes = (waves @ blocks @ waves.T).abs().flatten(2, 3)  # N, 3, blocks, 8, 8
        found += [(sizes.mean(2) + 0.1).log(), (sizes < 0.5).float().mean(2)]
    return torch.cat([one.flatten(1) for one in found], 1)


_MEASURES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "spam": _spam,
    "residual": _residual,
    "fourier": _fourier,
    "image": _image,
}
DETECTORS = tuple(_MEASURES)
