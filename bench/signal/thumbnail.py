"""What an image looks like in small: low frequencies, by which copies of it are found."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

THUMBNAIL_PX = 32
LOW_FREQUENCIES = 8
_FINEST_PX = 512


def signature(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The low frequencies of an image's thumbnail; of a large image every few pixels are read.

    Args:
        image: (3, H, W).

    Returns:
        (64,) coefficients; their root mean square over 32 x 32 is a contrast in grey levels.
    """
    step = max(1, min(image.shape[1:]) // _FINEST_PX)
    grey = image[:, ::step, ::step].mean(axis=0, dtype=np.float32)
    down, across = _area_weights(grey.shape[0]), _area_weights(grey.shape[1])
    spectrum = dctn(down @ grey @ across.T, norm="ortho")
    low: NDArray[np.float32] = spectrum[1 : LOW_FREQUENCIES + 1, 1 : LOW_FREQUENCIES + 1]
    return low.ravel()


@cache
def _area_weights(side: int) -> NDArray[np.float32]:
    """(32, side) share of each pixel in each of 32 equal stretches."""
    edges = np.linspace(0, side, THUMBNAIL_PX + 1)
    pixels = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights: NDArray[np.float32] = np.float32(THUMBNAIL_PX / side) * np.clip(overlap, 0, 1)
    return weights.astype(np.float32)


def write_signature(low: NDArray[np.float32]) -> str:
    """A signature as text, in half precision."""
    return low.astype("<f2").tobytes().hex()


def read_signature(text: str) -> NDArray[np.float32]:
    """What `write_signature` wrote."""
    return np.frombuffer(bytes.fromhex(text), "<f2").astype(np.float32)
