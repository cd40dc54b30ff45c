from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score
from torch import nn

from bench.data import ExaminerSet
from bench.nets.filters import ConstrainedConv2d
from bench.nets.storage import compact_state, expand_state
from bench.recipes import PAPER, SMOKE, AdamWRecipe, ClassifierRecipe
from bench.training.classifier import accuracy_percent, fit_classifier, rate_schedule
from tests.toys import Memory, camera_set, copied, fit_context, same_state

BUDGET = ClassifierRecipe(batch=8, steps=30, lr=0.05, schedule="one-cycle")


class Small(nn.Module):
    """Mean colours after a convolution; remembers what it was shown."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3, stride=4), nn.BatchNorm2d(6), nn.ReLU())
        self.head = nn.Linear(6, 3)
        self.shown = []

    def forward(self, images):
        self.shown.append((self.training, images.shape, float(images.max())))
        return self.head(self.body(images).mean((2, 3)))


def fit(data=None, budget=BUDGET, stack=None, network=None, **context):
    network = network or Small()
    data = data or camera_set(ExaminerSet, per_class=4)
    stack = torch.from_numpy(data.images) if stack is None else stack
    report = fit_classifier("toy", network, stack, data, budget, fit_context(**context))
    return network, report


def test_a_separable_problem_is_learnt():
    network, report = fit()
    assert report.figures["validation_accuracy_percent"] == 100
    assert report.figures["validation_patch_accuracy_percent"] == 100
    curve = [value for _, value in report.curves["loss"]]
    assert curve[-1] < 0.3 < curve[0]
    assert not network.training


def adamw(**changes):
    return AdamWRecipe(**{"batch": 8, "steps": 1, "lr": 0.01, "schedule": "one-cycle"} | changes)


def test_adamw_decays_kernels_but_neither_biases_nor_norms():
    lazy = adamw(lr=1e-5, weight_decay=1000.0, schedule="step")  # a gradient moves by 1e-5
    start, network = copied(Small()), fit(budget=lazy)[0].state_dict()
    for name in ("body.0.weight", "head.weight"):
        decayed = start[name] * (1 - 1e-5 * 1000)
        torch.testing.assert_close(network[name], decayed, rtol=1e-3, atol=2e-5)
    for name in ("body.0.bias", "body.1.weight", "head.bias"):
        torch.testing.assert_close(network[name], start[name], rtol=0, atol=2e-5)


@pytest.mark.parametrize("recipe", [SMOKE, PAPER], ids=lambda recipe: recipe.name)
def test_what_is_validated_is_what_is_stored(recipe):
    network, _ = fit(recipe=recipe)
    exact = same_state(network.state_dict(), expand_state(compact_state(network)))
    assert exact == recipe.compact


def test_training_sees_patches_and_never_a_validation_image():
    data = camera_set(ExaminerSet)
    images = data.images.copy() // 2
    images[data.validation] = 255
    network, _ = fit(replace(data, images=images))
    trained = [(shape, top) for training, shape, top in network.shown if training]
    assert len(trained) == BUDGET.steps
    assert {tuple(shape) for shape, _ in trained} == {(8, 3, 64, 64)}
    assert max(top for _, top in trained) <= 127 / 255
    assert max(top for training, _, top in network.shown if not training) == 1


def test_a_residual_stack_reaches_the_network_unscaled():
    data = camera_set(ExaminerSet)
    stack = torch.randn(9, 3, 64, 64).clamp(-3, 3) * 10
    stack[0, 0, 0, 0] = 31.0
    network, _ = fit(data, stack=stack)
    assert max(top for _, _, top in network.shown) == pytest.approx(31.0)


class Watched(Small):
    """Notes in which precision its parts see and give values, in training and after."""

    def __init__(self):
        super().__init__()
        self.filters = ConstrainedConv2d()
        self.precisions = {True: set(), False: set()}

    def forward(self, images):
        errors = self.filters(images * 51)
        maps = self.body[0](errors)
        logits = self.head(self.body[1:](maps).mean((2, 3)))
        found = (images.dtype, errors.dtype, maps.dtype, logits.dtype)
        self.precisions[self.training].add(found)
        return logits


def test_mixed_precision_leaves_weights_updates_first_layers_and_validation_in_fp32():
    full, half = torch.float32, torch.bfloat16
    memory, budget = Memory(), replace(BUDGET, precision="bf16")
    network, _ = fit(network=Watched(), budget=budget, snapshots=memory.snapshots())
    assert network.precisions == {True: {(full, full, full, half)}, False: {(full,) * 4}}
    floating = [v for v in network.state_dict().values() if v.is_floating_point()]
    assert {v.dtype for v in floating} == {full}
    momenta = [s["momentum_buffer"] for s in memory.load()["parts"]["optimiser"]["state"].values()]
    assert {v.dtype for v in momenta} == {full}
    assert any((v != v.to(half).to(full)).any() for v in floating)  # not rounded in between


@pytest.mark.parametrize("batch", [1, 7, 32])
def test_accuracy_is_scikit_learns(batch):
    stack = torch.randn(50, 3, 4, 4)
    labels = torch.randint(0, 3, (50,))
    chosen = torch.randperm(50)[:40]

    class Colour(nn.Module):
        def forward(self, images):
            return images.mean((2, 3))

    expected = accuracy_score(labels[chosen], stack[chosen].mean((2, 3)).argmax(1))
    found = accuracy_percent(Colour(), stack, labels, chosen, batch=batch)
    assert found == pytest.approx(100 * expected)


def rates(budget, steps):
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=budget.lr, momentum=0.9)
    schedule = rate_schedule(optimiser, budget, steps)
    found = []
    for _ in range(steps):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return np.array(found)


@pytest.mark.parametrize("steps", [100, 1000])
@pytest.mark.parametrize("family", PAPER.classifiers)
def test_the_papers_rate_is_divided_by_ten_at_60_77_and_90_percent(steps, family):
    share = np.arange(steps) / steps
    divisions = sum((share >= milestone).astype(int) for milestone in (0.60, 0.77, 0.90))
    expected = 0.1 / 10.0**divisions
    np.testing.assert_allclose(rates(PAPER.classifiers[family], steps), expected, rtol=1e-9)
