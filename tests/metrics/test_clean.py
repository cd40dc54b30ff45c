"""Clean accuracy in detail; the interval against SciPy's where images are independent."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from bench.metrics.clean import share, shares_by, wilson_interval


@pytest.mark.parametrize(("hits", "count"), [(1, 8), (7, 10), (71, 72), (72, 72), (0, 5)])
def test_one_image_a_photograph_is_wilsons_interval(hits, count):
    right = np.arange(count) < hits
    expected = binomtest(hits, count).proportion_ci(method="wilson")
    found = wilson_interval(right, pd.Series(range(count)).astype(str))
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_tiles_that_stand_and_fall_together_count_as_one():
    right = np.repeat([True, True, False, True, False, True, True, True], 4)
    photographs = pd.Series(np.repeat(np.arange(8), 4)).astype(str)
    low, high = wilson_interval(right, photographs)
    alone = binomtest(6, 8).proportion_ci(method="wilson")
    independent = binomtest(24, 32).proportion_ci(method="wilson")
    assert high - low > 1.5 * (independent.high - independent.low)
    assert (low, high) == pytest.approx((alone.low, alone.high), abs=1e-12)


def test_all_right_counts_photographs():
    expected = binomtest(8, 8).proportion_ci(method="wilson")
    found = wilson_interval(np.ones(32, bool), pd.Series(np.repeat(np.arange(8), 4)))
    assert found == pytest.approx((expected.low, expected.high))


def test_more_right_images_never_lower_the_interval():
    photographs = pd.Series(np.repeat(np.arange(100), 4))
    ends = [wilson_interval(np.arange(400) < hits, photographs) for hits in range(390, 401)]
    assert ends == sorted(ends)


def test_its_coverage_with_tiles_that_share_a_fate():
    random = np.random.default_rng(0)
    photographs = pd.Series(np.repeat(np.arange(40), 5))
    inside = 0
    for _ in range(400):
        chance = np.repeat(random.beta(4, 1, 40), 5)  # mean 0.8
        low, high = wilson_interval(random.random(200) < chance, photographs)
        inside += low <= 0.8 <= high
    assert inside / 400 >= 0.95


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="at least one image"):
        wilson_interval(np.array([], bool), pd.Series([], dtype=str))


def test_shares_by_group():
    rows = pd.DataFrame(
        {
            "source": ["b", "b", "a", "a"],
            "predicted": ["b", "a", "a", "a"],
            "device": ["b-1", "b-2", "a-1", "a-1"],
            "photo_id": list("wxyz"),
        }
    )
    assert share("all", rows).accuracy == 0.75
    assert [(s.name, s.images, s.accuracy) for s in shares_by(rows, "source")] == [
        ("a", 2, 1.0),
        ("b", 2, 0.5),
    ]
    assert [(s.name, s.accuracy) for s in shares_by(rows, "device")] == [
        ("a-1", 1.0),
        ("b-1", 1.0),
        ("b-2", 0.0),
    ]
