"""Tests against SciPy, and Holm's correction against the stepwise procedure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test

from bench.metrics.significance import holm, mcnemar, sign_flip_test


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


def test_drawn_p_is_near_scipys_and_counts_the_observed_one():
    effects = np.random.default_rng(0).normal(0.3, 1, 40)
    found = sign_flip_test(effects)
    assert not found.exact
    assert found.p == pytest.approx(scipys(effects, n_resamples=9999, random_state=1), abs=0.015)
    assert sign_flip_test(np.ones(40)).p == 1 / 10_001  # never 0
    assert sign_flip_test(effects) == found
    assert sign_flip_test([0.1, 0.2, 0.3, -0.6]).p == 1  # the sum is 0 but for its last bits


def test_false_alarms_are_as_rare_as_promised():
    random = np.random.default_rng(3)
    p = [sign_flip_test(random.normal(0, 1, 8)).p for _ in range(400)]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.08


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


def test_holm_by_hand():
    """Steps 4 x 0.01, 3 x 0.02, 2 x 0.03, 1 x 0.04, each at least the one before."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.6]) == pytest.approx([1, 1])


def test_mcnemar_is_the_binomial_of_the_discordant_pairs():
    first = np.array([1] * 12 + [0] * 3 + [1] * 20 + [0] * 7)
    second = np.array([0] * 12 + [1] * 3 + [1] * 20 + [0] * 7)
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (12, 3)
    assert found.p == mcnemar(second, first).p == pytest.approx(binomtest(3, 15).pvalue)
    assert mcnemar([1, 0], [1, 0]).p == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sign_flip_test([]), "one a photograph"),
        (lambda: sign_flip_test([np.nan, 1.0]), "one a photograph"),
        (lambda: holm([1.1]), "in .0, 1."),
        (lambda: holm([np.nan]), "in .0, 1."),
        (lambda: mcnemar([1, 0], [1]), "equal lengths"),
        (lambda: mcnemar([0.5], [1]), "successes of 0 or 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
