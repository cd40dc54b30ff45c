"""Writes a set of a suite into the store, chunk by chunk, so that a killed run continues."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.checksums import keep_checksum
from bench.store import explaining_full_disk, replacing, reserve_array
from bench.types import CamobenchError, Progress, SetName

if TYPE_CHECKING:
    from bench.suites.base import SuiteSource

CHUNK_IMAGES = 32


def write_set(
    source: SuiteSource, set_name: SetName, folder: Path, workers: int, progress: Progress
) -> None:
    """Write `images.npy` and `manifest.parquet` of a set, each with its checksum.

    `folder` appears when all is whole. What a killed run has written stays beside it and is not
    made again; from then on damage is found, not before. The caller holds the set's lock.

    Raises:
        CamobenchError: If the set would be empty, or the disk is full.
    """
    count, side = source.count(set_name), source.card.image_px
    if count == 0:
        raise CamobenchError(f"Set-{set_name} of {source.card.name} would be empty")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    manifest_file = unfinished / "manifest.parquet"
    manifest_file.unlink(missing_ok=True)  # of a run killed before its last step: the rows remain
    with explaining_full_disk(folder.parent):
        images = _open_images(unfinished / "images.npy", (count, 3, side, side))
        done = sum(len(pd.read_parquet(chunk)) for chunk in _chunks(unfinished))
        progress.start(f"{source.card.name}: Set-{set_name}", count, done)
        if done < count:
            done += _fill(source, set_name, workers, images, done, unfinished, progress)
        if done != count:
            shutil.rmtree(unfinished)
            raise RuntimeError(f"Set-{set_name} has {done} images, {count} were announced")
        del images  # closes the mapping, which some systems want before a rename
        keep_checksum(unfinished / "images.npy")
        manifest = pd.concat([pd.read_parquet(chunk) for chunk in _chunks(unfinished)])
        with replacing(manifest_file) as target:
            manifest.to_parquet(target, index=False)
        keep_checksum(manifest_file)
        unfinished.rename(folder)
        for chunk in _chunks(folder):  # only now: until the set is whole, they are its rows
            chunk.unlink()
    progress.finish()


def _fill(
    source: SuiteSource,
    set_name: SetName,
    workers: int,
    images: NDArray[np.uint8],
    first: int,
    unfinished: Path,
    progress: Progress,
) -> int:
    """Write the images from `first` on, with their rows in chunks; returns how many there were."""
    rows: list[dict[str, object]] = []
    index = first
    for row, pixels in source.rows(set_name, workers, first):
        if index < len(images):  # beyond that, the caller says that the count was wrong
            images[index] = pixels
        rows.append(asdict(row))
        index += 1
        if len(rows) == CHUNK_IMAGES or index == len(images):
            images.flush()  # type: ignore[attr-defined]
            with replacing(unfinished / f"rows-{index:08d}.parquet") as target:
                pd.DataFrame(rows).to_parquet(target, index=False)
            rows = []
        progress.advance()
    return index - first


def _chunks(unfinished: Path) -> Iterator[Path]:
    yield from sorted(unfinished.glob("rows-*.parquet"))


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
