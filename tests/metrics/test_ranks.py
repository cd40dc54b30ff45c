import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from bench.metrics.paired import pair
from bench.metrics.ranks import common_rows, rank_intervals, ranks, resampled_means, tie_groups
from tests.metrics.test_paired import FAMILIES, rows


def test_ranks_are_scipys():
    figures = np.random.default_rng(0).integers(0, 4, (20, 5)).astype(float)
    assert (ranks(figures) == rankdata(-figures, method="min", axis=1)).all()


def test_an_interval_holds_the_ranks_that_occur():
    figures = np.array([[3.0, 2.0, 1.0], *[[3.0, 2.0, 1.0]] * 90, *[[2.0, 3.0, 1.0]] * 10])
    assert rank_intervals(figures) == [(1, 1, 2), (2, 1, 2), (3, 3, 3)]
    assert rank_intervals(figures, level=0.5) == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]


def test_a_group_is_what_is_not_told_from_its_leader():
    means = [0.5, 0.9, 0.8, 0.6]

    def p(**near):
        pairs = {frozenset((i, j)): 0.01 for i in range(4) for j in range(i)}
        return pairs | {frozenset(map(int, k[1:])): v for k, v in near.items()}

    assert tie_groups(means, p()) == [4, 1, 2, 3]
    assert tie_groups(means, p(_12=0.2, _23=0.2)) == [3, 1, 1, 2]  # 3 is near 2, not near 1
    assert tie_groups(means, p(_13=0.05)) == [3, 1, 2, 1]


def test_means_are_over_what_all_were_scored_on():
    frames = [rows("a", 0), rows("b", 1, chance=0.3), rows("c", 2)]
    frames[2] = frames[2][frames[2]["image_id"] != "p0-t0"]
    together = pd.concat(frames, ignore_index=True)
    common = common_rows(together, ["a", "b", "c"])
    assert set(common["image_id"]) == set(together["image_id"]) - {"p0-t0"}
    figures = resampled_means(common, ["a", "b", "c"], "tasr", FAMILIES, replicates=50)
    assert figures.shape == (51, 3)
    parts = dict(iter(common.groupby("attack")))
    paired = pair(parts["a"], parts["b"], "tasr", FAMILIES)
    assert figures[0, :2] == pytest.approx(paired.means)
    low, high = paired.interval(replicates=50)  # the same draws
    assert np.quantile(figures[1:, 0] - figures[1:, 1], [0.025, 0.975]) == pytest.approx(
        (low, high)
    )


def test_one_photograph_has_no_rank_interval():
    frame = rows("a", 0, photos=1)
    assert resampled_means(frame, ["a"], "tasr", FAMILIES) is None
