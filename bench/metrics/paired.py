"""Two attacks on the same images: the difference of their mean success, photograph by photograph.

The mean is that of the tables: over families of means over architectures. Only what both attacks
were scored on is compared, so content and camera cancel.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.metrics.resampling import (
    LEVEL,
    REPLICATES,
    percentile_interval,
    photograph_draws,
    photograph_sums,
)
from bench.metrics.success import Measure, success_indicators


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Successes of two attacks, summed by photograph and victim.

    Attributes:
        first: (P, V) sums of the first attack's successes.
        second: (P, V) likewise of the second.
        counts: (P, V) units that both scored.
        weights: (V,) share of each victim in the overall mean; they sum to 1.
        images: Images that both scored.
    """

    first: NDArray[np.float64]
    second: NDArray[np.float64]
    counts: NDArray[np.float64]
    weights: NDArray[np.float64]
    images: int

    @property
    def photographs(self) -> int:
        """Source photographs of these images."""
        return len(self.counts)

    @property
    def units(self) -> int:
        """Predictions compared."""
        return int(self.counts.sum())

    @property
    def means(self) -> tuple[float, float]:
        """Overall mean of either attack, as fractions."""
        totals = self.counts.sum(axis=0)
        first, second = (
            float(sums.sum(axis=0) / totals @ self.weights) for sums in (self.first, self.second)
        )
        return first, second

    @property
    def effects(self) -> NDArray[np.float64]:
        """(P,) what each photograph adds to the difference of the means; they sum to it."""
        found: NDArray[np.float64] = (
            (self.first - self.second) / self.counts.sum(axis=0)
        ) @ self.weights
        return found

    @property
    def difference(self) -> float:
        """First minus second, as a fraction."""
        return float(self.effects.sum())

    def interval(
        self, *, replicates: int = REPLICATES, seed: int = 0, level: float = LEVEL
    ) -> tuple[float, float] | None:
        """Percentile interval of the difference over draws of whole photographs.

        Returns:
            (low, high), or `None` for one photograph, or where a draw leaves a victim without any.
        """
        if self.photographs < 2:
            return None
        draws = photograph_draws(self.photographs, replicates=replicates, seed=seed)
        totals = draws @ self.counts
        if not totals.all():
            return None
        differences = (draws @ (self.first - self.second)) / totals @ self.weights
        return percentile_interval(differences, level)


def shared_successes(first: pd.DataFrame, second: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """Successes of two attacks on what both were scored on.

    Two targeted attacks are compared image, target and victim by each; where one of them is
    untargeted, image and victim by each, with the mean over an image's targets.

    Args:
        first: Prediction rows of one attack in one split.
        second: Likewise of the other.
        measure: Which success.

    Returns:
        Columns photo_id, image_id, victim, first, second, and target where both have one.
    """
    targeted = bool(first["target"].notna().all() and second["target"].notna().all())
    unit = ["photo_id", "image_id", "victim", *(["target"] if targeted else [])]

    def successes(rows: pd.DataFrame, name: str) -> pd.DataFrame:
        scored = rows[unit].assign(**{name: success_indicators(rows, measure)})
        return scored.groupby(unit, sort=True)[name].mean().reset_index()

    return successes(first, "first").merge(
        successes(second, "second"), on=unit, validate="one_to_one"
    )


def pair(
    first: pd.DataFrame, second: pd.DataFrame, measure: Measure, families: Mapping[str, str]
) -> Paired | None:
    """Pair two attacks' rows of one split.

    Args:
        first: Prediction rows of one attack.
        second: Likewise of the other.
        measure: Which success.
        families: Victim name to family; other victims are left out.

    Returns:
        `None` where the two share no prediction.
    """
    known = list(families)
    rows = shared_successes(
        first[first["victim"].isin(known)], second[second["victim"].isin(known)], measure
    )
    if rows.empty:
        return None
    victims, names = pd.factorize(rows["victim"], sort=True)
    photographs, ids = pd.factorize(rows["photo_id"], sort=True)
    shape = (len(ids), len(names))
    ones, counts = photograph_sums(photographs, victims, rows["first"].to_numpy(np.float64), shape)
    others, _ = photograph_sums(photographs, victims, rows["second"].to_numpy(np.float64), shape)
    return Paired(
        first=ones,
        second=others,
        counts=counts,
        weights=family_weights([families[name] for name in names]),
        images=int(rows["image_id"].nunique()),
    )


def family_weights(families: list[str]) -> NDArray[np.float64]:
    """(V,) weight of each victim in the mean over families of means over architectures."""
    kinds = set(families)
    return np.array([1 / (len(kinds) * families.count(family)) for family in families])
