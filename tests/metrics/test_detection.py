import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from bench.metrics.detection import detection, joint_ranks
from bench.metrics.resampling import scene_draws, share_interval

SCORES = st.lists(st.integers(-3, 3) | st.integers(-50, 50), min_size=1, max_size=30)


def figures(untouched, treated, scenes=None, **more):
    untouched, treated = (np.array(one, np.float64) for one in (untouched, treated))
    places = scenes or (np.zeros(len(untouched), int), np.zeros(len(treated), int))
    return detection(untouched, treated, places, 18, **more)


@given(untouched=SCORES, treated=SCORES, allowed=st.sampled_from([0.01, 0.1, 0.5]))
def test_figures_are_those_of_scikit_learn(untouched, treated, allowed):
    found = figures(untouched, treated, false_alarms=allowed)
    truth = np.repeat([0, 1], [len(untouched), len(treated)])
    scores = [*untouched, *treated]
    assert found.auc[0] == pytest.approx(roc_auc_score(truth, scores))
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    assert found.tpr[0] == pytest.approx(true[false <= allowed].max())
    assert np.mean(np.array(untouched) > found.threshold) <= allowed
    assert np.mean(np.array(treated) > found.threshold) == pytest.approx(found.tpr[0])


def test_intervals_are_of_whole_scenes(monkeypatch):
    monkeypatch.setattr("bench.metrics.detection.PART", 7)
    random = np.random.default_rng(0)
    places = np.repeat(np.arange(12), 2), np.repeat(np.arange(12), 3)
    untouched, treated = random.normal(size=24), random.normal(1, 1, size=36)
    found = figures(untouched, treated, places)
    aucs = []
    for draw in scene_draws(12):
        clean, dirty = np.repeat(untouched, draw[places[0]]), np.repeat(treated, draw[places[1]])
        aucs.append((dirty[:, None] > clean).mean())
    assert found.auc[1] == pytest.approx(share_interval(found.auc[0], np.array(aucs), 12, 18))
    assert found.tpr[1][0] <= found.tpr[0] <= found.tpr[1][1]


def test_detectors_together_have_no_more_false_alarms_than_one():
    """Four independent ones at 1 % each would have 4 %."""
    random = np.random.default_rng(0)
    untouched, treated = random.normal(size=(1000, 4)), random.normal(2, 1, size=(500, 4))
    ranks = joint_ranks(untouched, treated)
    limit = figures(*ranks).threshold
    limits = np.array([np.sort(untouched[:, k])[int(limit)] for k in range(4)])
    assert 0.005 < (untouched > limits).any(axis=1).mean() <= 0.01
    np.testing.assert_array_equal(ranks[1] > limit, (treated > limits).any(axis=1))
    for scale in (np.exp, np.arctan):  # of a detector's score nothing counts but its order
        untouched[:, 1], treated[:, 1] = scale(untouched[:, 1]), scale(treated[:, 1])
        np.testing.assert_array_equal(joint_ranks(untouched, treated)[1], ranks[1])
