"""Holm's correction: many comparisons, and one chance in twenty of a false one among them all."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values in the order given; reject those below the level.

    Args:
        p_values: (M,) of all comparisons that are shown.

    Raises:
        ValueError: If one is NaN or lies outside [0, 1].

    Source: Holm 1979, A simple sequentially rejective multiple test procedure.
    """
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"expected p-values in [0, 1], got {values!r}")
    order = np.argsort(values, kind="stable")
    stepped = (len(values) - np.arange(len(values))) * values[order]
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return adjusted
