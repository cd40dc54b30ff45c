"""Finds images that are the same, or nearly: digests, perceptual hashes, Hamming distances.

A hash tells whether each of 64 low frequencies of a 32 x 32 thumbnail lies above their median. It
outlives recompression, noise, resizing and changes of brightness; not a shift by more than a
thirtieth of the side, a crop, a flip or a turn.

Source: the DCT hash of Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions,
2010, sec. 3.2.1, here with frequencies 1 to 8 in both directions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

THUMBNAIL_PX = 32
LOW_FREQUENCIES = 8
_BLOCK = 1024  # hashes compared at a time: memory for a million pairs


def pixel_digest(image: NDArray[np.uint8]) -> str:
    """Digest of an image's pixels, hexadecimal."""
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).hexdigest()


def signature(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The low frequencies of an image's thumbnail.

    Args:
        image: (3, H, W).

    Returns:
        (64,) coefficients; their root mean square over 32 x 32 is a contrast in grey levels.
    """
    grey = image.mean(axis=0, dtype=np.float32)
    down, across = _area_weights(grey.shape[0]), _area_weights(grey.shape[1])
    spectrum = dctn(down @ grey @ across.T, norm="ortho")
    low: NDArray[np.float32] = spectrum[1 : LOW_FREQUENCIES + 1, 1 : LOW_FREQUENCIES + 1]
    return low.ravel()


def contrast_255(signatures: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) contrast of the low frequencies in grey levels, of (N, 64) signatures."""
    lengths: NDArray[np.float32] = np.linalg.norm(signatures, axis=1).astype(np.float32)
    return lengths / np.float32(THUMBNAIL_PX)


def perceptual_hashes(signatures: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(N,) hashes of 64 bits, of (N, 64) signatures."""
    above = signatures > np.median(signatures, axis=1, keepdims=True)
    return np.packbits(above, axis=1).view(np.uint64).ravel()


def hamming(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """(N, M) number of bits that differ between N and M hashes."""
    different = np.bitwise_xor(one[:, None], other[None, :])
    words = different.view(np.uint16).reshape(*different.shape, 4)
    bits: NDArray[np.uint8] = _bit_counts()[words].sum(axis=2, dtype=np.uint8)
    return bits


def near_pairs(
    hashes: NDArray[np.uint64], groups: NDArray[np.int64], most_bits: int
) -> Iterator[tuple[int, int, int]]:
    """Yield pairs of different groups whose hashes differ by at most `most_bits`.

    Args:
        hashes: (N,).
        groups: (N,); hashes of one group are not compared.
        most_bits: Largest Hamming distance.

    Yields:
        Two positions, the smaller first, and their distance.
    """
    for top in range(0, len(hashes), _BLOCK):
        for left in range(top, len(hashes), _BLOCK):
            rows, columns = slice(top, top + _BLOCK), slice(left, left + _BLOCK)
            strangers = groups[rows, None] != groups[None, columns]
            if not strangers.any():
                continue
            bits = hamming(hashes[rows], hashes[columns])
            for i, j in np.argwhere(strangers & (bits <= most_bits)):
                if top + i < left + j:
                    yield top + int(i), left + int(j), int(bits[i, j])


@cache
def _area_weights(side: int) -> NDArray[np.float32]:
    """(32, side) share of each pixel in each of 32 equal stretches."""
    edges = np.linspace(0, side, THUMBNAIL_PX + 1)
    pixels = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights: NDArray[np.float32] = np.float32(THUMBNAIL_PX / side) * np.clip(overlap, 0, 1)
    return weights.astype(np.float32)


@cache
def _bit_counts() -> NDArray[np.uint8]:
    """Number of ones in each value of 16 bits."""
    values = np.arange(1 << 16, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
    counts: NDArray[np.uint8] = np.unpackbits(values, axis=1).sum(axis=1, dtype=np.uint8)
    return counts
