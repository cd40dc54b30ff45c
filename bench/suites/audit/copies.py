"""Images that are there twice, by their pixels: exact copies, and near ones by perceptual hash."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.suites.audit.finding import Finding
from bench.suites.audit.hashing import (
    contrast_255,
    near_pairs,
    perceptual_hashes,
    pixel_digest,
    signature,
)
from bench.suites.audit.leaks import part_of, same_twice
from bench.suites.base import Suite
from bench.types import SETS, Progress
from bench.wording import listed, plural

IMAGES = "copies of images"
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
            digests.append(pixel_digest(image))
            flat.append(bool((image == image[:, :1, :1]).all()))
            signatures.append(signature(image))
            progress.advance()
    progress.finish()
    return Looks(digests=np.array(digests), flat=np.array(flat), signatures=np.array(signatures))


def copies_of_images(frame: pd.DataFrame, looks: Looks) -> Finding:
    """No two images have the same pixels; those of one single colour are left out."""
    judged = frame.assign(part=part_of(frame), pixels=looks.digests)[~looks.flat]
    found = same_twice(judged, "pixels", check=IMAGES, what="image")
    if not looks.flat.any():
        return found
    left_out = plural(int(looks.flat.sum()), "image")
    return Finding(
        check=IMAGES,
        verdict="warn" if found.verdict == "pass" else found.verdict,
        finding=f"{found.finding}; left out: {left_out} of a single colour",
    )


def find_near_copies(frame: pd.DataFrame, looks: Looks) -> list[NearCopy]:
    """Pairs in different parts that look alike without being the same, most alike first."""
    usable = np.flatnonzero(contrast_255(looks.signatures) >= LEAST_CONTRAST_255)
    signatures = looks.signatures[usable]
    parts = part_of(frame)
    names = (parts + ": " + frame["image_id"]).to_numpy()
    groups = pd.factorize(parts)[0][usable]
    unit = signatures / np.linalg.norm(signatures, axis=1, keepdims=True)
    found = []
    for i, j, bits in near_pairs(perceptual_hashes(signatures), groups, MOST_BITS):
        one, other = usable[i], usable[j]
        correlation = float(unit[i] @ unit[j])
        if correlation >= LEAST_CORRELATION and looks.digests[one] != looks.digests[other]:
            found.append(
                NearCopy(
                    one=names[one],
                    other=names[other],
                    bits=bits,
                    correlation=round(correlation, 4),
                )
            )
    return sorted(found, key=lambda pair: (pair.bits, -pair.correlation, pair.one, pair.other))


def near_copies(found: list[NearCopy], looks: Looks) -> Finding:
    """Nothing in one part of the suite looks like something in another."""
    faint = int((contrast_255(looks.signatures) < LEAST_CONTRAST_255).sum())
    how = (
        f"at most {MOST_BITS} of 64 bits of the perceptual hashes apart and correlated by "
        f"{LEAST_CORRELATION} or more"
    )
    if faint:
        how += f"; left out: {plural(faint, 'image')} with too little contrast"
    if not found:
        return Finding(
            check=NEAR, verdict="pass", finding=f"no pair across sets or partitions; {how}"
        )
    pairs = listed(f"{pair.one} ~ {pair.other} ({pair.bits} bits)" for pair in found)
    return Finding(
        check=NEAR,
        verdict="warn",
        finding=f"{plural(len(found), 'pair')} of images across sets or partitions look alike; "
        f"{pairs}; {how}",
    )
