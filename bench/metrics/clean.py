"""Clean accuracy of one victim in detail: with intervals, by camera model and by device."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Share:
    """Share of a group's untouched images that a victim gets right.

    Attributes:
        name: Of the camera model, the device, or what else was grouped.
        images: How many.
        low: End of the 95 % interval, as a fraction.
        high: Its other end.
    """

    name: str
    images: int
    accuracy: float
    low: float
    high: float


def share(name: str, rows: pd.DataFrame) -> Share:
    """Accuracy over the prediction rows of one victim on untouched images."""
    right = (rows["predicted"] == rows["source"]).to_numpy()
    low, high = wilson_interval(right, rows["photo_id"])
    return Share(name=name, images=len(rows), accuracy=float(right.mean()), low=low, high=high)


def shares_by(rows: pd.DataFrame, column: str) -> tuple[Share, ...]:
    """The same for each value of a column such as "source" or "device", in order of name."""
    return tuple(share(str(name), part) for name, part in rows.groupby(column, sort=True))


def wilson_interval(
    right: "np.ndarray", photographs: "pd.Series[str]", level: float = 0.95
) -> tuple[float, float]:
    """Wilson's interval of a share whose images come from photographs of several tiles.

    Each photograph counts once, however many tiles it gives: tiles of one photograph are right or
    wrong together, and where they are not, the interval is a little wide.

    Args:
        right: (N,) booleans.
        photographs: (N,) the photograph of each image.
        level: Coverage.

    Raises:
        ValueError: If there is no image.

    Source: with one image a photograph this is `scipy.stats.binomtest(...).proportion_ci` by
    Wilson's method without continuity correction.
    """
    hits = np.asarray(right, dtype=np.float64)
    if not hits.size:
        raise ValueError("expected at least one image")
    photos, mean = int(pd.Series(photographs).nunique()), float(hits.mean())
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = (mean + z**2 / (2 * photos)) / (1 + z**2 / photos)
    half = math.sqrt(mean * (1 - mean) / photos + (z / (2 * photos)) ** 2)
    half *= z / (1 + z**2 / photos)
    return max(0.0, centre - half), min(1.0, centre + half)
