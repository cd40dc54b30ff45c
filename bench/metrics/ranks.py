"""Who leads, and how sure that is: ranks with intervals, and groups that are not told apart."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.metrics.paired import family_weights
from bench.metrics.resampling import LEVEL, REPLICATES, photograph_draws, photograph_sums
from bench.metrics.success import Measure, success_indicators

ALPHA = 0.05


def common_rows(
    rows: pd.DataFrame,
    attacks: Sequence[str],
    unit: Sequence[str] = ("image_id", "target", "victim"),
) -> pd.DataFrame:
    """Rows of these attacks on the images, targets and victims that each of them was scored on.

    Without "target" in `unit`, targeted and untargeted attacks have images in common.
    """
    mine = rows[rows["attack"].isin(list(attacks))]
    scored = mine.groupby(list(unit), dropna=False)["attack"]
    return mine[scored.transform("nunique") == len(set(attacks))]


def resampled_means(
    rows: pd.DataFrame,
    attacks: Sequence[str],
    measure: Measure,
    families: Mapping[str, str],
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> NDArray[np.float64] | None:
    """Overall means of attacks under draws of whole photographs, the same draws for all.

    Args:
        rows: What `common_rows` returns.
        attacks: In the order of the columns.
        measure: Which success.
        families: Victim name to family; other victims are left out.
        replicates: Draws of photographs.
        seed: Of the draws.

    Returns:
        (1 + B, K) fractions, the first row without a draw; `None` where there is but one
        photograph, or a draw leaves a victim without any.
    """
    rows = rows[rows["victim"].isin(list(families))]
    victims, names = pd.factorize(rows["victim"], sort=True)
    photographs, ids = pd.factorize(rows["photo_id"], sort=True)
    if len(ids) < 2:
        return None
    drawn = photograph_draws(len(ids), replicates=replicates, seed=seed)
    draws = np.vstack([np.ones((1, len(ids))), drawn])
    weights = family_weights([families[name] for name in names])
    scored = success_indicators(rows, measure).to_numpy(np.float64)
    means = []
    for attack in attacks:
        own = (rows["attack"] == attack).to_numpy()
        sums, counts = photograph_sums(
            photographs[own], victims[own], scored[own], (len(ids), len(names))
        )
        totals = draws @ counts
        if not totals.all():
            return None
        means.append((draws @ sums) / totals @ weights)
    return np.stack(means, axis=1)


def ranks(figures: NDArray[np.float64]) -> NDArray[np.int64]:
    """(B, K) ranks within each row of (B, K) figures: 1 is the highest, equals share the lowest."""
    higher = figures[:, None, :] > figures[:, :, None]
    found: NDArray[np.int64] = 1 + higher.sum(axis=2)
    return found


def rank_intervals(
    figures: NDArray[np.float64], level: float = LEVEL
) -> list[tuple[int, int, int]]:
    """Rank and its interval of each of K attacks.

    Args:
        figures: (1 + B, K), the first row without a draw.
        level: Coverage; the ends are ranks that occur, rounded outward.

    Returns:
        (rank, low, high) by attack.
    """
    found = ranks(figures)
    tail = (1 - level) / 2
    low = np.quantile(found[1:], tail, axis=0, method="lower")
    high = np.quantile(found[1:], 1 - tail, axis=0, method="higher")
    return [(int(r), int(a), int(b)) for r, a, b in zip(found[0], low, high, strict=True)]


def tie_groups(
    means: Sequence[float], adjusted: Mapping[frozenset[int], float], alpha: float = ALPHA
) -> list[int]:
    """Groups of attacks that are not told apart from their group's leader.

    The best attack leads the first group, with all that do not differ from it; the best of the
    others leads the next one.

    Args:
        means: (K,) figure of each attack.
        adjusted: p-value of each pair of positions, corrected for all of them.
        alpha: Below it two attacks differ.

    Returns:
        (K,) group of each attack, from 1.
    """
    left = sorted(range(len(means)), key=lambda place: -means[place])
    groups, number = [0] * len(means), 0
    while left:
        leader, number = left[0], number + 1
        tied = {leader, *(i for i in left[1:] if adjusted[frozenset((leader, i))] >= alpha)}
        for place in tied:
            groups[place] = number
        left = [place for place in left if place not in tied]
    return groups
