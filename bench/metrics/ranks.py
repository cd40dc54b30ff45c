"""Who leads, and how sure that is: ranks with intervals, and groups that are not told apart."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.metrics.resampling import TAIL

ALPHA = 0.05


def ranks(figures: NDArray[np.float64]) -> NDArray[np.int64]:
    """(B, K) ranks within each row of (B, K) figures: 1 is the highest, equals share the lowest."""
    higher = figures[:, None, :] > figures[:, :, None]
    found: NDArray[np.int64] = 1 + higher.sum(axis=2)
    return found


def rank_intervals(
    means: Sequence[float], drawn: NDArray[np.float64]
) -> list[tuple[int, int, int]]:
    """Rank and its 95 % interval of each of K attacks.

    Args:
        means: (K,) figures without a draw.
        drawn: (B, K) figures of each draw.

    Returns:
        (rank, low, high) by attack; the ends are ranks that occur, rounded outward.
    """
    found = ranks(drawn)
    low = np.quantile(found, TAIL, axis=0, method="lower")
    high = np.quantile(found, 1 - TAIL, axis=0, method="higher")
    first = ranks(np.array([means]))[0]
    return [(int(r), int(a), int(b)) for r, a, b in zip(first, low, high, strict=True)]


def tie_groups(means: Sequence[float], adjusted: Mapping[frozenset[int], float]) -> list[int]:
    """Groups of attacks that are not told apart from their group's leader.

    The best attack leads the first group. Down the ranks, the first attack that differs from its
    group's leader leads the next one, so that groups are never mixed.

    Args:
        means: (K,) figure of each attack.
        adjusted: p-value of each pair of positions, corrected for all of them; below `ALPHA` the
            two differ.

    Returns:
        (K,) group of each attack, from 1.
    """
    groups, leader, number = [0] * len(means), -1, 0
    for place in sorted(range(len(means)), key=lambda place: -means[place]):
        if leader < 0 or adjusted[frozenset((leader, place))] < ALPHA:
            leader, number = place, number + 1
        groups[place] = number
    return groups
