"""Images that are there twice, by their pixels: exact copies, and near ones by perceptual hash.

A hash tells whether each of 64 low frequencies of a 32 x 32 thumbnail lies above their median. It
outlives recompression, noise, resizing and changes of brightness; not a shift by more than a
thirtieth of the side, a crop, a flip or a turn. Photographs are compared as images are: tiles of a
copy lie elsewhere where its size, or its set's number of tiles, differs.

Source: the DCT hash of Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions,
2010, sec. 3.2.1, here with frequencies 1 to 8 in both directions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.signal.thumbnail import THUMBNAIL_PX, read_signature, signature
from bench.suites.audit.manifest_checks import Finding, part_of, same_twice
from bench.suites.base import Suite
from bench.suites.set_files import forget_pages
from bench.types import SETS, Progress
from bench.wording import listed, plural

NEAR = "near copies"
MOST_BITS = 8
LEAST_CORRELATION = 0.9
"""Of the low frequencies. Unrelated images: 16 bits or more apart on simulated ones, 10 or more on
tiles of Dresden photographs, correlated by 0.61 or less and mostly by less than 0.9. Copies at JPEG
quality 20, brightened by 30 levels or under a gamma of 0.7 to 1.5: 6 bits or less, 0.98 or more."""
LEAST_CONTRAST_255 = 1.0  # below, recompression changes the hash


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What all images of a suite look like, in the order of the manifests of A, B and C.

    Attributes:
        digests: (N,) of the pixels.
        flat: (N,) whether all pixels are alike, as in an overexposed sky.
        signatures: (N, 64) low frequencies.
    """

    digests: NDArray[np.str_]
    flat: NDArray[np.bool_]
    signatures: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class NearCopy:
    """Two images that look alike.

    Attributes:
        one: Part and name of an image.
        other: The same of the other.
        bits: How many of 64 bits of the hashes differ.
        correlation: Of the low frequencies.
    """

    one: str
    other: str
    bits: int
    correlation: float


def look(suite: Suite, progress: Progress) -> Looks:
    """Look at every image of the suite."""
    stacks = [suite.images(name) for name in SETS]
    digests, flat, signatures = [], [], []
    progress.start(f"{suite.card.name}: hashing images", sum(map(len, stacks)))
    for images in stacks:
        for image in images:
            data = np.ascontiguousarray(image).data
            digests.append(hashlib.blake2b(data, digest_size=16).hexdigest())
            flat.append(bool((image == image[:, :1, :1]).all()))
            signatures.append(signature(image))
            forget_pages(images)
            progress.advance()
    progress.finish()
    return Looks(digests=np.array(digests), flat=np.array(flat), signatures=np.array(signatures))


def near_pairs(
    signatures: NDArray[np.float32], groups: NDArray[np.int64], rows_at_once: int = 1024
) -> Iterator[tuple[int, int, int]]:
    """Yield pairs of different groups whose hashes differ by at most `MOST_BITS`.

    Args:
        signatures: (N, 64).
        groups: (N,); images of one group are not compared.
        rows_at_once: Hashes compared with all others at a time; bounds the memory.

    Yields:
        Two positions, the smaller first, and how many bits differ.
    """
    above = signatures > np.median(signatures, axis=1, keepdims=True)
    signs = np.where(above, np.float32(1), np.float32(-1))  # products count equal bits, exactly
    for top in range(0, len(signs), rows_at_once):
        rows, columns = slice(top, top + rows_at_once), slice(top, None)
        bits = (signs.shape[1] - signs[rows] @ signs[columns].T) / 2
        strangers = groups[rows, None] < groups[None, columns]
        strangers |= groups[rows, None] > groups[None, columns]
        for i, j in np.argwhere(np.triu(strangers & (bits <= MOST_BITS))):
            yield top + int(i), top + int(j), int(bits[i, j])


def find_near_copies(frame: pd.DataFrame, looks: Looks) -> list[NearCopy]:
    """Pairs in different parts that look alike without being the same, most alike first.

    Of images, and of the photographs that they are cut from where these were looked at.
    """
    found = _alike(frame, "image_id", looks.digests, looks.signatures)
    if "look" in frame:
        photographs = frame[frame["look"].notna()].drop_duplicates("photo_id")
        signatures = np.array([read_signature(text) for text in photographs["look"]])
        found += _alike(photographs, "photo_id", photographs["sha256"].to_numpy(), signatures)
    return sorted(found, key=lambda pair: (pair.bits, -pair.correlation, pair.one, pair.other))


def _faint(signatures: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which have too little contrast to tell what is alike."""
    contrast = np.linalg.norm(signatures, axis=1) / np.float32(THUMBNAIL_PX)
    return np.asarray(contrast < LEAST_CONTRAST_255)


def _alike(
    frame: pd.DataFrame,
    name: str,
    digests: NDArray[Any],
    signatures: NDArray[np.float32],
) -> list[NearCopy]:
    """Pairs of rows, called by a column, that look alike and have other digests."""
    usable = np.flatnonzero(~_faint(signatures))
    parts = part_of(frame)
    names = (parts + ": " + frame[name]).to_numpy()
    unit = signatures / np.linalg.norm(signatures, axis=1, keepdims=True).clip(1e-9)
    found = []
    for i, j, bits in near_pairs(signatures[usable], pd.factorize(parts)[0][usable]):
        one, other = usable[i], usable[j]
        correlation = float(unit[one] @ unit[other])
        if correlation >= LEAST_CORRELATION and digests[one] != digests[other]:
            told = {"one": names[one], "other": names[other], "bits": bits}
            found.append(NearCopy(**told, correlation=round(correlation, 4)))
    return found


def copies_of_images(frame: pd.DataFrame, looks: Looks) -> Finding:
    """No two images have the same pixels; those of one single colour are left out."""
    judged = frame.assign(pixels=looks.digests)[~looks.flat]
    found = same_twice(judged, "pixels", "image")
    if not looks.flat.any():
        return found
    left_out = f"left out: {plural(int(looks.flat.sum()), 'image')} of a single colour"
    if found.verdict == "pass":
        return replace(found, verdict="warn", finding=f"{left_out}; {found.finding}")
    return replace(found, finding=f"{found.finding}; {left_out}")


def near_copies(found: list[NearCopy], looks: Looks) -> Finding:
    """Nothing in one part of the suite looks like something in another."""
    pale = plural(int(_faint(looks.signatures).sum()), "image")
    how = (
        f"at most {MOST_BITS} of 64 bits of the perceptual hashes apart and correlated by "
        f"{LEAST_CORRELATION} or more; left out: {pale} with too little contrast"
    )
    if not found:
        return Finding(NEAR, "pass", f"no pair across sets or partitions; {how}")
    pairs = listed(f"{pair.one} ~ {pair.other} ({pair.bits} bits)" for pair in found)
    what = f"{plural(len(found), 'pair')} across sets or partitions look alike"
    return Finding(NEAR, "warn", f"{what}; {pairs}; {how}")
