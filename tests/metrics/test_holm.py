import numpy as np
import pytest

from bench.metrics.holm import holm


def test_by_hand():
    """Steps 4 x 0.01, 3 x 0.02, 2 x 0.03, 1 x 0.04, each at least the one before."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.6]) == pytest.approx([1, 1])
    assert holm([0.03]) == pytest.approx([0.03])
    assert holm([]).size == 0


def test_a_rejection_is_that_of_the_stepwise_procedure():
    random = np.random.default_rng(0)
    for _ in range(50):
        p = random.uniform(0, 0.1, 6)
        rejected, order = set(), np.argsort(p)
        for step, place in enumerate(order):
            if p[place] > 0.05 / (6 - step):
                break
            rejected.add(int(place))
        assert set(np.flatnonzero(holm(p) <= 0.05).tolist()) == rejected


@pytest.mark.parametrize("p", [[1.1], [-0.1], [np.nan]])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        holm(p)
