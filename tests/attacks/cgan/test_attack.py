from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from attacks.cgan.attack import CganAttack, discriminator_loss, other_classes
from attacks.specs import SPECS
from bench.contract import ATTACKS, AttackSpec
from bench.recipes import SMOKE
from bench.signal.cfa import synthetic_cfa
from tests.toys import (
    CLASSES,
    ToyVictim,
    built,
    camera_set,
    copied,
    fit_context,
    pixels,
    same_state,
)

SPEC = AttackSpec(name="toy-gan", surrogates=("one", "two"))


def attack_of(**budget):
    torch.manual_seed(0)
    attack = CganAttack(SPEC, classes=CLASSES, recipe=SMOKE)
    attack.budget = replace(attack.budget, **budget)
    return attack


def toy_surrogates(names=("one", "two")):
    torch.manual_seed(5)
    return {name: ToyVictim(name) for name in names}


def trained(*, context=None, generator=None, **budget):
    """An attack after `fit`, which never touches the surrogates, and its report."""
    attack = attack_of(**budget)
    if generator is not None:
        attack.generator = generator
    surrogates = toy_surrogates()
    torch.manual_seed(0)
    before = {name: copied(surrogate) for name, surrogate in surrogates.items()}
    report = attack.fit(camera_set(), fit_context(surrogates=surrogates, **(context or {})))
    for name, surrogate in surrogates.items():
        assert same_state(before[name], surrogate.state_dict())
        assert not surrogate.training
        assert all(weight.grad is None for weight in surrogate.parameters())
    return attack, report


class Linear(nn.Module):
    """A stand-in judge: its score is a known function of image and label."""

    def forward(self, images, labels):
        return (images.mean((1, 2, 3)) * (1 + labels))[:, None, None, None].expand(-1, 1, 2, 2)


def test_discriminator_loss_is_eq_3_with_half_the_fakes_mismatched():
    real, fake = pixels(3, 64, 64).double() / 255, pixels(3, 64, 64, seed=1).double() / 255
    sources, targets = torch.tensor([0, 1, 2]), torch.tensor([2, 0, 1])
    a = 2 * real.numpy().mean((1, 2, 3)) - 1  # mean of the [-1, 1] image
    b = 2 * fake.numpy().mean((1, 2, 3)) - 1
    matching = np.mean((a * np.array([1, 2, 3]) - 1) ** 2)
    generated = np.mean((b * np.array([3, 1, 2])) ** 2)
    mismatched = np.mean((a * np.array([3, 1, 2])) ** 2)
    loss = discriminator_loss(Linear(), real, fake, sources, targets)
    assert float(loss) == pytest.approx(matching + 0.5 * generated + 0.5 * mismatched, rel=1e-9)


class Shift(nn.Module):
    """A stand-in generator: adds one number a target to every pixel of a [-1, 1] image."""

    def __init__(self, amount):
        super().__init__()
        self.amounts = nn.Parameter(torch.full((len(CLASSES),), amount))

    def forward(self, images, targets):
        return images + self.amounts[targets][:, None, None, None]


def amounts_after(start, **budget):
    """What one loss alone makes of a `Shift`, and the report."""
    nothing = {"lambda_adv": 0.0, "lambda_cnt": 0.0, "lambda_aux": 0.0}
    shape = {"batch": 16, "rounded": False, "steps": 3}
    attack, report = trained(generator=Shift(start), **nothing | shape | budget)
    return attack.generator.amounts.detach(), report


def test_content_loss_is_the_mean_absolute_difference_of_images_in_minus_1_to_1():
    amounts, report = amounts_after(0.2)
    assert report.figures["cnt"] == pytest.approx(0.2, rel=1e-4)
    assert torch.equal(amounts, torch.full((3,), 0.2))  # no weight, no change


def test_auxiliary_losses_ask_for_the_target(monkeypatch):
    def brightness_is_the_class(self, images):
        return images.mean((1, 2, 3))[:, None] * torch.tensor([[-9.0, 0.0, 9.0]])

    monkeypatch.setattr(ToyVictim, "logits", brightness_is_the_class)
    amounts, _ = amounts_after(0.0, lambda_aux=1.0)
    assert amounts[0] < 0 < amounts[2]


class BrightIsReal(nn.Module):
    """A stand-in discriminator that does not learn."""

    def __init__(self, classes, width, **options):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, images, labels):
        return images.mean((1, 2, 3), keepdim=True) + 0.5 + 0 * self.unused


def test_adversarial_loss_makes_fakes_look_real(monkeypatch):
    monkeypatch.setattr("attacks.cgan.networks.Discriminator", BrightIsReal)
    amounts, report = amounts_after(0.0, lambda_adv=1.0)
    assert (amounts > 0).all()
    assert 0 < report.figures["adv"] < 1  # scores lie between 0 and 1: 0 is not the goal


def test_transform_starts_as_the_identity_or_as_the_synthetic_cfa():
    images = pixels(2, 65, 97)
    targets = torch.tensor([0, 1])
    cfa = (synthetic_cfa(images.float() / 255).clamp(0, 1) * 255).round().byte()
    for name in (*(spec.name for spec in SPECS), "cama", "spoc"):
        attack = built(ATTACKS, name).eval()
        out, expected = attack(images, targets), cfa if attack.spec.scfa else images
        assert (out.int() - expected.int()).abs().max() <= 1, name
        assert (out != expected).float().mean() < 1e-3, name
        assert (cfa != images).float().mean() > 0.1


def test_targets_are_every_other_class_equally_often_and_never_the_source():
    generator = torch.Generator().manual_seed(0)
    sources = torch.arange(5).repeat(4000)
    targets = other_classes(sources, 5, generator)
    counts = torch.zeros(5, 5).index_put_((sources, targets), torch.ones(len(sources)), True)
    assert (counts.diagonal() == 0).all()
    others = counts[~torch.eye(5, dtype=torch.bool)]
    assert (others - 1000).abs().max() < 5 * (1000 * 0.75) ** 0.5  # five standard deviations
    again = other_classes(sources, 5, torch.Generator().manual_seed(0))
    assert torch.equal(again, targets)


class Watching(ToyVictim):
    """Notes the images that it is asked about in training."""

    def logits(self, images):
        if torch.is_grad_enabled():
            self.seen = images.detach().clone()
        return super().logits(images)


@pytest.mark.parametrize("symmetries", [False, True])
def test_each_laac_sees_symmetries_of_its_own(symmetries):
    surrogates = {name: Watching(name) for name in ("one", "two")}
    attack = attack_of(batch=16, steps=1, symmetries=symmetries)
    attack.fit(camera_set(), fit_context(surrogates=surrogates))
    one, two = (victim.seen for victim in surrogates.values())
    assert torch.equal(one, two) is not symmetries
    for mine, other in zip(one, two, strict=True):
        turned = [torch.rot90(m, turn, (1, 2)) for m in (mine, mine.flip(2)) for turn in range(4)]
        assert any(torch.equal(image, other) for image in turned)
