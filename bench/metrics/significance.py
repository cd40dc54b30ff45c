"""Are two attacks told apart? The sign-flip test, McNemar's test, and Holm's correction of many.

And who leads, and how sure that is: ranks with intervals, and groups that are not told apart.

The sign-flip permutation test is over scenes: under the null hypothesis the two attacks are
exchangeable on every scene, so that the sign of each scene's difference is arbitrary
(Good 2005, Permutation, Parametric and Bootstrap Tests, sec. 3.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.metrics.resampling import LAST_DIGIT

ALPHA = 0.05
DRAWS = 10_000
_BLOCK = 1000


@dataclass(frozen=True, kw_only=True)
class SignFlip:
    """Two-sided p-value, and whether all sign patterns were tried."""

    p: float
    exact: bool


def sign_flip_test(effects: ArrayLike) -> SignFlip:
    """Test whether differences, one a scene, are symmetric about zero.

    All sign patterns are tried where there are at most `DRAWS` of them; else that many are drawn,
    so that about half of the sums are as extreme, and weighed by how much likelier that made them.
    So p is never 0, and however small, right to some per cent: it is corrected for hundreds of
    comparisons.

    Args:
        effects: (P,) what each scene adds to the difference.

    Source: `scipy.stats.permutation_test` with `permutation_type="samples"` on one sample;
    exponential tilting after Siegmund 1976, Importance sampling in the Monte Carlo study of
    sequential tests.
    """
    values = np.asarray(effects, dtype=np.float64)
    bar = abs(values.sum()) - 1e-9 * np.abs(values).sum()  # sums of equals differ in last bits
    exact = 2 ** len(values) <= DRAWS
    if not bar > 0:  # nor where a difference is no number
        return SignFlip(p=1.0, exact=exact)
    if exact:
        patterns = np.arange(2 ** len(values))[:, None] >> np.arange(len(values)) & 1
        return SignFlip(p=float((np.abs(_flipped(patterns, values)) >= bar).mean()), exact=True)
    from scipy.optimize import brentq  # takes half a second, and few comparisons need it

    total, likely, generator = np.abs(values).sum(), 0.0, np.random.default_rng(0)
    sizes, bar = np.abs(values) / total, bar / total
    tilt = brentq(lambda at: np.tanh(at * sizes) @ sizes - bar, 0, 1e11)  # whose mean sum is at it
    negative = np.exp(-2 * tilt * sizes)  # chance of a sign, over that of the other
    for _ in range(DRAWS // _BLOCK):
        drawn = generator.random((_BLOCK, len(sizes))) * (1 + negative) >= negative
        sums = _flipped(drawn, sizes)
        missing = 1 - sums[sums >= bar]
        weights = np.exp(tilt * missing + np.log((1 + negative) / 2).sum())
        likely += float(weights.sum()) / DRAWS
    return SignFlip(p=min(1.0, max(2 * likely, np.finfo(np.float64).tiny)), exact=False)


def _flipped(
    patterns: NDArray[np.integer] | NDArray[np.bool_], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(B,) sums with the signs of (B, P) patterns of 0 and 1."""
    found: NDArray[np.float64] = (2.0 * patterns - 1) @ values
    return found


@dataclass(frozen=True, kw_only=True)
class McNemar:
    """Images on which only one of two attacks succeeds, and the exact two-sided p-value."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar:
    """Test whether two attacks succeed equally often on the same images.

    Images count as independent: right within one victim and one target, where each is there once;
    several of one scene make p too small.

    Args:
        first: (N,) 1 where the first attack succeeds, else 0.
        second: (N,) likewise of the second.

    Raises:
        ValueError: If a value is neither 0 nor 1.

    Source: McNemar 1947; the discordant pairs are binomial with probability 1/2.
    """
    from scipy.stats import binomtest  # takes a second, and few comparisons need it

    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if not (np.isin(one, (0, 1)).all() and np.isin(other, (0, 1)).all()):
        raise ValueError("expected successes of 0 or 1, one an image")
    alone = int((one > other).sum()), int((other > one).sum())
    discordant = sum(alone)
    p = float(binomtest(alone[0], discordant, 0.5).pvalue) if discordant else 1.0
    return McNemar(only_first=alone[0], only_second=alone[1], p=p)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values in the order given; reject those below the level.

    Args:
        p_values: (M,) of all comparisons that are shown.

    Source: Holm 1979, A simple sequentially rejective multiple test procedure.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    stepped = (len(values) - np.arange(len(values))) * values[order]
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return adjusted


def rank_intervals(
    means: Sequence[float], adjusted: Mapping[frozenset[int], float]
) -> list[tuple[int, int, int]]:
    """Rank of each of K attacks, and the first and last that it may have: 95 % of all together.

    An attack stands behind all that are told to be better, and ahead of all that are told to be
    worse. Ranks in draws of scenes are no interval: they are drawn about the order in the
    sample, and those of the best of ten near equals would lack rank 1 in a third of all samples.

    Args:
        means: (K,) figure of each attack.
        adjusted: As of `tie_groups`.

    Returns:
        (rank, low, high) by attack: 1 is the highest, equals share the lowest.

    Source: Mogstad, Romano, Shaikh & Wilhelm 2024, Inference for ranks with applications to
    mobility across neighbourhoods and academic achievement across countries.
    """
    figures, found = np.round(means, LAST_DIGIT), list[tuple[int, int, int]]()
    for place, mine in enumerate(figures):
        told = [min(pair - {place}) for pair, p in adjusted.items() if place in pair and p < ALPHA]
        better = int((figures[told] > mine).sum())
        rank, last = 1 + int((figures > mine).sum()), len(figures) - len(told) + better
        found.append((rank, 1 + better, last))
    return found


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
    for place in np.argsort(-np.round(means, LAST_DIGIT), kind="stable").tolist():
        if leader < 0 or adjusted[frozenset((leader, place))] < ALPHA:
            leader, number = place, number + 1
        groups[place] = number
    return groups


def order_agreement(
    means: ArrayLike, adjusted: NDArray[np.float64]
) -> tuple[float, tuple[float, float]]:
    """Kendall's tau-b of two orders of K attacks, and the 95 % interval of it.

    Pairs that are told apart in both orders stand as they do; the ends are those of all others
    the other way round, and alike. Draws of scenes give none: noise upon noise lowers each.

    Args:
        means: (2, K) figures of the attacks.
        adjusted: (2, K (K - 1) / 2) p-value of each pair, in the order of `itertools.combinations`,
            corrected for all of both; below `ALPHA` the two differ.

    Returns:
        1 for the same order, -1 for the opposite one, 0 where all figures of a set are equal, which
        is no order; and its ends.
    """
    figures = np.asarray(means, dtype=np.float64).round(LAST_DIGIT)
    upper, lower = np.triu_indices(figures.shape[1], 1)
    signs = np.sign(figures[:, upper] - figures[:, lower])
    alike, untied = signs.prod(0), np.sqrt(np.abs(signs).sum(1).prod())
    told = alike * (adjusted < ALPHA).all(0)
    ends = (told + side * (told == 0) for side in (-1, 1))
    low, high = (float(end.mean()) for end in ends)
    return float(alike.sum() / max(untied, 1)), (low, high)
