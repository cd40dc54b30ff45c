import numpy as np
import pytest

from bench.metrics.linkage import linkage
from bench.metrics.resampling import percentile_interval, scene_draws, share_interval


def test_figures_and_intervals_are_those_of_whole_scenes():
    random = np.random.default_rng(0)
    places, own = np.repeat(np.arange(9), 2), np.repeat(np.arange(3), 6)
    fits = random.normal(size=(18, 4))
    fits[np.arange(18), own] += 1
    found = linkage(fits, own, places, 12)

    def figures(rows):
        is_own = np.arange(4) == own[rows][:, None]
        mine, others = fits[rows][is_own], fits[rows][~is_own]
        return np.median(mine), (mine[:, None] > others).mean()

    assert (found.pce[0], found.auc[0]) == pytest.approx(figures(np.arange(18)))
    drawn = [figures(np.repeat(np.arange(18), draw[places])) for draw in scene_draws(9)]
    pces, aucs = np.transpose(drawn)
    assert found.pce[1] == pytest.approx(percentile_interval(pces, 9))
    assert found.auc[1] == pytest.approx(share_interval(found.auc[0], aucs, 9, 12))


def test_one_scene_has_no_interval():
    found = linkage(np.array([[3.0, 1.0]]), np.array([0]), np.array([0]), 1)
    assert (found.pce, found.auc) == ((3, None), (1, None))


@pytest.mark.parametrize("fits", [np.zeros((0, 2)), np.zeros((1, 1)), np.full((1, 2), np.nan)])
def test_what_links_nothing_is_refused(fits):
    with pytest.raises(ValueError, match="PCE"):
        linkage(fits, np.zeros(len(fits), int), np.zeros(len(fits), int), 1)
