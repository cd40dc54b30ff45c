"""Calibration of a victim: does it know how sure it may be?

Expected calibration error of Guo et al. 2017 (On Calibration of Modern Neural Networks, eq. 3): the
mean over images of the gap between confidence and accuracy in bins of equal width, here of the
top label's probability. Bins are open below and closed above, as in the paper; torchmetrics closes
them below, which differs only for confidences that lie on an edge.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

BINS = 15


def reliability(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> pd.DataFrame:
    """Accuracy and mean confidence in bins of equal width over [0, 1].

    Args:
        confidence: (N,) probabilities of the predicted labels.
        correct: (N,) whether the prediction is right.
        bins: Number of bins.

    Returns:
        One row a bin: low, high, n, confidence, accuracy; the last two are NaN in an empty bin.

    Raises:
        ValueError: If there is no image, the lengths differ, `bins` is not positive, or a
            confidence is NaN or lies outside [0, 1].
    """
    sure = np.asarray(confidence, dtype=np.float64)
    right = np.asarray(correct, dtype=np.float64)
    if sure.ndim != 1 or sure.shape != right.shape or not sure.size:
        raise ValueError(
            "expected as many confidences as verdicts and at least one, got shapes "
            f"{sure.shape} and {right.shape}"
        )
    if bins < 1:
        raise ValueError(f"expected at least one bin, got {bins}")
    if not ((sure > -1e-6) & (sure < 1 + 1e-6)).all():
        raise ValueError("expected confidences in [0, 1]; score this victim anew")
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], sure, side="left")  # (low, high]
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        return pd.DataFrame(
            {
                "low": edges[:-1],
                "high": edges[1:],
                "n": count,
                "confidence": np.bincount(place, sure, bins) / count,
                "accuracy": np.bincount(place, right, bins) / count,
            }
        )


def expected_calibration_error(bins: pd.DataFrame) -> float:
    """Mean gap between confidence and accuracy over all images of a `reliability` table."""
    filled = bins[bins["n"] > 0]
    gaps = (filled["confidence"] - filled["accuracy"]).abs()
    return float((filled["n"] * gaps).sum() / filled["n"].sum())
