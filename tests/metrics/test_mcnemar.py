import numpy as np
import pytest
from scipy.stats import binomtest

from bench.metrics.mcnemar import mcnemar


def test_p_is_the_binomial_of_the_discordant_pairs():
    first = np.array([1] * 12 + [0] * 3 + [1] * 20 + [0] * 7)
    second = np.array([0] * 12 + [1] * 3 + [1] * 20 + [0] * 7)
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (12, 3)
    assert found.p == pytest.approx(binomtest(3, 15).pvalue)
    assert mcnemar(second, first).p == found.p


def test_without_a_discordant_pair_nothing_differs():
    assert mcnemar([1, 0], [1, 0]).p == 1


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [([1, 0], [1], "equal lengths"), ([0.5], [1], "successes of 0 or 1")],
)
def test_what_is_no_success_is_refused(first, second, message):
    with pytest.raises(ValueError, match=message):
        mcnemar(first, second)
