"""Manifests that pass every check, for tests to spoil."""

from __future__ import annotations

import pandas as pd

from bench.suites.base import SuiteCard

CARD = SuiteCard(
    name="toy-v1",
    version=1,
    fingerprint="f" * 64,
    classes=("one", "two"),
    others=("three",),
    image_px=64,
)


def manifest(per_device=2):
    """Two devices of each class in each set, one of the outsider; a JPEG table for everything."""
    rows = []
    for set_name in "ABC":
        for model in ("one", "two", "three") if set_name == "C" else ("one", "two"):
            for device in range(2):
                for shot in range(per_device):
                    name = f"{set_name}-{model}-{device}-{shot}"
                    rows.append(
                        {
                            "image_id": name,
                            "photo_id": name,
                            "model": model,
                            "device": f"{model}-{set_name}{device}",
                            "scene": f"{set_name}{device}{shot}",
                            "set": set_name,
                            "split": "out" if model == "three" else "in",
                            "partition": "evaluation"
                            if set_name == "C"
                            else ("train", "validation")[shot % 2],
                            "sha256": name,
                            "jpeg_tables": "t",
                            "jpeg_quality": 90,
                            "jpeg_subsampling": "4:2:0",
                        }
                    )
    return pd.DataFrame(rows)


def spoilt(**cells):
    """The manifest with columns of single rows changed: `image_id__column=value` by keyword."""
    frame = manifest()
    for place, value in cells.items():
        name, column = place.split("__")
        rows = frame["image_id"] == name.replace("_", "-")
        assert rows.sum() == 1, name
        frame.loc[rows, column] = value
    return frame
