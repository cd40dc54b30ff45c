"""Keeps arrays derived from a set's images beside them, memory-mapped: made once for all jobs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from bench.store import explaining_full_disk, replacing


class FolderKeeper:
    """Keeps arrays in a folder; processes that want the same one take turns.

    Args:
        folder: Exists.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def array(
        self, name: str, shape: tuple[int, ...], fill: Callable[[NDArray[np.float32]], None]
    ) -> NDArray[np.float32]:
        """The array called `name`, mapped copy-on-write; `fill` writes it where there is none yet.

        Raises:
            CamobenchError: If the disk is full.
        """
        path = self._folder / f"{name}.npy"
        with FileLock(self._folder / f"{name}.lock"):
            if not path.is_file():
                with explaining_full_disk(self._folder), replacing(path) as target:
                    values = np.lib.format.open_memmap(
                        target, mode="w+", dtype=np.float32, shape=shape
                    )
                    fill(values)
                    values.flush()
        kept: NDArray[np.float32] = np.load(path, mmap_mode="c")
        return kept
