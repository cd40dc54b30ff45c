"""Fingerprints of devices, and how well an image fits one: peak-to-correlation energy.

A sensor's photo-response non-uniformity K multiplies the light, so an image I = g (1 + K) + noise
has K I in its noise residual W. K is estimated by maximum likelihood from images of nothing, K =
sum(W I) / sum(I^2) (Chen et al. 2008, Eq. 6). Estimate and residual are made grey, and what all
devices of a model share is taken out: the means of rows and columns in each phase of the CFA, and
peaks of the spectrum. PCE is that of Goljan, Fridrich & Filler 2009, Eq. 3, at no shift: image and
fingerprint are of the same pixels of the sensor. It is about 1 in size, of either sign, where they
do not belong together.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from bench.signal.wavelet import noise_part, wdf_residual

VERSION = 1
"""Raise it when fingerprints or PCE change: they are then computed anew."""
GREY = (0.2989, 0.587, 0.114)
REACH = 5
"""Samples to each side of the peak that its energy is not compared with."""


def estimate(batches: Iterable[Tensor]) -> Tensor:
    """Estimate the fingerprint of one device.

    Args:
        batches: (N, 3, H, W) uint8 each, of the same pixels of the sensor; evenly lit, not
            saturated.

    Returns:
        (H, W) float64, of no unit.

    Raises:
        ValueError: If there is no image.
    """
    products = squares = None
    for levels in batches:
        images = levels.float() / 255
        product = (wdf_residual(images) / 255 * images).double().sum(0)
        square = images.double().square().sum(0)
        products = product if products is None else products + product
        squares = square if squares is None else squares + square
    if products is None or squares is None:
        raise ValueError("expected images of evenly lit surfaces, got none")
    return unshared(_grey(products / squares.clamp_min(1e-9)))


def pce(images: Tensor, fingerprints: Tensor) -> Tensor:
    """Peak-to-correlation energy of images with fingerprints, with the sign of the peak.

    Args:
        images: (N, 3, H, W) uint8, sides of at least 16 pixels.
        fingerprints: (D, H, W), of `estimate`.

    Returns:
        (N, D) float64.
    """
    levels = images.float() / 255
    noise = torch.fft.rfft2(unshared(_grey((wdf_residual(levels) / 255).double())))
    light, size = _grey(levels.double()), images.shape[-2:]
    found = []
    for fingerprint in fingerprints:
        expected = light * fingerprint
        expected = expected - expected.mean((-2, -1), keepdim=True)
        match = torch.fft.irfft2(noise * torch.fft.rfft2(expected).conj(), s=size)
        peak = match[..., 0, 0].clone()
        near = match.roll((REACH, REACH), (-2, -1))[..., : 2 * REACH + 1, : 2 * REACH + 1]
        rest = match.square().sum((-2, -1)) - near.square().sum((-2, -1))
        energy = rest / (match[0].numel() - near[0].numel())
        found.append(peak * peak.abs() / energy.clamp_min(torch.finfo(energy.dtype).tiny))
    return torch.stack(found, 1)


def unshared(residual: Tensor) -> Tensor:
    """Take out of (..., H, W) residuals what is no device's own.

    Source: `zero_mean_total` and `wiener_dft` of Chen et al.'s toolbox, with the adaptive filter
    of the wavelet residual.
    """
    centred = residual.clone()
    for phase in (centred[..., y::2, x::2] for y in (0, 1) for x in (0, 1)):
        phase -= phase.mean((-2, -1), keepdim=True)
        phase -= phase.mean(-1, keepdim=True)
        phase -= phase.mean(-2, keepdim=True)
    height, width = centred.shape[-2:]
    spectrum = torch.fft.fft2(centred)
    size = spectrum.abs() / (height * width) ** 0.5
    variance = centred.var((-2, -1), keepdim=True)
    kept = noise_part(size, variance) / torch.where(size > 0, size, 1)
    found: Tensor = torch.fft.ifft2(spectrum * kept).real
    return found


def _grey(images: Tensor) -> Tensor:
    grey: Tensor = torch.einsum("c,...chw->...hw", torch.tensor(GREY).to(images), images)
    return grey
