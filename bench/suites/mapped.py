"""Arrays that are mapped from files; what is derived from a set's images is made once for all."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.store import lock_beside_set, replacing, reserve_array
from bench.store.checksums import is_as_written, keep_checksum


class FolderKeeper:
    """Keeps arrays in a folder; processes that want the same one take turns.

    Args:
        folder: Of a set in a store: STORE/data/SUITE/SET.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def array(
        self,
        name: str,
        shape: tuple[int, ...],
        fill: Callable[[NDArray[Any]], None],
        dtype: type[np.generic] = np.float32,
    ) -> NDArray[Any]:
        """The array called `name`, mapped copy-on-write; `fill` writes it where there is none yet.

        One that is damaged is made anew.

        Raises:
            CamobenchError: If the disk is full.
        """
        path = self._folder / f"{name}.npy"
        with lock_beside_set(path):
            if not is_as_written(path):
                with replacing(path) as target:
                    values = reserve_array(target, dtype, shape)
                    fill(values)
                    values.flush()
                    keep_checksum(path, target)
        kept: NDArray[Any] = np.load(path, mmap_mode="c")
        return kept


def forget_pages(images: NDArray[Any]) -> None:
    """Drop what was read of a memory-mapped array from this process; reading it again is cheap.

    Pages that were read count as the process's memory until then, so that its size would seem to
    grow with the number of images. Nothing is done where the system knows no such call.
    """
    mapping = getattr(images, "_mmap", None) if isinstance(images, np.memmap) else None
    if isinstance(mapping, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)
