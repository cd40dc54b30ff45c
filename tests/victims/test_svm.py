from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from sklearn.metrics import log_loss

from bench.contract import VICTIMS
from bench.data import ExaminerSet
from bench.jobs.networks import take_state
from bench.nets.storage import compact_state
from tests.toys import CLASSES, Recorder, built, camera_set, fit_context, same_state
from victims.svm import make_pipeline

build = partial(built, VICTIMS, "spam-svm")


def textured(classes=CLASSES, per_class=8, seed=0):
    """Classes that differ by the size of their noise alone, not by colour."""
    data = camera_set(ExaminerSet, per_class, classes=classes, seed=seed)
    random = np.random.default_rng(seed)
    ramp = np.add.outer(np.arange(64), np.arange(64))
    noise = random.integers(0, 2 + data.labels[:, None, None, None], data.images.shape)
    images = (60 + ramp + noise).astype(np.uint8)
    return ExaminerSet(
        images=images, labels=data.labels, classes=tuple(classes), validation=data.validation
    )


@pytest.fixture(scope="module")
def fitted():
    victim, data = build(), textured()
    report = victim.fit(data, fit_context())
    return victim.eval(), data, report


def unit(data, chosen=slice(None)):
    return torch.from_numpy(data.images[chosen]).float() / 255


def pipeline_of(victim, data):
    train = ~data.validation
    return make_pipeline().fit(victim.frontend(unit(data, train)).numpy(), data.labels[train])


def test_it_learns_texture(fitted):
    victim, _, report = fitted
    other = textured(seed=5)
    assert (victim(unit(other)).argmax(1).numpy() == other.labels).mean() > 0.9
    assert report.figures["validation_accuracy_percent"] > 90
    assert report.figures["support_vectors"] == len(victim.machines.support) <= 21


@pytest.mark.parametrize("classes", [CLASSES, CLASSES[:2], (*CLASSES, "cam-d")], ids=len)
def test_decisions_are_scikit_learns(classes):
    victim, data = build(classes=classes), textured(classes)
    victim.fit(data, fit_context())
    features = victim.frontend(unit(textured(classes, seed=3)))
    expected = pipeline_of(victim, data).decision_function(features.numpy())
    if len(classes) == 2:
        expected = np.stack([-expected, expected], axis=1)
    decisions = victim.machines.decisions(features).numpy()
    np.testing.assert_allclose(decisions, expected, rtol=0, atol=1e-5)
    assert np.abs(expected).max() > 0.1


def test_the_temperature_makes_validation_likeliest_and_changes_no_prediction(fitted):
    victim, data, report = fitted
    features = victim.frontend(unit(data, data.validation))
    decisions, truth = victim.machines.decisions(features), data.labels[data.validation]

    def loss(temperature):
        return log_loss(truth, (decisions / temperature).softmax(1).numpy(), labels=[0, 1, 2])

    best = report.figures["temperature"]
    assert best == float(victim.machines.temperature)
    assert loss(best) <= min(loss(best * 1.1), loss(best / 1.1)) + 1e-9 or best == 0.01
    logits = victim.logits(unit(data, data.validation))
    torch.testing.assert_close(logits, (decisions / best).float())
    assert torch.equal(logits.argmax(1), decisions.argmax(1))


def test_a_stored_one_is_the_same(fitted):
    victim, data, _ = fitted
    for state in (victim.state_dict(), compact_state(victim)):
        assert all(isinstance(value, torch.Tensor) for value in state.values())
        restored = build()
        assert take_state(restored, load(save(state))) == ""
        assert same_state(restored.state_dict(), victim.state_dict())
        assert torch.equal(restored(unit(data)), victim(unit(data)))


def test_fit_is_deterministic_and_tells_how_far_it_is(fitted):
    victim, recorder = build(), Recorder()
    victim.fit(textured(), fit_context(progress=recorder))
    assert same_state(victim.state_dict(), fitted[0].state_dict())
    assert recorder.started == [("features of spam-svm", 24)]
    assert (sum(recorder.units), recorder.finished) == (24, 1)
