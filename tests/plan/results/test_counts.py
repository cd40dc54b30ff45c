"""Counts against a reference that reads the layers' shapes from forward hooks."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from bench.contract import Victim, VictimSpec
from bench.jobs.building import build_victim
from bench.nets.constrained import ConstrainedConv2d
from bench.nets.residual import ResidualEstimator
from bench.plan.results.counts import count
from bench.recipes import PAPER, SMOKE
from tests.toys import CLASSES, ToyVictim


def by_hooks(module, run):
    """Twice the multiply-adds of every convolution and linear layer that `run` passes."""
    total = 0

    def hook(layer, inputs, output):
        nonlocal total
        if isinstance(layer, nn.Linear):
            total += 2 * output.numel() * layer.in_features
        elif isinstance(layer, ConstrainedConv2d):
            total += 2 * output.numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.ConvTranspose2d):
            total += 2 * inputs[0].numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Conv2d):
            total += 2 * output.numel() * layer.weight[0].numel()

    handles = [part.register_forward_hook(hook) for part in module.modules()]
    with torch.no_grad():
        run()
    for handle in handles:
        handle.remove()
    return total


def built(name, recipe=SMOKE):
    victim = build_victim(name, CLASSES, recipe).eval()
    if victim.spec.residual:
        layers_alone = replace(recipe.estimator, unrolled=False)  # which hooks see
        victim.attach(ResidualEstimator(layers_alone).eval(), "digest")
    return victim


@pytest.mark.parametrize("name", ["img-resnet12", "pef-densenet40", "wdf-resnet18"])
def test_against_hooks(name):
    victim, image = built(name), torch.rand(1, 3, 96, 96)
    found = count(victim, image)
    front = by_hooks(victim, lambda: victim.frontend(image))
    assert found.frontend_flops_per_image == front
    assert found.flops_per_image == by_hooks(victim, lambda: victim.logits(image)) - front
    assert (front > 0) == name.startswith("wdf")
    estimator = sum(w.numel() for w in victim.estimator.parameters()) if front else 0
    assert found.frontend_parameters == estimator
    assert found.parameters == sum(w.numel() for w in victim.parameters()) - estimator


def test_resnet18_has_the_parameters_that_are_known_of_it():
    known = 11_689_512 - 513 * 1000 + 513 * len(CLASSES)  # torchvision's, with another head
    assert count(built("img-resnet18", PAPER), torch.rand(1, 3, 64, 64)).parameters == known


def test_cost_grows_with_the_image():
    victim = built("img-resnet12")
    small, large = (count(victim, torch.rand(1, 3, s, s)) for s in (64, 128))
    assert large.parameters == small.parameters
    assert 3.5 < large.flops_per_image / small.flops_per_image <= 4


def test_a_victim_that_writes_logits_has_no_frontend():
    victim = ToyVictim()
    found = count(victim, torch.rand(1, 3, 64, 64))
    assert found.frontend_flops_per_image == 0
    assert found.flops_per_image == 2 * 62 * 62 * 6 * 27 + 2 * 6 * 3


class Sealed(Victim):
    """Works, but cannot be followed."""

    spec = VictimSpec(name="sealed")

    def logits(self, images):
        raise RuntimeError("no tracing here")


def test_what_cannot_be_followed_is_not_zero():
    found = count(Sealed(classes=CLASSES), torch.rand(1, 3, 64, 64))
    assert found.flops_per_image is None
    assert found.frontend_flops_per_image is None
    assert found.parameters == 0
