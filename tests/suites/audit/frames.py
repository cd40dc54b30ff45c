"""Manifests that pass every check, for tests to spoil."""

from __future__ import annotations

from itertools import product

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


def manifest():
    """Two devices of each class in each set, one of the outsider; a JPEG table for everything."""
    rows = []
    for set_name, model, device, shot in product("ABC", ("one", "two", "three"), (0, 1), (0, 1)):
        name = f"{set_name}-{model}-{device}-{shot}"
        trained = ("train", "validation")[shot]
        row = {
            "image_id": name,
            "photo_id": name,
            "model": model,
            "device": f"{model}-{set_name}{device}",
            "scene": f"{set_name}{device}{shot}",
            "set": set_name,
            "split": "out" if model == "three" else "in",
            "partition": "evaluation" if set_name == "C" else trained,
            "sha256": name,
            "jpeg_tables": "t",
            "jpeg_quality": 90,
            "jpeg_subsampling": "4:2:0",
        }
        if set_name == "C" or model != "three":
            rows.append(row)
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
