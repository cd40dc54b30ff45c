"""The files of a set in the store: images and rows, and what is derived from them once for all.

A set is written chunk by chunk, so that a killed run continues; its arrays are memory-mapped.
"""

from __future__ import annotations

import mmap
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.store import (
    explaining_damage,
    explaining_full_disk,
    lock_beside_set,
    replacing,
    reserve_array,
)
from bench.store.checksums import is_as_written, keep_checksum
from bench.types import CamobenchError, Progress


def kept_array(
    folder: Path,
    name: str,
    shape: tuple[int, ...],
    fill: Callable[[NDArray[Any]], None],
    dtype: type[np.generic] = np.float32,
) -> NDArray[Any]:
    """The array called `name` in the folder of a set, mapped copy-on-write.

    `fill` writes it where there is none yet, or a damaged one. Processes that want the same one
    take turns.

    Raises:
        CamobenchError: If the disk is full.
    """
    path = folder / f"{name}.npy"
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


RowsFrom: TypeAlias = Callable[[int], Iterator[tuple[Any, NDArray[np.uint8]]]]
CHUNK_IMAGES = 32


def write_set(
    folder: Path,
    label: str,
    shape: tuple[int, int, int, int],
    rows_from: RowsFrom,
    progress: Progress,
) -> None:
    """Write `images.npy` and `manifest.parquet` of a set, each with its checksum.

    `folder` appears when all is whole. What a killed run has written stays beside it and is not
    made again; from then on damage is found, not before. The caller holds the set's lock.

    Args:
        folder: Of the set.
        label: What people call it.
        shape: Of its images.
        rows_from: Gives row and pixels of each image from some number on.
        progress: Told of every image.

    Raises:
        CamobenchError: If the set would be empty, or the disk is full.
        RuntimeError: If there are more or fewer images than were announced.
        ValueError: If one is of another shape or type.
    """
    count = shape[0]
    if count == 0:
        raise CamobenchError(f"{label} would be empty")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    manifest = unfinished / "manifest.parquet"
    with explaining_full_disk(folder.parent):
        images = _open_images(unfinished / "images.npy", shape)
        rows: list[dict[Any, Any]] = []
        if manifest.is_file():
            with explaining_damage(manifest, unfinished):
                rows = pd.read_parquet(manifest).to_dict("records")
        progress.start(label, count, len(rows))
        for row, pixels in rows_from(len(rows)) if len(rows) < count else ():
            if pixels.dtype != np.uint8 or pixels.shape != shape[1:]:
                raise ValueError(
                    f"{label}: expected uint8 images of {shape[1:]}, got one of {pixels.dtype} "
                    f"{pixels.shape}"
                )
            if len(rows) < count:
                images[len(rows)] = pixels
            rows.append({k: v for k, v in asdict(row).items() if k != "look" or v is not None})
            if len(rows) % CHUNK_IMAGES == 0 or len(rows) == count:
                images.flush()  # type: ignore[attr-defined]
                forget_pages(images)
                with replacing(manifest) as target:
                    pd.DataFrame(rows).to_parquet(target, index=False)
            progress.advance()
        del images  # closes the mapping, which some systems want before a rename
        if len(rows) != count:
            shutil.rmtree(unfinished)
            raise RuntimeError(f"{label} has {len(rows)} images, {count} were announced")
        for path in (unfinished / "images.npy", manifest):
            keep_checksum(path)
        shutil.rmtree(folder, ignore_errors=True)  # what somebody left of a set that was deleted
        unfinished.rename(folder)
    progress.finish()


def _open_images(path: Path, shape: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Open the array of a killed run, or reserve the space for a new one."""
    if path.is_file():
        try:
            found: NDArray[np.uint8] = np.load(path, mmap_mode="r+")
        except (ValueError, EOFError):  # killed while the file was being reserved
            found = np.empty(0, np.uint8)
        if found.shape == shape and found.dtype == np.uint8:
            return found
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir(parents=True)
    return reserve_array(path, np.uint8, shape)
