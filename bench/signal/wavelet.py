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

from collections.abc import Sequence
from functools import reduce
from typing import Any

import pywt
import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS = 4
WINDOWS = (3, 5, 7, 9)
_REACH = max(WINDOWS) // 2

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


def local_energies(bands: Tensor) -> tuple[Tensor, ...]:
    """The mean square over each of `WINDOWS` centred at each sample, zeros outside."""
    energies: tuple[Tensor, ...] = _LocalEnergies.apply(bands)
    return energies


def analyse(images: Tensor) -> tuple[Tensor, Tensor]:
    """Split images into an approximation and three detail bands, all of them transposed.

    Args:
        images: (N, C, H, W).

    Returns:
        The approximation (N, C, w, h) and the details (3, N, C, w, h).
    """
    filters = (WAVELET.dec_lo, WAVELET.dec_hi)
    columns = torch.stack([_Decimate.apply(images, taps) for taps in filters])  # (2, N, C, h, W)
    columns = columns.mT.contiguous()  # (2, N, C, W, h)
    low, high = (_Decimate.apply(columns, taps) for taps in filters)  # (2, N, C, w, h)
    return low[0], torch.stack([low[1], high[0], high[1]])


def synthesise(approximation: Tensor, details: Tensor, size: _Size) -> Tensor:
    """Undo `analyse`, for images of the given height and width."""
    height, width = size
    rows, columns = details.shape[-2:]
    low = torch.stack([approximation[..., :rows, :columns], details[0]])
    high = details[1:]
    merged = _joined(low, high)[..., :width, :].mT.contiguous()  # (2, N, C, h, W)
    return _joined(merged[0], merged[1])[..., :height, :]


def _joined(low: Tensor, high: Tensor) -> Tensor:
    of_low: Tensor = _Interpolate.apply(low, WAVELET.rec_lo)
    of_high: Tensor = _Interpolate.apply(high, WAVELET.rec_hi)
    return of_low + of_high


class _LocalEnergies(torch.autograd.Function):
    """Box means, whose gradients are box means: autograd would copy a band for every slice."""

    generate_vmap_rule = True

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def forward(bands: Tensor) -> tuple[Tensor, ...]:
        height, width = bands.shape[-2:]
        energy = F.pad(bands.square(), (_REACH,) * 4)
        row_sums = energy[..., _REACH : _REACH + width].clone()
        energies = []
        for window in WINDOWS:
            radius = window // 2
            row_sums += energy[..., _REACH - radius :][..., :width]
            row_sums += energy[..., _REACH + radius :][..., :width]
            energies.append(_column_sums(row_sums, radius, height) / window**2)
        return tuple(energies)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        bands: Tensor = ctx.saved_tensors[0]
        height, width = bands.shape[-2:]
        total = torch.zeros_like(bands)
        wider = F.pad(total, (_REACH, _REACH, 0, 0))
        for window, gradient in zip(reversed(WINDOWS), reversed(gradients), strict=True):
            radius = window // 2
            wider += _column_sums(F.pad(gradient / window**2, (_REACH,) * 4), radius, height)
            total += wider[..., _REACH - radius :][..., :width]
            total += wider[..., _REACH + radius :][..., :width]
        total += wider[..., _REACH : _REACH + width]
        return total * bands * 2


def _column_sums(padded: Tensor, radius: int, height: int) -> Tensor:
    first = _REACH - radius
    sums = padded[..., first : first + height, :].clone()
    for start in range(first + 1, _REACH + radius + 1):
        sums += padded[..., start : start + height, :]
    return sums


class _Decimate(torch.autograd.Function):
    """Mirror columns at half a sample, filter along them and keep the odd samples."""

    generate_vmap_rule = True

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Sequence[float]], output: Tensor) -> None:
        ctx.rows, ctx.taps = inputs[0].shape[-2], inputs[1]

    @staticmethod
    def forward(images: Tensor, taps: Sequence[float]) -> Tensor:
        length = len(taps)
        kept = (images.shape[-2] + length - 1) // 2
        before = images[..., : length - 2, :].flip(-2)
        after = images[..., 1 - length :, :].flip(-2)
        extended = torch.cat([before, images, after], dim=-2)
        return _weighted_sum(
            [extended[..., start : start + 2 * kept - 1 : 2, :] for start in range(length)],
            taps[::-1],
        )

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        rows, taps = ctx.rows, ctx.taps
        length = len(taps)
        spread = (0, 0, length // 2 - 1, length // 2)  # the last row of `after` may be unread
        extended = _interpolated(F.pad(gradient, spread), taps[::-1])
        images = extended[..., length - 2 : length - 2 + rows, :].clone()
        images[..., : length - 2, :] += extended[..., : length - 2, :].flip(-2)
        mirrored = extended[..., length - 2 + rows : 2 * length - 3 + rows, :].flip(-2)
        images[..., 1 - length :, :] += mirrored
        return images, None


class _Interpolate(torch.autograd.Function):
    """Insert zeros between samples of columns and filter along them, without the borders."""

    generate_vmap_rule = True

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Sequence[float]], output: Tensor) -> None:
        ctx.taps = inputs[1]

    @staticmethod
    def forward(coefficients: Tensor, taps: Sequence[float]) -> Tensor:
        return _interpolated(coefficients, taps)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        length, rows = len(ctx.taps), gradient.shape[-2]
        padded = F.pad(gradient, (0, 0, length - 2, length - 2))
        windows = [padded[..., start : start + rows + length - 2 : 2, :] for start in range(length)]
        return _weighted_sum(windows, ctx.taps), None


def _interpolated(coefficients: Tensor, taps: Sequence[float]) -> Tensor:
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
