"""Looking at a prepared suite: counts like the paper's Table 1, and a contact sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bench.data import encode_png
from bench.store.outputs import write_new
from bench.suites.base import Suite
from bench.suites.photographs.layouts import natural_key
from bench.types import ALL_SETS, SETS, Json

SHEET_COLUMNS = 8


def counts(suite: Suite) -> list[dict[str, Json]]:
    """Images and devices of each camera model in each set, and how many images in all.

    Raises:
        CamobenchError: If no set is on disk.
    """
    made = [name for name in ALL_SETS if suite.has(name)] or SETS[:1]
    frame = pd.concat([suite.manifest(name) for name in made])
    rows: list[dict[str, Json]] = []
    for model, split in (*suite.card.split_of.items(), ("total", "")):
        row: dict[str, Json] = {"camera model": model, "split": split}
        mine = frame if model == "total" else frame[frame["model"] == model]
        for name in (*SETS, *(name for name in made if name not in SETS)):
            part = mine[mine["set"] == name]
            row[f"Set-{name}"] = len(part)
            devices = {device.removeprefix(f"{model}/") for device in part["device"] if split}
            row[f"devices {name}"] = ", ".join(sorted(devices, key=natural_key))
        rows.append(row)
    return rows


def contact_sheet(suite: Suite, path: Path) -> None:
    """Save a picture with the first images of every camera model of Set-C, a row each.

    Raises:
        CamobenchError: If another file is there, or Set-C is not on disk.
    """
    manifest, images = suite.manifest("C"), suite.images("C")
    rows = []
    for _, mine in manifest.groupby("model", sort=False):
        tiles = [images[i] for i in mine.index[:SHEET_COLUMNS]]
        tiles += [np.full_like(images[0], 255)] * (SHEET_COLUMNS - len(tiles))
        rows.append(np.concatenate(tiles, axis=2))
    write_new(path, encode_png(np.concatenate(rows, axis=1)))
