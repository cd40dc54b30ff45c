"""Success at equal distortion, against a second way to compute it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics.equal_distortion import Distorted, at_level, strength_weights
from bench.metrics.paired import Shared
from bench.metrics.resampling import photograph_draws

LEVEL = 0.04
RISING = st.lists(st.floats(0.001, 0.1), min_size=1, max_size=5).map(
    lambda steps: np.array([0.0, *np.cumsum(steps)])
)


@given(RISING)
def test_a_mixture_reaches_the_level_or_is_the_whole_attack(distortions):
    weights = strength_weights(distortions, LEVEL)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    reached = float(weights @ distortions)
    assert reached == pytest.approx(min(LEVEL, distortions[-1]), rel=1e-9)
    used = np.flatnonzero(weights)
    assert used[-1] - used[0] <= 1
    success = np.linspace(0, 1, len(distortions)) ** 2
    plain = np.interp(LEVEL, distortions, success)
    assert float(weights @ success) == pytest.approx(plain)


def test_the_first_strength_beyond_the_level_counts_where_distortion_falls_again():
    assert strength_weights(np.array([0.0, 0.08, 0.02]), LEVEL).tolist() == [0.5, 0.5, 0.0]


def two_attacks(photographs=12, seed=0):
    """Two attacks at three strengths each on two victims, one image a photograph and victim."""
    random = np.random.default_rng(seed)
    sums = random.binomial(1, 0.5, (6, photographs, 2)).astype(float)
    far = np.array([0.0, 0.03, 0.06, 0.0, 0.01, 0.02])
    spread = random.uniform(0.5, 1.5, photographs)
    return (
        Shared(
            sums=sums,
            counts=np.ones((photographs, 2)),
            weights=np.array([0.5, 0.5]),
            images=photographs,
            photo_ids=tuple(map(str, range(photographs))),
        ),
        Distorted(sums=far[:, None] * spread, counts=np.ones((6, photographs))),
    )


def test_each_draw_of_photographs_is_read_off_its_own_curve():
    shared, distorted = two_attacks()
    found = at_level(shared, distorted, [3, 3], LEVEL)
    assert found.whole == (False, True)
    for place, draw in enumerate(photograph_draws(12)):
        success = np.array([draw @ one / draw.sum() @ shared.weights for one in shared.sums])
        far = distorted.sums @ draw / draw.sum()
        first = np.interp(LEVEL, far[:3], success[:3])
        np.testing.assert_allclose(found.drawn[place], [first, success[5]])
    far, success = distorted.means, np.array(shared.means)
    first = np.interp(LEVEL, far[:3], success[:3])
    np.testing.assert_allclose(found.mixed.means, [first, success[5]])
