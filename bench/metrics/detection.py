"""How well scores tell treated images from untouched ones, with intervals over photographs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.metrics.resampling import percentile_interval, photograph_draws

FALSE_ALARMS = 0.01
"""Share of untouched images that a detector may object to."""
Floats = NDArray[np.float64]
Interval = tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class Detection:
    """Figures of one detector; intervals are `None` where there is but one photograph.

    Attributes:
        auc: Chance that a treated image scores higher than an untouched one; equals count half.
        tpr: Share of treated images above the threshold.
        threshold: That at most `FALSE_ALARMS` of the untouched images exceed.
    """

    auc: float
    auc_interval: Interval
    tpr: float
    tpr_interval: Interval
    threshold: float


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
    ascending = np.argsort(treated, kind="stable")
    ordered, of_ordered = treated[ascending], photographs[1][ascending]
    below, upto = (np.searchsorted(ordered, untouched, side=side) for side in ("left", "right"))
    own = np.zeros((len(ordered) + 1, count))  # own[k, p]: how many of the first k are of p
    np.cumsum(np.eye(count)[of_ordered], axis=0, out=own[1:])
    total = own[-1]
    above = total - own[upto]  # (N, P)
    wins = np.zeros((count, count))
    np.add.at(wins, of_untouched, above + (own[upto] - own[below]) / 2)
    members = np.bincount(of_untouched, minlength=count).astype(np.float64)

    def figures(draws: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
        """AUC, rate and place of the threshold for (B, P) numbers of each photograph."""
        clean, dirty = draws @ members, draws @ total
        allowed = np.floor(false_alarms * clean + 1e-9)
        place = (np.cumsum(draws[:, of_untouched], axis=1) > allowed[:, None]).argmax(1)
        auc = np.einsum("bp,bp->b", draws @ wins, draws) / (clean * dirty)
        return auc, np.einsum("bp,bp->b", above[place], draws) / dirty, place

    auc, tpr, place = figures(np.ones((1, count)))
    intervals: tuple[Interval, Interval] = (None, None)
    draws = photograph_draws(count).astype(np.float64)
    whole = (draws @ members > 0) & (draws @ total > 0)
    if count > 1 and whole.all():
        drawn = figures(draws)
        intervals = percentile_interval(drawn[0]), percentile_interval(drawn[1])
    return Detection(
        auc=float(auc[0]),
        auc_interval=intervals[0],
        tpr=float(tpr[0]),
        tpr_interval=intervals[1],
        threshold=float(untouched[place[0]]),
    )
