"""Who leads, and how sure that is: ranks with intervals, and groups that are not told apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.metrics.paired import Paired, family_weights
from bench.metrics.resampling import LEVEL, REPLICATES, photograph_draws, photograph_sums
from bench.metrics.success import Measure, success_indicators

ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Successes of K attacks on what all of them were scored on, by photograph and victim.

    Attributes:
        sums: (K, P, V) successes of each attack.
        counts: (P, V) units that all scored.
        weights: (V,) share of each victim in the overall mean; they sum to 1.
        images: Images that all scored.
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.float64]
    weights: NDArray[np.float64]
    images: int

    @property
    def photographs(self) -> int:
        """Source photographs of these images."""
        return len(self.counts)

    def pair(self, one: int, other: int) -> Paired:
        """Two of the attacks, by position."""
        return Paired(
            first=self.sums[one],
            second=self.sums[other],
            counts=self.counts,
            weights=self.weights,
            images=self.images,
        )

    def resampled_means(
        self, *, replicates: int = REPLICATES, seed: int = 0
    ) -> NDArray[np.float64] | None:
        """Overall means under draws of whole photographs, the same draws for all attacks.

        Returns:
            (1 + B, K) fractions, the first row without a draw; `None` where there is but one
            photograph, or a draw leaves a victim without any.
        """
        if self.photographs < 2:
            return None
        drawn = photograph_draws(self.photographs, replicates=replicates, seed=seed)
        draws = np.vstack([np.ones((1, self.photographs)), drawn])
        totals = draws @ self.counts
        if not totals.all():
            return None
        return np.stack([(draws @ sums) / totals @ self.weights for sums in self.sums], axis=1)


def shared_by_all(
    rows: pd.DataFrame, attacks: Sequence[str], measure: Measure, families: Mapping[str, str]
) -> Shared | None:
    """What several attacks did where each of them was scored.

    TASR counts images by target and victim. UASR counts images by victim, with the mean over an
    image's targets, so that targeted and untargeted attacks have them in common.

    Args:
        rows: Prediction rows of one split.
        attacks: In the order of the positions.
        measure: Which success.
        families: Victim name to family; other victims are left out.

    Returns:
        `None` where they share nothing.
    """
    unit = ["photo_id", "image_id", "victim", *(["target"] if measure == "tasr" else [])]
    mine = rows[rows["attack"].isin(list(attacks)) & rows["victim"].isin(list(families))]
    scored = mine[["attack", *unit]].assign(hit=success_indicators(mine, measure))
    units = scored.groupby(["attack", *unit], sort=True, observed=True)["hit"].mean().reset_index()
    scorers = units.groupby(unit, observed=True)["attack"].transform("nunique")
    units = units[scorers == len(set(attacks))]
    if units.empty:
        return None
    victims, names = pd.factorize(units["victim"], sort=True)
    photographs, ids = pd.factorize(units["photo_id"], sort=True)
    hits = units["hit"].to_numpy(np.float64)
    shape = (len(ids), len(names))
    sums, counts = [], np.zeros(shape)
    for attack in attacks:
        own = (units["attack"] == attack).to_numpy()
        total, counts = photograph_sums(photographs[own], victims[own], hits[own], shape)
        sums.append(total)
    return Shared(
        sums=np.stack(sums),
        counts=counts,
        weights=family_weights([families[name] for name in names]),
        images=int(units["image_id"].nunique()),
    )


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
