import numpy as np
import pytest

from bench.metrics.resampling import photograph_draws, photograph_sums


def test_each_draw_has_as_many_photographs_as_there_are():
    draws = photograph_draws(7)
    assert draws.shape == (2000, 7)
    assert (draws.sum(axis=1) == 7).all()
    assert draws.mean(axis=0) == pytest.approx(np.ones(7), abs=0.2)
    assert draws.var() == pytest.approx(1 - 1 / 7, rel=0.1)  # binomial, not every one once


def test_sums_and_counts_by_photograph_and_column():
    photographs, columns = np.array([0, 0, 2, 2, 2]), np.array([1, 1, 0, 1, 0])
    sums, counts = photograph_sums(photographs, columns, np.array([1.0, 2, 4, 8, 16]), (3, 2))
    assert sums.tolist() == [[0, 3], [0, 0], [20, 8]]
    assert counts.tolist() == [[0, 2], [0, 0], [2, 1]]
