import numpy as np
import pytest
from scipy.stats import permutation_test

from bench.metrics.sign_flip import sign_flip_test


@pytest.mark.parametrize("seed", range(3))
def test_exact_p_is_scipys(seed):
    effects = np.random.default_rng(seed).normal(0.4, 1, 9)
    expected = permutation_test(
        (effects,), lambda x, axis: x.sum(axis=axis), permutation_type="samples", vectorized=True
    )
    found = sign_flip_test(effects)
    assert found.exact
    assert found.p == pytest.approx(expected.pvalue)


def test_drawn_p_is_near_scipys_and_counts_the_observed_one():
    effects = np.random.default_rng(0).normal(0.3, 1, 40)
    expected = permutation_test(
        (effects,),
        lambda x, axis: x.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=9999,
        random_state=1,
    )
    found = sign_flip_test(effects)
    assert not found.exact
    assert found.p == pytest.approx(expected.pvalue, abs=0.015)
    assert sign_flip_test(np.ones(40)).p == 1 / 10_001  # never 0
    assert sign_flip_test(effects) == sign_flip_test(effects)
    assert sign_flip_test(effects, seed=1).p != found.p


def test_it_is_two_sided_and_ties_count():
    assert sign_flip_test([1.0, 1.0, 1.0]).p == 2 / 8
    assert sign_flip_test([-1.0, -1.0, -1.0]).p == 2 / 8
    assert sign_flip_test([0.0, 0.0]).p == 1
    assert sign_flip_test([0.1, 0.2, 0.3, -0.6]).p == 1  # the sum is 0 but for its last bits


def test_false_alarms_are_as_rare_as_promised():
    random = np.random.default_rng(3)
    p = [sign_flip_test(random.normal(0, 1, 8)).p for _ in range(400)]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.08


@pytest.mark.parametrize("effects", [[], [[1.0]], [np.nan, 1.0]])
def test_what_is_no_list_of_differences_is_refused(effects):
    with pytest.raises(ValueError, match="one a photograph"):
        sign_flip_test(effects)
