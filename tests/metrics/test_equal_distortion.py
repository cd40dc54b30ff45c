"""Success at equal distortion, against a second way to compute it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics.equal_distortion import Distorted, at_level, strength_weights
from bench.metrics.paired import Shared, resampled
from bench.metrics.resampling import scene_draws

LEVEL = 0.04


@given(st.lists(st.floats(0, 0.1) | st.just(LEVEL), min_size=1, max_size=5))
def test_a_mixture_reaches_the_level_or_is_the_whole_attack(steps):
    """That of the first strength beyond the level and the one before, or the whole if it is not."""
    distortions, success = np.array([0.0, *steps]), np.linspace(0, 1, 1 + len(steps)) ** 2
    weights, slopes = strength_weights(distortions, LEVEL)
    if distortions[-1] > LEVEL:
        upper = next(at for at, one in enumerate(distortions) if one > LEVEL)
        ends = slice(upper - 1, upper + 1)
        plain = np.interp(LEVEL, distortions[ends], success[ends])
        assert float(weights @ distortions) == pytest.approx(LEVEL, rel=1e-9)
        assert float(weights @ success) == pytest.approx(plain)
    else:
        assert weights.tolist() == [0.0] * len(steps) + [1.0]
    assert (weights.sum(), slopes.sum()) == pytest.approx((1, 0))
    assert (weights >= 0).all()


def two_attacks(scenes=12, seed=0):
    """Two attacks at three strengths each on two victims, one image a scene and victim."""
    random = np.random.default_rng(seed)
    sums = random.binomial(1, 0.5, (6, scenes, 2)).astype(float)
    far = np.array([0.0, 0.03, 0.06, 0.0, 0.01, 0.02])
    counts, spread = random.integers(1, 4, (6, scenes)), random.uniform(0.5, 1.5, scenes)
    ones, weights = np.ones((scenes, 2)), np.array([0.5, 0.5])
    return (
        Shared(
            sums=sums,
            counts=ones,
            weights=weights,
            image_ids=tuple(map(str, range(scenes))),
            photographs=scenes,
            scene_ids=tuple(map(str, range(scenes))),
            drawn=resampled(sums, ones, weights),
        ),
        Distorted(sums=far[:, None] * spread * counts, counts=counts.astype(float)),
    )


def read_off(shared, distorted, draw):
    """Of the first attack between its strengths, of the second at its last."""
    success = np.array([draw @ one / draw.sum() @ shared.weights for one in shared.sums])
    far = distorted.sums @ draw / (distorted.counts @ draw)
    return [np.interp(LEVEL, far[:3], success[:3]), success[5]]


def test_each_draw_of_scenes_is_read_off_its_own_curve():
    shared, distorted = two_attacks()
    found = at_level(shared, distorted, [3, 3], LEVEL)
    for place, draw in enumerate(scene_draws(12)):
        np.testing.assert_allclose(found.drawn[place], read_off(shared, distorted, draw))
    np.testing.assert_allclose(found.means, read_off(shared, distorted, np.ones(12)))


def test_effects_of_scenes_are_how_they_move_the_curves():
    shared, distorted = two_attacks()
    found = at_level(shared, distorted, [3, 3], LEVEL)
    plain, little = read_off(shared, distorted, np.ones(12)), 1e-6
    for effect, one in zip(found.effects(0, 1), np.eye(12), strict=True):
        moved = np.subtract(read_off(shared, distorted, 1 + little * one), plain) / little
        assert effect - (plain[0] - plain[1]) / 12 == pytest.approx(moved[0] - moved[1], abs=1e-5)


@pytest.mark.parametrize("seed", range(9))
def test_attacks_of_equal_successes_do_not_differ_by_last_bits(seed):
    shared, distorted = two_attacks(40, seed)
    alike = replace(shared, sums=np.repeat(shared.sums[:1], 6, axis=0))
    assert not at_level(alike, distorted, [3, 3], LEVEL).effects(0, 1).any()
