import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from bench.metrics.ranks import rank_intervals, ranks, tie_groups


@given(arrays(float, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.integers(0, 4)))
def test_ranks_are_scipys(figures):
    assert (ranks(figures) == rankdata(-figures, method="min", axis=1)).all()


def test_an_interval_holds_the_ranks_that_occur():
    means, drawn = [3.0, 2.0, 1.0], np.array([[3.0, 2.0, 1.0]] * 90 + [[2.0, 3.0, 1.0]] * 10)
    assert rank_intervals(means, drawn) == [(1, 1, 2), (2, 1, 2), (3, 3, 3)]


def test_a_group_is_what_is_not_told_from_its_leader():
    means = [0.5, 0.9, 0.8, 0.6]

    def p(**near):
        pairs = {frozenset((i, j)): 0.01 for i in range(4) for j in range(i)}
        return pairs | {frozenset(map(int, k[1:])): v for k, v in near.items()}

    assert tie_groups(means, p()) == [4, 1, 2, 3]
    assert tie_groups(means, p(_12=0.2, _23=0.2)) == [3, 1, 1, 2]  # 3 is near 2, not near 1
    # 3 is near the best, but below one that is not: groups follow the ranks
    assert tie_groups(means, p(_13=0.05)) == [4, 1, 2, 3]
