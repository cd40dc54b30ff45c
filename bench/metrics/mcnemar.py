"""McNemar's exact test: two attacks on the same images, one victim, one target."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, kw_only=True)
class McNemar:
    """Images on which only one of two attacks succeeds, and the exact two-sided p-value."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar:
    """Test whether two attacks succeed equally often on the same images.

    Images count as independent: right within one victim and one target, where each is there once;
    several tiles of one photograph make p too small.

    Args:
        first: (N,) 1 where the first attack succeeds, else 0.
        second: (N,) likewise of the second.

    Raises:
        ValueError: If the lengths differ, or a value is neither 0 nor 1.

    Source: McNemar 1947; the discordant pairs are binomial with probability 1/2.
    """
    from scipy.stats import binomtest  # takes a second, and few comparisons need it

    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.ndim != 1 or one.shape != other.shape:
        raise ValueError(f"expected equal lengths, got shapes {one.shape} and {other.shape}")
    if not (np.isin(one, (0, 1)).all() and np.isin(other, (0, 1)).all()):
        raise ValueError("expected successes of 0 or 1, one an image")
    alone = int((one > other).sum()), int((other > one).sum())
    discordant = sum(alone)
    p = float(binomtest(alone[0], discordant, 0.5).pvalue) if discordant else 1.0
    return McNemar(only_first=alone[0], only_second=alone[1], p=p)
