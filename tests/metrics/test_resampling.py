import numpy as np
import pytest

from bench.metrics.resampling import percentile_interval, photograph_draws, photograph_sums


def test_each_draw_has_as_many_photographs_as_there_are():
    draws = photograph_draws(7, replicates=500)
    assert draws.shape == (500, 7)
    assert (draws.sum(axis=1) == 7).all()
    assert draws.mean(axis=0) == pytest.approx(np.ones(7), abs=0.2)
    assert draws.var() == pytest.approx(1 - 1 / 7, rel=0.1)  # binomial, not every one once


def test_sums_and_counts_by_photograph_and_column():
    photographs, columns = np.array([0, 0, 2, 2, 2]), np.array([1, 1, 0, 1, 0])
    sums, counts = photograph_sums(photographs, columns, np.array([1.0, 2, 4, 8, 16]), (3, 2))
    assert sums.tolist() == [[0, 3], [0, 0], [20, 8]]
    assert counts.tolist() == [[0, 2], [0, 0], [2, 1]]


def test_the_interval_holds_the_central_part():
    assert percentile_interval(np.arange(1001.0)) == pytest.approx((25, 975))
    assert percentile_interval(np.arange(101.0), level=0.5) == pytest.approx((25, 75))
