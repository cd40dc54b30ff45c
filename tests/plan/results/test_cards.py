"""`victims.json` says what the checkpoints' cards say, and costs nothing the second time."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from bench.contract import Victim, VictimSpec
from bench.jobs.building import build_victim
from bench.nets.constrained import ConstrainedConv2d
from bench.nets.residual import ResidualEstimator
from bench.plan.results import cards
from bench.plan.results.cards import CURVE_POINTS, count, thinned, training, write_network_cards
from bench.recipes import PAPER, SMOKE
from bench.store import open_checkpoint
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
        assert made["weights_sha256"] == card["weights_sha256"]
        assert made["figures"] == card["figures"]
        assert made["hyperparameters"] == card["hyperparameters"]
        assert made["provenance"] == card["provenance"]
        assert made["validation_of"] == "the stored weights"
        assert made["curves"]["loss"][-1][0] == 2
        assert victim["parameters"] > 0
        assert (victim["frontend_flops_per_image"] > 0) == victim["name"].startswith("wdf")


def test_counts_are_kept(smoke_copy, tmp_path, monkeypatch):
    def twice(*args):
        raise AssertionError("counted again")

    monkeypatch.setattr(cards, "count", twice)
    write_network_cards(tmp_path, matrix_of(smoke_copy.store, attacks=["identity"]))
    assert (tmp_path / "victims.json").read_bytes() == (
        smoke_copy.out / "victims.json"
    ).read_bytes()
    for kept in (smoke_copy.store.root / "counts").iterdir():
        kept.unlink()
    with pytest.raises(AssertionError, match="counted again"):
        write_network_cards(tmp_path, matrix_of(smoke_copy.store, attacks=["identity"]))


@pytest.mark.parametrize("length", [1, 30, 60, 61, 1850])
def test_curves_are_thinned_by_averaging(length):
    curve = [[20 * (i + 1), float(i % 2)] for i in range(length)]
    short = thinned(curve)
    assert len(short) == min(length, CURVE_POINTS)
    assert short[-1][0] == 20 * length
    steps = [step for step, _ in short]
    assert steps == sorted(set(steps))
    if length == 1850:
        assert all(0.4 < value < 0.6 for _, value in short)


def test_values_are_rounded_to_four_digits():
    assert thinned([[20, 1.0574849], [40, 0.00012345678]]) == [[20, 1.057], [40, 0.0001235]]
    assert thinned([]) == []


@pytest.mark.parametrize(
    ("compact", "expected"),
    [(True, "the weights before they were rounded for storage"), (False, "the stored weights")],
)
def test_older_cards_lack_some(tmp_path, compact, expected):
    card = {"seconds": 1.0, "figures": {}, "curves": {}, "weights_sha256": "ab"}
    (tmp_path / "card.json").write_text(json.dumps(card))
    made = training(open_checkpoint(tmp_path), compact)
    assert made["validation_of"] == expected
    assert made["hyperparameters"] is made["provenance"] is None


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
