import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from bench.metrics.resampling import (
    percentile_interval,
    scene_draws,
    scene_sums,
    share_interval,
    wilson_interval,
)


def test_each_draw_has_as_many_scenes_as_there_are():
    draws = scene_draws(7)
    assert draws.shape == (2000, 7)
    assert (draws.sum(axis=1) == 7).all()
    assert draws.mean(axis=0) == pytest.approx(np.ones(7), abs=0.2)
    assert draws.var() == pytest.approx(1 - 1 / 7, rel=0.1)  # binomial, not every one once


def test_sums_and_counts_by_scene_and_column():
    scenes, columns = np.array([0, 0, 2, 2, 2]), np.array([1, 1, 0, 1, 0])
    sums, counts = scene_sums(scenes, columns, np.array([1.0, 2, 4, 8, 16]), (3, 2))
    assert sums.tolist() == [[0, 3], [0, 0], [20, 8]]
    assert counts.tolist() == [[0, 2], [0, 0], [2, 1]]


@given(st.integers(1, 60), st.data())
def test_wilsons_interval_is_that_of_scipy(count, data):
    hits = data.draw(st.integers(0, count))
    expected = binomtest(hits, count).proportion_ci(method="wilson")
    found = wilson_interval(hits / count, count)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("truth", [0.5, 0.9, 0.98, 0.995])
@pytest.mark.parametrize(
    ("scenes", "predictions", "together"),
    [
        (3, 12, 0.3),
        (12, 1, 1.0),
        (12, 12, 0.1),
        (48, 1, 1.0),
        (48, 12, 0.3),
        (144, 12, 0.02),
        (144, 60, 0.3),
    ],
)
def test_an_interval_of_shares_covers_the_truth_near_one_too(scenes, predictions, together, truth):
    """Success of a scene's predictions is drawn together by a beta distribution."""
    random, covered = np.random.default_rng(0), 0
    for _ in range(400):
        chances: float | np.ndarray = truth
        if predictions > 1:
            spread = 1 / together - 1
            chances = random.beta(truth * spread, (1 - truth) * spread, scenes)
        shares = random.binomial(predictions, chances, scenes) / predictions
        drawn = scene_draws(scenes)[:400] @ shares / scenes
        low, high = share_interval(shares.mean(), drawn, scenes, scenes)
        covered += low <= truth <= high
    assert covered >= 0.9 * 400


@pytest.mark.parametrize("mean", [0.5, 5])
def test_so_it_does_where_cameras_took_the_same_scenes(mean):
    """Scenes and photographs are harder or easier, and one camera is than another."""
    random, hits = np.random.default_rng(0), []
    effects = mean + np.linspace(-1, 1, 6) + random.normal(size=(400, 24, 1))
    chances = 1 / (1 + np.exp(-effects - random.normal(size=(400, 24, 6))))
    truth = chances.mean()
    for photographs in random.binomial(12, chances) / 12:
        drawn = scene_draws(24) @ photographs.mean(1) / 24
        low, high = share_interval(photographs.mean(), drawn, 24, 24 * 6)
        hits.append(low <= truth <= high)
    assert np.mean(hits) >= 0.9


def test_the_interval_of_no_number_is_none():
    assert np.isnan(share_interval(np.nan, np.full(9, np.nan), 3, 3)).all()


@pytest.mark.parametrize("scenes", [3, 6])
def test_an_interval_of_a_difference_over_few_scenes_covers_it(scenes):
    covered, random = 0, np.random.default_rng(0)
    for _ in range(400):
        low, high = percentile_interval(
            scene_draws(scenes) @ random.normal(size=scenes) / scenes, scenes
        )
        covered += low <= 0 <= high
    assert 0.92 * 400 <= covered <= 0.98 * 400


def test_a_draw_far_off_as_ratios_have_them_moves_no_interval():
    near = np.linspace(0, 1, 1999)
    low, high = percentile_interval(np.append(near, 1e12), 12)
    assert (low, high) == pytest.approx(percentile_interval(near, 12), abs=1e-3)
    assert low < 0.025 < 0.975 < high
