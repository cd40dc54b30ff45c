"""From logits and distortions to the rows of the two tables that everything is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.contract import Victim
from bench.runner.items import Item
from bench.types import IN


def base_rows(
    items: Sequence[Item], manifest: pd.DataFrame, classes: Sequence[str], suite: str
) -> pd.DataFrame:
    """What both tables say of each item: where the image comes from and where it is sent."""
    rows = manifest.iloc[[item.index for item in items]]
    return pd.DataFrame(
        {
            "suite": suite,
            "split": rows["split"].to_numpy(),
            "image_id": rows["image_id"].to_numpy(),
            "photo_id": rows["photo_id"].to_numpy(),
            "device": rows["device"].to_numpy(),
            "source": rows["model"].to_numpy(),
            "target": pd.array(
                [None if i.target is None else classes[i.target] for i in items], dtype="string"
            ),
        }
    )


def prediction_rows(
    base: pd.DataFrame, victim: Victim, probabilities: NDArray[np.floating[Any]]
) -> pd.DataFrame:
    """Rows of one victim.

    Args:
        base: From `base_rows`.
        victim: Whose classes the columns of `probabilities` are, matched by name.
        probabilities: (N, C).
    """
    column = {name: i for i, name in enumerate(victim.classes)}
    row = np.arange(len(probabilities))
    best = probabilities.argmax(1)

    def probability(labels: pd.Series[Any]) -> NDArray[np.floating[Any]]:
        places = [-1 if pd.isna(label) else column.get(label, -1) for label in labels]
        found = np.array(places, dtype=np.intp)
        return np.where(found >= 0, probabilities[row, found], np.nan)

    return base.assign(
        victim=victim.spec.name,
        predicted=np.array(victim.classes, dtype=object)[best],
        p_source=np.where(base["split"] == IN, probability(base["source"]), np.nan),
        p_target=probability(base["target"]),
        p_predicted=probabilities[row, best],
    )
