"""Tests and ranks against SciPy, Holm's correction against the stepwise procedure."""

import warnings
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest, kendalltau, permutation_test, rankdata

from bench.metrics.significance import (
    holm,
    mcnemar,
    order_agreement,
    rank_intervals,
    sign_flip_test,
    tie_groups,
)


def scipys(effects, **more):
    return permutation_test(
        (effects,),
        lambda x, axis: x.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        **more,
    ).pvalue


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=9))
def test_exact_p_is_scipys(effects):
    found = sign_flip_test(effects)
    assert found.exact
    assert found.p == pytest.approx(scipys(np.array(effects, float)))


def test_drawn_p_is_near_scipys():
    effects = np.random.default_rng(0).normal(0.3, 1, 40)
    found = sign_flip_test(effects)
    assert not found.exact
    assert sign_flip_test(effects[:13]).exact  # 8192 patterns
    assert found.p == pytest.approx(scipys(effects, n_resamples=9999, random_state=1), abs=0.015)
    assert sign_flip_test(effects) == found
    assert sign_flip_test([0.1, 0.2, 0.3, -0.6]).p == 1  # the sum is 0 but for its last bits
    for some in (effects, effects[:13]):
        assert sign_flip_test([*some[1:], np.nan]).p == 1  # what is no number tells nothing apart


@pytest.mark.parametrize(("many", "positive"), [(40, 40), (40, 35), (72, 60), (2000, 2000)])
def test_however_small_p_is_that_of_the_sign_test(many, positive):
    effects = 0.3 * np.where(np.arange(many) < positive, 1, -1)
    expected = max(binomtest(positive, many).pvalue, 1e-300)  # never 0
    for some in (effects, [*np.zeros(9), *-effects]):
        assert sign_flip_test(some).p == pytest.approx(expected, rel=0.1, abs=1e-300)
    assert sign_flip_test([1] + [1e-6] * 20).p == pytest.approx(2**-20, rel=0.1)


@given(st.lists(st.floats(0, 0.1), max_size=8))
def test_a_rejection_is_that_of_the_stepwise_procedure(p):
    rejected = set()
    for step, place in enumerate(np.argsort(p, kind="stable")):
        if (len(p) - step) * p[place] > 0.05:
            break
        rejected.add(int(place))
    adjusted = holm(p)
    assert set(np.flatnonzero(adjusted <= 0.05).tolist()) == rejected
    assert (adjusted >= p).all()


def test_mcnemar_is_the_binomial_of_the_discordant_pairs():
    first = np.array([1] * 12 + [0] * 3 + [1] * 20 + [0] * 7)
    second = np.array([0] * 12 + [1] * 3 + [1] * 20 + [0] * 7)
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (12, 3)
    assert found.p == mcnemar(second, first).p == pytest.approx(binomtest(3, 15).pvalue)
    assert mcnemar([1, 0], [1, 0]).p == 1
    with pytest.raises(ValueError, match="successes of 0 or 1"):
        mcnemar([0.5], [1])


def told_apart(scores):
    """Means of (P, K) scores, and the corrected p-value of each pair."""
    pairs = list(combinations(range(scores.shape[1]), 2))
    p_values = holm([sign_flip_test(scores[:, i] - scores[:, j]).p for i, j in pairs])
    return scores.mean(0), dict(zip(map(frozenset, pairs), p_values, strict=True))


def test_ranks_of_near_equals_are_in_their_intervals_in_95_of_a_hundred_samples():
    random, lost = np.random.default_rng(0), 0
    for _ in range(100):
        found = rank_intervals(*told_apart(random.normal(size=(12, 6)) - 1e-6 * np.arange(6)))
        lost += any(not low <= 1 + true <= high for true, (_, low, high) in enumerate(found))
    assert lost <= 5


@given(arrays(float, (12, 4), elements=st.integers(0, 4)))
def test_an_interval_holds_the_rank_and_those_of_all_that_are_not_told_from_it(scores):
    means, adjusted = told_apart(scores)
    found = rank_intervals(means, adjusted)
    assert [rank for rank, *_ in found] == rankdata(-means, method="min").tolist()
    for place, (rank, low, high) in enumerate(found):
        near = [adjusted[frozenset((place, other))] >= 0.05 for other in range(4) if other != place]
        assert low <= rank <= high == low + sum(near)


def test_equal_means_share_a_rank_whatever_the_order_of_their_sums():
    apart = {frozenset((0, 1)): 1.0, frozenset((0, 2)): 0.01, frozenset((1, 2)): 0.01}
    means = [0.1 + 0.2, 0.3, 0.1]
    assert rank_intervals(means, apart) == [(1, 1, 2), (1, 1, 2), (3, 3, 3)]
    assert order_agreement([means, [0.3, 0.3, 0.1]], np.ones((2, 3)))[0] == pytest.approx(1)


def test_a_group_is_what_is_not_told_from_its_leader():
    means = [0.5, 0.9, 0.8, 0.6]

    def p(**near):
        pairs = {frozenset((i, j)): 0.01 for i in range(4) for j in range(i)}
        return pairs | {frozenset(map(int, k[1:])): v for k, v in near.items()}

    assert tie_groups(means, p()) == [4, 1, 2, 3]
    assert tie_groups(means, p(_12=0.2, _23=0.2)) == [3, 1, 1, 2]  # 3 is near 2, not near 1
    assert tie_groups(means[1:3], {frozenset((0, 1)): 0.05}) == [1, 1]
    # 3 is near the best, but below one that is not: groups follow the ranks
    assert tie_groups(means, p(_13=0.05)) == [4, 1, 2, 3]
    # of equals, whatever their last bits, the first leads
    assert tie_groups([0.3, 0.1 + 0.2, 0.1], p(_01=1, _12=0.2)) == [1, 1, 2]


@given(arrays(np.int8, (2, 5), elements=st.integers(0, 5)), arrays(bool, (2, 10)))
def test_agreement_is_scipys_tau_and_what_is_not_told_apart_may_go_either_way(pairs, told):
    with warnings.catch_warnings(action="ignore"):
        wanted = kendalltau(*pairs).statistic
    signs = np.array([[np.sign(i - j) for i, j in combinations(one, 2)] for one in pairs * 1.0])
    told &= signs != 0
    found, (low, high) = order_agreement(pairs, np.where(told, 0.01, 0.06))
    assert found == pytest.approx(np.nan_to_num(wanted))
    assert low - 1e-9 <= found <= high + 1e-9
    known = [int(a * b) for a, b in signs.T[told.all(0)]]
    assert [low, high] == pytest.approx(
        [(sum(known) + side * (10 - len(known))) / 10 for side in (-1, 1)]
    )
