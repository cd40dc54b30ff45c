"""Simulated cameras that photograph simulated scenes.

Every draw hangs on one seed and a path of labels: `stream`.
"""

from __future__ import annotations

import hashlib

import numpy as np


def derive_seed(seed: int, *labels: str | int) -> int:
    """Return a 63-bit seed for the stream that `labels` name under `seed`.

    Hashing, rather than counting draws, makes a stream independent of the order in which
    streams are asked for, hence of the number of workers.
    """
    path = "/".join(str(part) for part in (seed, *labels))
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big") >> 1


def stream(seed: int, *labels: str | int) -> np.random.Generator:
    """Return the generator of the stream that `labels` name under `seed`."""
    return np.random.Generator(np.random.PCG64(derive_seed(seed, *labels)))
