"""How well scores tell treated images from untouched ones, with intervals over scenes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.metrics.resampling import Figure, scene_draws, share_interval

FALSE_ALARMS = 0.01
"""Share of untouched images that a detector may object to."""
PART = 4096
"""Scores that are compared at a time."""
Floats = NDArray[np.float64]
Places = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Position of the scene of each untouched and of each treated image, below P."""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """Figures of one detector, without intervals where there is but one scene.

    Attributes:
        auc: Chance that a treated image scores higher than an untouched one; equals count half.
        tpr: Share of treated images above the threshold.
        threshold: That at most `FALSE_ALARMS` of the untouched images exceed.
        thresholds: The same in each draw of scenes; `None` where there is no interval.
    """

    auc: Figure
    tpr: Figure
    threshold: float
    thresholds: Floats | None = field(default=None, compare=False, repr=False)


def auc_of(untouched: Floats, treated: Floats, scenes: Places, photographs: int) -> Figure:
    """AUC alone, for any number of scores; see `detection`."""
    count = 1 + int(max(scenes[0].max(), scenes[1].max()))
    ordered, own = _ascending(treated, scenes[1], count)
    below, upto = (np.searchsorted(ordered, untouched, side=side) for side in ("left", "right"))
    # (P, P) how often a treated image of the second scene scores above one of the first.
    wins = np.zeros((count, count))
    for start in range(0, len(untouched), PART):
        part = slice(start, start + PART)
        won = own[-1] - (own[upto[part]] + own[below[part]]) / 2
        np.add.at(wins, scenes[0][part], won)
    members = [np.bincount(some, minlength=count).astype(np.float64) for some in scenes]
    draws = scene_draws(count).astype(np.float64)
    pairs = (draws @ members[0]) * (draws @ members[1])
    drawn = None
    if count > 1 and pairs.all():
        drawn = np.einsum("bp,bp->b", draws @ wins, draws) / pairs
    value = float(wins.sum() / (members[0].sum() * members[1].sum()))
    return value, share_interval(value, drawn, count, photographs)


def detection(
    untouched: Floats,
    treated: Floats,
    scenes: Places,
    photographs: int,
    *,
    false_alarms: float = FALSE_ALARMS,
) -> Detection:
    """Figures of a detector's scores.

    All images of a scene, untouched and treated, move together in the bootstrap, and the
    threshold with them.

    Args:
        untouched: (N,) scores, N >= 1 and none NaN; higher is likelier treated.
        treated: (M,) scores, likewise.
        scenes: (N,) and (M,).
        photographs: How many they have.
        false_alarms: Share of untouched images above the threshold at most.
    """
    auc = auc_of(untouched, treated, scenes, photographs)
    count = 1 + int(max(scenes[0].max(), scenes[1].max()))
    ordered, own = _ascending(treated, scenes[1], count)
    order = np.argsort(-untouched, kind="stable")
    untouched, of_untouched = untouched[order], scenes[0][order]
    upto = np.searchsorted(ordered, untouched, side="right")

    def figures(draws: Floats) -> tuple[Floats, Floats]:
        """Rate and threshold for (B, P) numbers of each scene."""
        counts = np.cumsum(draws[:, of_untouched], axis=1)
        allowed = np.floor(false_alarms * counts[:, -1:] + 1e-9)
        place = (counts > allowed).argmax(1)
        above = own[-1] - own[upto[place]]
        return np.einsum("bp,bp->b", above, draws) / (draws @ own[-1]), untouched[place]

    (rate,), (limit,) = (some.tolist() for some in figures(np.ones((1, count))))
    draws = scene_draws(count).astype(np.float64)
    tprs, thresholds = figures(draws) if auc[1] else (None, None)
    return Detection(
        auc=auc,
        tpr=(rate, share_interval(rate, tprs, count, photographs)),
        threshold=limit,
        thresholds=thresholds,
    )


def _ascending(scores: Floats, scenes: NDArray[np.intp], count: int) -> tuple[Floats, Floats]:
    """(M,) scores in order, and (M + 1, P) how many of the lowest are of each scene."""
    order = np.argsort(scores, kind="stable")
    own = np.zeros((len(order) + 1, count))
    np.cumsum(np.eye(count)[scenes[order]], axis=0, out=own[1:])
    return scores[order], own


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
