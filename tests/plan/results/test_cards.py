"""`victims.json` says what the checkpoints' cards say, and costs nothing the second time."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bench.jobs.building import build_victim
from bench.nets.filters import ConstrainedConv2d
from bench.nets.residual import ResidualEstimator
from bench.plan.results import cards
from bench.plan.results.cards import CURVE_POINTS, count, thinned, write_network_cards
from bench.recipes import PAPER, SMOKE
from tests.smoke import VICTIMS, matrix_of
from tests.toys import CLASSES, ToyVictim


def test_a_run_writes_its_victims(smoke):
    content = json.loads((smoke.out / "victims.json").read_text())
    assert (content["schema"], content["image_px"]) == (1, 64)
    matrix = matrix_of(smoke.store, attacks=["identity"])
    assert [victim["name"] for victim in content["victims"]] == list(VICTIMS)
    for victim in content["victims"]:
        key = matrix.graph.victims[victim["name"]]
        card = matrix.shelf.find("victim", victim["name"], key).card
        assert victim["key"] == key[:16]
        made = victim["training"]
        for said in ("weights_sha256", "figures", "hyperparameters", "provenance"):
            assert made[said] == card[said]
        assert made["curves"]["loss"][-1][0] == 2
        assert victim["parameters"] > 0
        assert (victim["frontend_flops_per_image"] > 0) == victim["name"].startswith("wdf")


def test_counts_are_kept(smoke_copy, tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "count", None)
    write_network_cards(tmp_path, matrix_of(smoke_copy.store, attacks=["identity"]), VICTIMS)
    same = [(out / "victims.json").read_bytes() for out in (tmp_path, smoke_copy.out)]
    assert same[0] == same[1]


@given(st.lists(st.floats(0, 1), max_size=200))
def test_curves_are_thinned_by_averaging(values):
    short = thinned([[20 * (i + 1), value] for i, value in enumerate(values)])
    assert len(short) == min(len(values), CURVE_POINTS)
    steps = [step for step, _ in short]
    assert steps == sorted(set(steps))
    if values:
        parts = np.diff([0, *steps]) / 20
        mean = sum(parts * [value for _, value in short]) / len(values)
        assert (steps[-1], mean) == (20 * len(values), pytest.approx(np.mean(values), abs=1e-3))
    assert thinned([[0.5, 1.0574849], [1.5, 0.00012345678]]) == [[0.5, 1.057], [1.5, 0.0001235]]


def by_hooks(module, run):
    """Twice the multiply-adds of every convolution and linear layer that `run` passes."""
    total = 0

    def hook(layer, inputs, output):
        nonlocal total
        if isinstance(layer, nn.Linear):
            total += 2 * output.numel() * layer.in_features
        elif isinstance(layer, nn.ConvTranspose2d):
            total += 2 * inputs[0].numel() * layer.weight[0].numel()
        elif isinstance(layer, ConstrainedConv2d | nn.Conv2d):
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


def test_a_victim_that_writes_logits_has_no_frontend():
    found = count(ToyVictim(), torch.rand(1, 3, 64, 64))
    assert found.frontend_flops_per_image == 0
    assert found.flops_per_image == 2 * 62 * 62 * 6 * 27 + 2 * 6 * 3


def test_what_cannot_be_followed_is_not_zero(monkeypatch):
    monkeypatch.setattr(ToyVictim, "logits", lambda self, images: 1 / 0)
    found = count(ToyVictim(), torch.rand(1, 3, 64, 64))
    assert found.flops_per_image is found.frontend_flops_per_image is None
    assert found.parameters > 0
