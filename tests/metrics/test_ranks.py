import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from bench.metrics.paired import pair
from bench.metrics.ranks import rank_intervals, ranks, shared_by_all, tie_groups
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
    shared = shared_by_all(together, ["a", "b", "c"], "tasr", FAMILIES)
    assert shared.images == together["image_id"].nunique() - 1
    figures = shared.resampled_means(replicates=50)
    assert figures.shape == (51, 3)
    common = together[together["image_id"] != "p0-t0"]
    parts = dict(iter(common.groupby("attack")))
    paired = pair(parts["a"], parts["b"], "tasr", FAMILIES)
    assert figures[0, :2] == pytest.approx(paired.means)
    assert shared.pair(0, 1).effects == pytest.approx(paired.effects)
    low, high = paired.interval(replicates=50)  # the same draws
    assert np.quantile(figures[1:, 0] - figures[1:, 1], [0.025, 0.975]) == pytest.approx(
        (low, high)
    )


def test_untargeted_attacks_share_images_with_targeted_ones_in_uasr():
    removal = rows("b", 1).drop_duplicates(["image_id", "victim"]).assign(target=None)
    together = pd.concat([rows("a", 0), removal], ignore_index=True)
    assert shared_by_all(together, ["a", "b"], "tasr", FAMILIES) is None
    shared = shared_by_all(together, ["a", "b"], "uasr", FAMILIES)
    parts = dict(iter(together.groupby("attack")))
    paired = pair(parts["a"], parts["b"], "uasr", FAMILIES)
    assert shared.pair(0, 1).means == pytest.approx(paired.means)
    assert shared.pair(0, 1).effects == pytest.approx(paired.effects)


def test_one_photograph_has_no_rank_interval():
    shared = shared_by_all(rows("a", 0, photos=1), ["a"], "tasr", FAMILIES)
    assert shared.resampled_means() is None
