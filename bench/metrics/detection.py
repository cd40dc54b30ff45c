"""How well scores tell treated images from untouched ones, with intervals over photographs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.metrics.resampling import percentile_interval, photograph_draws

FALSE_ALARMS = 0.01
"""Share of untouched images that a detector may object to."""
PART = 4096
"""Scores that are compared at a time."""
Floats = NDArray[np.float64]
Interval = tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class Detection:
    """Figures of one detector; intervals are `None` where there is but one photograph.

    Attributes:
        auc: Chance that a treated image scores higher than an untouched one; equals count half.
        tpr: Share of treated images above the threshold.
        threshold: That at most `FALSE_ALARMS` of the untouched images exceed.
        thresholds: The same in each draw of photographs; `None` where there is no interval.
    """

    auc: float
    auc_interval: Interval
    tpr: float
    tpr_interval: Interval
    threshold: float
    thresholds: Floats | None = field(default=None, compare=False, repr=False)


def _wins(
    untouched: Floats,
    treated: Floats,
    photographs: tuple[NDArray[np.intp], NDArray[np.intp]],
    count: int,
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Compare every treated image with every untouched one.

    Returns:
        (P, P) how often a treated image of the second photograph scores higher than an untouched
        one of the first, equals counting half; (M + 1, P) how many of the lowest treated images
        are of each photograph; (N,) how many treated images do not score above each untouched one.
    """
    ascending = np.argsort(treated, kind="stable")
    ordered, of_ordered = treated[ascending], photographs[1][ascending]
    below, upto = (np.searchsorted(ordered, untouched, side=side) for side in ("left", "right"))
    own = np.zeros((len(ordered) + 1, count))
    np.cumsum(np.eye(count)[of_ordered], axis=0, out=own[1:])
    wins = np.zeros((count, count))
    for start in range(0, len(untouched), PART):
        part = slice(start, start + PART)
        won = own[-1] - (own[upto[part]] + own[below[part]]) / 2
        np.add.at(wins, photographs[0][part], won)
    return wins, own, upto


def auc_of(
    untouched: Floats,
    treated: Floats,
    photographs: tuple[NDArray[np.intp], NDArray[np.intp]],
) -> tuple[float, Interval]:
    """The AUC of `detection` alone, which many more scores have room for."""
    count = 1 + int(max(photographs[0].max(), photographs[1].max()))
    wins = _wins(untouched, treated, photographs, count)[0]
    members = [np.bincount(some, minlength=count).astype(np.float64) for some in photographs]
    draws = photograph_draws(count).astype(np.float64)
    pairs = (draws @ members[0]) * (draws @ members[1])
    value = float(wins.sum() / (members[0].sum() * members[1].sum()))
    if count < 2 or not pairs.all():
        return value, None
    drawn = np.einsum("bp,bp->b", draws @ wins, draws) / pairs
    return value, percentile_interval(drawn)


def detection(
    untouched: Floats,
    treated: Floats,
    photographs: tuple[NDArray[np.intp], NDArray[np.intp]],
    *,
    false_alarms: float = FALSE_ALARMS,
) -> Detection:
    """Figures of a detector's scores.

    All images of a photograph, untouched and treated, move together in the bootstrap, and the
    threshold with them.

    Args:
        untouched: (N,) scores, higher is likelier treated.
        treated: (M,) scores.
        photographs: Position of each score's photograph, (N,) and (M,), below P.
        false_alarms: Share of untouched images above the threshold at most.

    Raises:
        ValueError: If there are no scores of one kind, or one is NaN.
    """
    if not len(untouched) or not len(treated):
        raise ValueError("expected scores of untouched and of treated images")
    if np.isnan(untouched).any() or np.isnan(treated).any():
        raise ValueError("a detector's score is NaN")
    count = 1 + int(max(photographs[0].max(), photographs[1].max()))
    order = np.argsort(-untouched, kind="stable")
    untouched, of_untouched = untouched[order], photographs[0][order]
    wins, own, upto = _wins(untouched, treated, (of_untouched, photographs[1]), count)
    total = own[-1]
    members = np.bincount(of_untouched, minlength=count).astype(np.float64)

    def figures(draws: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
        """AUC, rate and place of the threshold for (B, P) numbers of each photograph."""
        clean, dirty = draws @ members, draws @ total
        allowed = np.floor(false_alarms * clean + 1e-9)
        place = (np.cumsum(draws[:, of_untouched], axis=1) > allowed[:, None]).argmax(1)
        auc = np.einsum("bp,bp->b", draws @ wins, draws) / (clean * dirty)
        above = total - own[upto[place]]
        return auc, np.einsum("bp,bp->b", above, draws) / dirty, place

    auc, tpr, place = figures(np.ones((1, count)))
    intervals: tuple[Interval, Interval] = (None, None)
    thresholds = None
    draws = photograph_draws(count).astype(np.float64)
    whole = (draws @ members > 0) & (draws @ total > 0)
    if count > 1 and whole.all():
        drawn = figures(draws)
        intervals = percentile_interval(drawn[0]), percentile_interval(drawn[1])
        thresholds = untouched[drawn[2]]
    return Detection(
        auc=float(auc[0]),
        auc_interval=intervals[0],
        tpr=float(tpr[0]),
        tpr_interval=intervals[1],
        threshold=float(untouched[place[0]]),
        thresholds=thresholds,
    )


def joint_ranks(untouched: Floats, treated: Floats) -> tuple[Floats, Floats]:
    """The highest rank that any of several detectors gives an image, among the untouched ones.

    Whoever objects above one such rank objects with all detectors alike, and its false alarms are
    those of all together.

    Args:
        untouched: (N, K) scores of K detectors.
        treated: (M, K).

    Returns:
        (N,) and (M,) numbers of untouched images with lower scores, of the detector with most.
    """
    columns = range(untouched.shape[1])
    known = [np.sort(untouched[:, place]) for place in columns]

    def highest(scores: Floats) -> Floats:
        ranks = [np.searchsorted(known[place], scores[:, place]) for place in columns]
        found: Floats = np.max(ranks, axis=0).astype(np.float64)
        return found

    return highest(untouched), highest(treated)
