from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from bench.nets.residual import ResidualEstimator
from bench.nets.storage import compact_state, expand_state
from bench.recipes import PAPER, SMOKE
from bench.signal.wavelet import wdf_residual
from bench.suites.set_files import kept_array
from bench.training.residual import fit_estimator, true_residuals
from tests.toys import camera_set, fit_context, same_state

CPU = torch.device("cpu")
BUDGET = replace(SMOKE.estimator, unrolled=False, steps=40, lr=3e-3, batch=4)


def fit(budget=BUDGET, data=None, **context):
    torch.manual_seed(0)
    estimator = ResidualEstimator(budget)
    report = fit_estimator("toy", estimator, data or camera_set(), budget, fit_context(**context))
    return estimator, report


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_true_residuals_are_those_of_whole_images(batch):
    data = camera_set(side=96)
    images = torch.from_numpy(data.images)
    expected = wdf_residual(images.float() / 255, 5.0)
    found = torch.from_numpy(true_residuals(data, CPU, batch))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    patch = wdf_residual(images[..., :64, :64].float() / 255, 5.0)
    assert (found[..., :64, :64] - patch).abs().max() > 0.05


@pytest.mark.parametrize("recipe", [SMOKE, PAPER], ids=lambda recipe: recipe.name)
def test_what_is_validated_is_what_is_stored(recipe):
    data = camera_set()
    estimator, report = fit(data=data, recipe=recipe)
    exact = same_state(estimator.state_dict(), expand_state(compact_state(estimator)))
    assert exact == recipe.compact
    truth = torch.from_numpy(true_residuals(data, CPU)[data.validation])
    with torch.no_grad():
        found = estimator(torch.from_numpy(data.images[data.validation]) / 255)
    explained = 100 * (1 - (found - truth).square().sum() / truth.square().sum())
    assert report.figures["validation_explained_percent"] == pytest.approx(float(explained))


def test_residuals_are_computed_once_for_a_set_on_disk(tmp_path, monkeypatch):
    data = camera_set()
    kept = replace(data, keep=partial(kept_array, tmp_path))
    first = true_residuals(kept, CPU)
    np.testing.assert_array_equal(first, true_residuals(data, CPU))
    monkeypatch.setattr("bench.training.residual.wdf_residual", lambda *_: pytest.fail("again"))
    true_residuals(kept, CPU)[:] = 0  # a mapping of one's own: the file stays
    np.testing.assert_array_equal(true_residuals(kept, CPU), first)
