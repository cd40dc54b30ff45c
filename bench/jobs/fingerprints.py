"""Fingerprints of a suite's devices: one Parquet file in the store, from their flat fields.

Each is of the pixels that a tile of Set-C shows: where photographs give several tiles, a device has
as many fingerprints.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.data import ImageError
from bench.jobs.scoring.rows import RowFolder, read_rows, write_rows
from bench.signal.fingerprint import VERSION, estimate, pce
from bench.store import Store, digest
from bench.suites.base import Suite
from bench.suites.flat_fields import FlatFields
from bench.suites.photographs.cutting import cut_again, tile_of
from bench.types import CamobenchError, Progress, tracked

FINGERPRINTS = "fingerprints"
BATCH = 16


def fingerprint_file(store: Store, key: str) -> Path:
    """Where the fingerprints with this key are."""
    return RowFolder(store.prediction_folder(key)).file(FINGERPRINTS, 0)


def keep_fingerprints(
    store: Store, suite: Suite, flat_fields: FlatFields, progress: Progress
) -> str:
    """Estimate the fingerprints of all devices that have flat fields, unless they are there.

    Returns:
        Their key.

    Raises:
        CamobenchError: If no device of Set-C has any, if there are none of a second one, or if
            frames differ in size.
    """
    manifest, side_px = suite.manifest("C"), suite.card.image_px
    mine = manifest[manifest["device"].isin(list(flat_fields.counts))]
    if mine.empty or len(flat_fields.counts) < 2:
        raise CamobenchError(
            "expected flat fields of a device of Set-C and of another: they are of "
            f"{', '.join(flat_fields.counts)}, Set-C has {', '.join(manifest['device'].unique())}"
        )
    tiles = sorted(set(map(tile_of, mine["image_id"])))
    key = digest([VERSION, flat_fields.identity, tiles, side_px])
    path = fingerprint_file(store, key)
    with store.lock("predictions", f"{path.parents[1].name}-{FINGERPRINTS}"):
        if not path.is_file():
            rows = []
            for device in tracked(flat_fields.counts, "fingerprints of devices", progress):
                for tile, pattern in _estimated(flat_fields, device, tiles, side_px):
                    told = {"device": device, "tile": tile}
                    rows.append(told | {"fingerprint": pattern.flatten()})
            write_rows(path, pd.DataFrame(rows), {})
    return key


def _estimated(
    flat_fields: FlatFields, device: str, tiles: Sequence[str], side_px: int
) -> list[tuple[str, NDArray[np.float32]]]:
    try:
        frames, sizes = [], set[tuple[int, ...]]()
        for frame in flat_fields.of(device):
            frames.append([cut_again(frame, tile, side_px) for tile in tiles])
            sizes.add(frame.shape)
    except ImageError as error:
        raise CamobenchError(f"flat fields of {device}: {error}") from error
    if len(sizes) > 1:
        told = " and ".join(f"{size[2]} x {size[1]}" for size in sorted(sizes))
        raise CamobenchError(
            f"flat fields of {device} are of {told} pixels: give those of one size"
        )
    cut = torch.from_numpy(np.stack(frames, axis=0))  # frames, tiles, 3, H, W
    return [
        (tile, estimate(torch.split(cut[:, place], BATCH)).float().numpy())
        for place, tile in enumerate(tiles)
    ]


class Fingerprints:
    """Those that `keep_fingerprints` made.

    Attributes:
        devices: In the order of what `pce` returns.
    """

    def __init__(self, store: Store, key: str) -> None:
        rows = read_rows([fingerprint_file(store, key)])
        self.devices = tuple(sorted(rows["device"].unique()))
        self._of: dict[str, Tensor] = {}
        for tile, some in rows.sort_values("device").groupby("tile"):
            flat = torch.from_numpy(np.stack(some["fingerprint"].to_list()))
            side = round(flat.shape[1] ** 0.5)
            self._of[str(tile)] = flat.view(-1, side, side).double()

    def pce(self, images: Tensor, image_ids: Sequence[str]) -> Tensor:
        """PCE of each image with each device: (N, D)."""
        fitting = [self._of[tile_of(image_id)] for image_id in image_ids]
        return torch.cat(
            [pce(one[None], some) for one, some in zip(images.cpu(), fitting, strict=True)]
        )
