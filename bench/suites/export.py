"""A set of a suite as files: a PNG without metadata an image, and a manifest.

Where labels are withheld they are in the order of a digest of their pixels, which tells nothing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd

from bench.data import encode_png
from bench.store import write_text
from bench.store.outputs import write_new
from bench.suites.base import Suite
from bench.types import SILENT, Progress, SetName, tracked

IMAGES = "images"
MANIFEST = "manifest.csv"
TOLD = ("model", "partition")
"""What whoever trains on a set is told of its images, beside file and SHA-256."""


def export_set(
    suite: Suite,
    set_name: SetName,
    out: Path,
    *,
    told: tuple[str, ...] | None = None,
    progress: Progress = SILENT,
) -> None:
    """Write the images that are not there yet, then `manifest.csv` with a row for each.

    Args:
        suite: With that set.
        set_name: Which.
        out: The folder, the caller's own.
        told: Columns of the suite's manifest that go into this one, all where `None`; `sha256` is
            that of the written file, `original_sha256` that of the photograph.
        progress: Told of every image.

    Raises:
        CamobenchError: If the set is not in the store, or a file of another content is there.
    """
    manifest, images = suite.manifest(set_name), suite.images(set_name)
    known = manifest.rename(columns={"sha256": "original_sha256"}).drop(
        columns="look", errors="ignore"
    )
    known = known if told is None else known[list(told)]
    order = list(range(len(manifest)))
    if told == ():
        order.sort(key=lambda index: hashlib.sha256(images[index].tobytes()).digest())
    files = []
    label = f"{suite.card.name}: writing Set-{set_name}"
    for number, index in enumerate(tracked(order, label, progress), start=1):
        file = f"{IMAGES}/{number:0{len(str(len(order)))}d}.png"
        data = encode_png(images[index])
        write_new(out / file, data)
        files.append({"file": file, "sha256": hashlib.sha256(data).hexdigest()})
    rows = pd.concat([pd.DataFrame(files), known.iloc[order].reset_index(drop=True)], axis=1)
    write_text(out / MANIFEST, rows.to_csv(index=False, lineterminator="\n"))
