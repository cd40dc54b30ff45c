from functools import partial

import numpy as np
import pytest
import torch
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from bench.contract import VICTIMS
from bench.data import ExaminerSet
from bench.recipes import PAPER
from tests.toys import CLASSES, built, camera_set, fit_context

build = partial(built, VICTIMS, "bondi-svm")


def unit(data, chosen=slice(None)):
    return torch.from_numpy(data.images[chosen]).float() / 255


def test_the_network_is_as_large_as_the_papers():
    victim = build(PAPER, [f"cam-{i}" for i in range(18)])
    assert [tuple(w.shape) for w in victim.network.parameters() if w.ndim == 4] == [
        (32, 3, 4, 4),
        (48, 32, 5, 5),
        (64, 48, 5, 5),
        (128, 64, 5, 5),
    ]
    assert sum(weight.numel() for weight in victim.parameters()) == 340_642


@pytest.mark.parametrize("classes", [CLASSES[:2], CLASSES], ids=len)
def test_it_decides_as_scikit_learns_linear_machines_on_each_patch(classes):
    victim, data = build(classes=classes), camera_set(ExaminerSet, 6, side=128, classes=classes)
    report = victim.fit(data, fit_context())
    train = ~data.validation
    features = victim.frontend(unit(data)).detach().double().numpy()
    assert features.shape == (len(data.images), 4, 128)
    reference = make_pipeline(StandardScaler(), OneVsRestClassifier(LinearSVC(dual=False)))
    reference.fit(features[train].reshape(-1, 128), data.labels[train].repeat(4))
    expected = reference.decision_function(features.reshape(-1, 128))
    if len(classes) == 2:
        expected = np.stack([-expected, expected], axis=1)
    expected = expected.reshape(len(data.images), 4, -1).mean(1) / report.figures["temperature"]
    images = unit(data).requires_grad_()
    logits = victim(images)
    logits[0, 0].backward()
    assert images.grad[0].any()
    found = logits.detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    assert report.figures["validation_accuracy_percent"] == 100
    assert "support_vectors" not in report.figures
