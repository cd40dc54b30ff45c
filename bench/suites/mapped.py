"""Images that are mapped from a file: what was read of them need not stay in memory."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray


def forget_pages(images: NDArray[Any]) -> None:
    """Drop what was read of a memory-mapped array from this process; reading it again is cheap.

    Pages that were read count as the process's memory until then, so that its size would seem to
    grow with the number of images. Nothing is done where the system knows no such call.
    """
    mapping = getattr(images, "_mmap", None) if isinstance(images, np.memmap) else None
    if isinstance(mapping, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)
