"""Linear detectors over features, trained on Set-B, in regimes after Bonettini et al. 2019.

Known: on untouched images against those of the attack that is tested. Unseen: against those of all
other attacks, none of the tested one. Unrelated: without its next of kin too. Originals: on
untouched images alone, as one class.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Regime: TypeAlias = Literal["known", "unseen", "unrelated", "originals"]
REGIMES: tuple[Regime, ...] = ("known", "unseen", "unrelated", "originals")
Features: TypeAlias = NDArray[np.float32]
Scorer: TypeAlias = Callable[[Features], NDArray[np.float64]]
COST = 0.1
"""Of the logistic regression; chosen on images held out of Set-B."""
LOT = 1
"""Seed of who teaches; targets are drawn by another, so that the two are independent."""
COMPONENTS = 50
"""Principal components that describe untouched images."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What the detector of one attack says; higher is likelier treated.

    Attributes:
        originals: (N,) scores of untouched images.
        anonymised: (M,) scores of the attack's.
    """

    regime: Regime
    originals: NDArray[np.float64]
    anonymised: NDArray[np.float64]


def detect(
    attack: str,
    untouched: Features,
    treated: Mapping[str, Features],
    tested: tuple[Features, Features],
    kin: Collection[str] = (),
) -> Iterator[Scored]:
    """Train on Set-B and score Set-C, in every regime that has something to learn from.

    Args:
        attack: That is tested.
        untouched: (N, F) features of images of Set-B.
        treated: (N, F) of the same images in the same order, by attack.
        tested: Features of untouched images of Set-C, and of the attack's.
        kin: Attacks by the same method.
    """
    left_out = {"known": set(treated) - {attack}, "unseen": {attack}, "unrelated": {attack, *kin}}
    for regime in REGIMES:
        names = sorted(set(treated) - left_out.get(regime, set(treated)))
        others = [treated[n] for n in names if regime == "known" or _teaches(treated[n], untouched)]
        if others or regime == "originals":
            scorer = _one_class(untouched) if not others else _two_class(untouched, others)
            yield Scored(regime=regime, originals=scorer(tested[0]), anonymised=scorer(tested[1]))


def _teaches(treated: Features, untouched: Features) -> bool:
    """Whether an attack changes anything: what changes nothing would mislead about the others."""
    return not np.array_equal(treated, untouched)


def _two_class(untouched: Features, teachers: Sequence[Features]) -> Scorer:
    """Log odds; as many treated images as untouched ones, of teachers by lot, each as often."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    turns = np.arange(len(untouched))
    teacher = np.random.default_rng(LOT).permutation(turns % len(teachers))
    treated = np.stack([teachers[which][turn] for turn, which in enumerate(teacher)])
    labels = np.repeat([0, 1], len(untouched))
    model: Any = make_pipeline(StandardScaler(), LogisticRegression(C=COST, max_iter=1000))
    model.fit(np.concatenate([untouched, treated]).astype(np.float64), labels)
    return lambda features: np.asarray(model.decision_function(features.astype(np.float64)))


def _one_class(untouched: Features) -> Scorer:
    """Logarithm of the Mahalanobis distance from the untouched ones."""
    from sklearn.covariance import LedoitWolf
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    count = min(COMPONENTS, len(untouched) - 1, untouched.shape[1])
    axes: Any = make_pipeline(StandardScaler(), PCA(count, svd_solver="full"))
    known = axes.fit_transform(untouched.astype(np.float64))
    shape = LedoitWolf().fit(known)

    def score(features: Features) -> NDArray[np.float64]:
        distance = shape.mahalanobis(axes.transform(features.astype(np.float64)))
        return np.asarray(np.log(np.maximum(distance, 1e-12)))

    return score
