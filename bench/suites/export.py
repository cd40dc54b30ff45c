"""A set of a suite as files: an image each, and a manifest.

A file is the stored JPEG, byte for byte, where its whole picture is the suite's image; else a PNG
without metadata. Where labels are withheld all are PNG, and are in the order of a digest of their
pixels, which tells nothing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from bench.data import decode_rgb, encode_png
from bench.store import write_text
from bench.store.outputs import write_new
from bench.suites.base import Suite
from bench.types import Progress, SetName, Silent

IMAGES = "images"
MANIFEST = "manifest.csv"
TOLD = ("model", "partition")
"""What whoever trains on a set is told of its images, beside file and SHA-256."""


def export_set(
    suite: Suite,
    set_name: SetName,
    out: Path,
    *,
    root: Path | None = None,
    told: tuple[str, ...] | None = None,
    progress: Progress | None = None,
) -> None:
    """Write the images that are not there yet, then `manifest.csv` with a row for each.

    Args:
        suite: With that set.
        set_name: Which.
        out: The folder, the caller's own.
        root: Where the photographs of the suite lie, if it is made of such: for stored JPEGs.
        told: Columns of the suite's manifest that go into this one, all where `None`; `sha256` is
            that of the written file, `original_sha256` that of the photograph.
        progress: Told of every image.

    Raises:
        CamobenchError: If the set is not in the store, or a file of another content is there.
    """
    progress = progress or Silent()
    manifest, images = suite.manifest(set_name), suite.images(set_name)
    manifest = manifest.rename(columns={"sha256": "original_sha256"})
    order = list(range(len(manifest)))
    if told == ():
        order.sort(key=lambda index: hashlib.sha256(images[index].tobytes()).digest())
    rows = []
    progress.start(f"{suite.card.name}: writing Set-{set_name}", len(order))
    for number, index in enumerate(order, start=1):
        row: Any = manifest.iloc[index]
        data = None if root is None else _stored_jpeg(root, row, images[index])
        file = f"{IMAGES}/{number:0{len(str(len(order)))}d}{'.png' if data is None else '.jpg'}"
        data = encode_png(images[index]) if data is None else data
        write_new(out / file, data)
        known = {str(name): row[name] for name in (manifest if told is None else told)}
        rows.append({"file": file, "sha256": hashlib.sha256(data).hexdigest()} | known)
        progress.advance()
    write_text(out / MANIFEST, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
    progress.finish()


def _stored_jpeg(root: Path, row: Any, pixels: NDArray[np.uint8]) -> bytes | None:
    """The photograph's file, if it is a JPEG of these pixels and still the one of the suite."""
    path = root / row["photo_id"]
    try:
        with Image.open(path) as image:
            if image.format != "JPEG" or (image.height, image.width) != pixels.shape[1:]:
                return None
        data = path.read_bytes()
    except (OSError, UnidentifiedImageError):
        return None
    same = hashlib.sha256(data).hexdigest() == row["original_sha256"]
    return data if same and np.array_equal(decode_rgb(data, str(path)), pixels) else None
