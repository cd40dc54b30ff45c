"""A victim on untouched images: accuracy with intervals, calibration, and what was right before.

Expected calibration error of Guo et al. 2017 (On Calibration of Modern Neural Networks, eq. 3): the
mean over images of the gap between confidence and accuracy in bins of equal width, here of the
top label's probability. Bins are open below and closed above, as in the paper; torchmetrics closes
them below, which differs only for confidences that lie on an edge.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bench.metrics.paired import resampled
from bench.metrics.resampling import share_interval, wilson_interval
from bench.metrics.success import clean_rows
from bench.types import IN

BINS = 15


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
    right = rows["predicted"] == rows["source"]
    scenes = right.groupby(rows["scene"]).agg(["sum", "count"]).to_numpy(np.float64)
    drawn = resampled(scenes[None, :, :1], scenes[:, 1:], np.ones(1))
    accuracy, photographs = float(right.mean()), rows["photo_id"].nunique()
    ends = None if drawn is None else share_interval(accuracy, drawn, len(scenes), photographs)
    low, high = ends or wilson_interval(accuracy, 1)
    return Share(name=name, images=len(rows), accuracy=accuracy, low=low, high=high)


def shares_by(rows: pd.DataFrame, column: str) -> tuple[Share, ...]:
    """The same for each value of a column such as "source" or "device", in order of name."""
    return tuple(share(str(name), part) for name, part in rows.groupby(column, sort=True))


def reliability(confidence: ArrayLike, correct: ArrayLike) -> pd.DataFrame:
    """Accuracy and mean confidence in `BINS` bins of equal width over [0, 1].

    Args:
        confidence: (N,) probabilities of the predicted labels.
        correct: (N,) whether the prediction is right.

    Returns:
        One row a bin: low, high, n, confidence, accuracy; the last two are NaN in an empty bin.

    Raises:
        ValueError: If a confidence is NaN or lies outside [0, 1].
    """
    sure = np.asarray(confidence, dtype=np.float64)
    right = np.asarray(correct, dtype=np.float64)
    if not ((sure > -1e-6) & (sure < 1 + 1e-6)).all():
        raise ValueError("expected confidences in [0, 1]; score this victim anew")
    edges = np.linspace(0, 1, BINS + 1)
    place = np.searchsorted(edges[1:-1], sure, side="left")  # (low, high]
    count = np.bincount(place, minlength=BINS)
    with np.errstate(invalid="ignore"):
        return pd.DataFrame(
            {
                "low": edges[:-1],
                "high": edges[1:],
                "n": count,
                "confidence": np.bincount(place, sure, BINS) / count,
                "accuracy": np.bincount(place, right, BINS) / count,
            }
        )


def expected_calibration_error(bins: pd.DataFrame) -> float:
    """Mean gap between confidence and accuracy over all images of a `reliability` table."""
    filled = bins[bins["n"] > 0]
    gaps = (filled["confidence"] - filled["accuracy"]).abs()
    return float((filled["n"] * gaps).sum() / filled["n"].sum())


def originally_correct(predictions: pd.DataFrame) -> pd.DataFrame:
    """In-distribution rows of the images that the row's own victim got right when untouched.

    An image that a victim misattributes untouched counts as a success of every attack in UASR.
    These rows leave it out, as much of the literature on adversarial examples does. Out of
    distribution no victim can be right, so those rows are left out.

    Returns:
        The rows kept, in their order and with their columns, numbered anew; all functions of
        `bench.metrics.success` take them.

    Raises:
        ValueError: As `clean_rows`: without the identity control nothing is known to be correct.
    """
    clean = clean_rows(predictions)
    right = clean.loc[clean["predicted"] == clean["source"], ["image_id", "victim"]]
    return predictions[predictions["split"] == IN].merge(right.drop_duplicates())
