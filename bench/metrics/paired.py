"""Attacks on the same images: their mean success, and how it moves from scene to scene.

The mean is that of the tables: over families of means over architectures. Only what all attacks
were scored on is compared, so content and camera cancel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.metrics.resampling import (
    LAST_DIGIT,
    Figure,
    scene_draws,
    scene_sums,
    share_interval,
)
from bench.records.metric import MetricSpec, row_values


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Successes of K attacks on what all of them were scored on, by scene and victim.

    Attributes:
        sums: (K, P, V) successes of each attack.
        counts: (P, V) units that all scored.
        weights: (V,) share of each victim in the overall mean; they sum to 1.
        image_ids: Of the images that all scored.
        photographs: What these are of.
        scene_ids: (P,) of the scenes.
        drawn: (B, K) overall means under draws of whole scenes; see `resampled`.
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.float64]
    weights: NDArray[np.float64]
    image_ids: tuple[str, ...]
    photographs: int
    scene_ids: tuple[str, ...]
    drawn: NDArray[np.float64] | None

    @property
    def images(self) -> int:
        """That all scored."""
        return len(self.image_ids)

    @property
    def scenes(self) -> int:
        """Of these images."""
        return len(self.counts)

    @property
    def units(self) -> int:
        """Predictions compared."""
        return int(self.counts.sum())

    @property
    def means(self) -> list[float]:
        """Overall mean of each attack, as fractions."""
        totals = self.counts.sum(axis=0)
        return [float(sums.sum(axis=0) / totals @ self.weights) for sums in self.sums]

    @property
    def figures(self) -> list[Figure]:
        """The same with their intervals."""
        columns = [None] * len(self.sums) if self.drawn is None else self.drawn.T
        return [
            (mean, share_interval(mean, drawn, self.scenes, self.photographs))
            for mean, drawn in zip(self.means, columns, strict=True)
        ]

    def effects(self, one: int, other: int) -> NDArray[np.float64]:
        """(P,) what each scene adds to the difference of two attacks; they sum to it.

        What last bits leave of equals, such as mixtures of equal successes, is none.
        """
        found: NDArray[np.float64] = (
            (self.sums[one] - self.sums[other]) / self.counts.sum(axis=0)
        ) @ self.weights
        return found.round(LAST_DIGIT)


def resampled(
    sums: NDArray[np.float64], counts: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Overall means under draws of whole scenes, the same draws for all attacks.

    Arguments are those of `Shared`.

    Returns:
        (B, K) fractions; `None` for one scene, or if a draw leaves a victim without any.
    """
    if len(counts) < 2:
        return None
    draws = scene_draws(len(counts)).astype(np.float64)
    totals = draws @ counts
    means = [(draws @ one) / totals @ weights for one in sums] if totals.all() else []
    return np.stack(means, axis=1) if means else None


def shared_units(
    frames: Sequence[pd.DataFrame], metric: MetricSpec, *, by_target: bool
) -> pd.DataFrame:
    """Successes of several attacks on what all were scored on.

    Args:
        frames: Prediction rows of each attack, in one split.
        metric: Which success.
        by_target: Compare image, target and victim by each; else image and victim, with the mean
            over an image's targets, so that targeted and untargeted attacks have them in common.

    Returns:
        image_id, victim and perhaps target, by which it is sorted, scene, photo_id, and a column an
        attack, by its position.
    """
    unit = ["image_id", "victim", *(["target"] if by_target else [])]
    told = [*unit, "scene", "photo_id"]
    rows = pd.concat([frame[told] for frame in frames], ignore_index=True)
    hits = np.concatenate([row_values(frame, metric).to_numpy(np.float64) for frame in frames])
    attack = np.repeat(np.arange(len(frames), dtype=np.intp), [len(frame) for frame in frames])
    number = rows.groupby(unit, sort=True).ngroup().to_numpy().astype(np.intp)
    named = number >= 0  # a row without a target is no unit where targets count
    shape = (int(number.max(initial=-1)) + 1, len(frames))
    sums, counts = scene_sums(number[named], attack[named], hits[named], shape)
    both = np.flatnonzero((counts > 0).all(axis=1))
    first = np.full(len(counts), -1)
    first[number[named][::-1]] = np.flatnonzero(named)[::-1]
    found = rows.iloc[first[both]].reset_index(drop=True)
    return found.join(pd.DataFrame(sums[both] / counts[both]))


def shared(
    frames: Sequence[pd.DataFrame],
    metric: MetricSpec,
    families: Mapping[str, str],
    *,
    by_target: bool,
) -> Shared | None:
    """What several attacks did where each of them was scored.

    Args:
        frames: As of `shared_units`.
        metric: Which success.
        families: Victim name to family; other victims are left out.
        by_target: As of `shared_units`.

    Returns:
        `None` where they share nothing.
    """
    known = list(families)
    mine = [rows[rows["victim"].isin(known)] for rows in frames]
    units = shared_units(mine, metric, by_target=by_target)
    if units.empty:
        return None
    victims, names = pd.factorize(units["victim"], sort=True)
    scenes, ids = pd.factorize(units["scene"], sort=True)
    shape = (len(ids), len(names))
    summed = [
        scene_sums(scenes, victims, units[place].to_numpy(np.float64), shape)
        for place in range(len(frames))
    ]
    of = [families[name] for name in names]
    sums, counts = np.stack([sums for sums, _ in summed]), summed[0][1]
    weights = np.array([1 / (len(set(of)) * of.count(family)) for family in of])
    return Shared(
        sums=sums,
        counts=counts,
        weights=weights,
        image_ids=tuple(map(str, units["image_id"].unique())),
        photographs=int(units["photo_id"].nunique()),
        scene_ids=tuple(map(str, ids)),
        drawn=resampled(sums, counts, weights),
    )
