"""The wavelet-Wiener noise residual `wdf-v1`, batched.

Each colour channel by itself goes through four levels of a separable db4 transform with symmetric
extension; in each detail band a local Wiener filter keeps what is noise, the approximation is
dropped, and the inverse transform is the residual. This is x - W(x) in Eq. 5 of Andrews, Zhang &
Griffin 2020, with the filter of Mihcak, Kozintsev & Ramchandran 1999. Deviation: the zero-mean and
spectral Wiener steps that fingerprints need are no part of this residual.

Filters are sums of slices, so results do not depend on batch size, and reduced-precision
convolution modes such as TF32 cannot touch them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

import pywt
import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS = 4
WINDOWS = (3, 5, 7, 9)

WAVELET = pywt.Wavelet("db4")

_Size = tuple[int, int]


def wdf_residual(images: Tensor, sigma_255: float = 5.0) -> Tensor:
    """Return the wavelet noise residual of each image.

    Compute it on whole images and cut patches afterwards: at 64 pixels the deepest level consists
    of border samples only.

    Args:
        images: (N, 3, H, W), RGB in [0, 1], sides of at least 16 pixels; computed in float32, or
            float64 if that is given.
        sigma_255: Noise standard deviation in grey levels.

    Returns:
        (N, 3, H, W) residual in grey levels.

    Source: Mihcak et al. 1999; checked against PyWavelets and SciPy to 5e-4 grey levels.
    """
    noise_variance = sigma_255**2
    approximation = 255 * images.to(torch.promote_types(images.dtype, torch.float32))
    sizes: list[_Size] = []
    noise_bands: list[Tensor] = []
    for _ in range(LEVELS):
        sizes.append((approximation.shape[-2], approximation.shape[-1]))
        approximation, details = analyse(approximation)
        noise_bands.append(noise_part(details, noise_variance))

    residual = torch.zeros_like(approximation)
    for size, details in zip(reversed(sizes), reversed(noise_bands), strict=True):
        residual = synthesise(residual, details, size)
    return residual.contiguous()


def denoise(images: Tensor, sigma_255: float = 5.0) -> Tensor:
    """Return the images less their wavelet noise residual, W(x).

    Args:
        images: (N, 3, H, W), RGB in [0, 1].
        sigma_255: Noise standard deviation in grey levels.

    Returns:
        (N, 3, H, W), RGB, not clipped.
    """
    return images - wdf_residual(images, sigma_255) / 255


def noise_part(bands: Tensor, noise_variance: float | Tensor) -> Tensor:
    """Keep of each coefficient what a local Wiener filter would remove."""
    least_energy = reduce(torch.minimum, local_energies(bands))
    signal_variance = (least_energy - noise_variance).clamp_min(0.0)
    return bands * (noise_variance / (signal_variance + noise_variance))


def local_energies(bands: Tensor) -> Iterator[Tensor]:
    """Yield the mean square over each window centred at each sample, zeros outside."""
    height, width = bands.shape[-2:]
    reach = max(WINDOWS) // 2
    energy = F.pad(bands.square(), (reach, reach, reach, reach))
    row_sums = energy[..., reach : reach + width]
    radius = 0
    for window in WINDOWS:
        while 2 * radius + 1 < window:
            radius += 1
            before, after = reach - radius, reach + radius
            row_sums = row_sums + energy[..., before : before + width]
            row_sums += energy[..., after : after + width]
        first = reach - radius
        box_sums = row_sums[..., first : first + height, :].clone()
        for start in range(first + 1, reach + radius + 1):
            box_sums += row_sums[..., start : start + height, :]
        yield box_sums / window**2


def analyse(images: Tensor) -> tuple[Tensor, Tensor]:
    """Split images into an approximation and three detail bands, all of them transposed.

    Args:
        images: (N, C, H, W).

    Returns:
        The approximation (N, C, w, h) and the details (3, N, C, w, h).
    """
    filters = (WAVELET.dec_lo, WAVELET.dec_hi)
    columns = torch.stack([_decimate(images, taps) for taps in filters])  # (2, N, C, h, W)
    columns = columns.mT.contiguous()  # (2, N, C, W, h)
    low, high = (_decimate(columns, taps) for taps in filters)  # (2, N, C, w, h)
    return low[0], torch.stack([low[1], high[0], high[1]])


def synthesise(approximation: Tensor, details: Tensor, size: _Size) -> Tensor:
    """Undo `analyse`, for images of the given height and width."""
    height, width = size
    rows, columns = details.shape[-2:]
    low = torch.stack([approximation[..., :rows, :columns], details[0]])
    high = details[1:]
    merged = _interpolate(low, WAVELET.rec_lo) + _interpolate(high, WAVELET.rec_hi)
    merged = merged[..., :width, :].mT.contiguous()  # (2, N, C, h, W)
    images = _interpolate(merged[0], WAVELET.rec_lo) + _interpolate(merged[1], WAVELET.rec_hi)
    return images[..., :height, :]


def _decimate(images: Tensor, taps: Sequence[float]) -> Tensor:
    """Mirror columns at half a sample, filter along them and keep the odd samples."""
    length = len(taps)
    kept = (images.shape[-2] + length - 1) // 2
    before = images[..., : length - 2, :].flip(-2)
    after = images[..., 1 - length :, :].flip(-2)
    extended = torch.cat([before, images, after], dim=-2)
    return _weighted_sum(
        [extended[..., start : start + 2 * kept - 1 : 2, :] for start in range(length)],
        taps[::-1],
    )


def _interpolate(coefficients: Tensor, taps: Sequence[float]) -> Tensor:
    """Insert zeros between samples of columns and filter along them, without the borders."""
    half = len(taps) // 2
    kept = coefficients.shape[-2] - half + 1
    windows = [coefficients[..., start : start + kept, :] for start in reversed(range(half))]
    phases = [_weighted_sum(windows, taps[0::2]), _weighted_sum(windows, taps[1::2])]
    return torch.stack(phases, dim=-2).flatten(-3, -2)


def _weighted_sum(terms: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    total = terms[0] * weights[0]
    for term, weight in zip(terms[1:], weights[1:], strict=True):
        total.add_(term, alpha=weight)
    return total
