import enum
import json
import math
import random
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from bench.contract import (
    ATTACKS,
    VICTIMS,
    Attack,
    AttackSpec,
    FitContext,
    Victim,
    VictimSpec,
    registration,
)
from bench.contract.global_state import random_numbers
from bench.sources import makeup_of
from bench.types import CamobenchError, as_json
from tests.toys import CLASSES, pixels

IMAGES = pixels(2, 16, 20)
TARGETS, ONE = torch.tensor([1, 0]), torch.tensor([4])


def attack_that(returns, targeted=True):
    """An attack whose `transform` is the given function."""

    class Made(Attack):
        spec = AttackSpec(name="made", targeted=targeted)

        def transform(self, images, targets):
            return returns(images, targets)

    return Made(classes=CLASSES)


def test_transform_reads_exact_multiples_of_one_255th_and_the_targets():
    seen = []
    attack = attack_that(lambda images, targets: seen.append((images, targets)) or images)
    out = attack(IMAGES, TARGETS)
    (images, targets) = seen[0]
    assert images.dtype == torch.float32
    np.testing.assert_array_equal(images.numpy(), IMAGES.numpy() / np.float32(255))
    assert torch.equal(targets, TARGETS)
    assert torch.equal(out, IMAGES)
    assert out.dtype == torch.uint8


@pytest.mark.parametrize("value", [object(), math.inf, {1, "2"}])
def test_hyperparameters_that_no_key_can_hold_are_refused(value):
    attack = attack_that(lambda images, targets: images)
    type(attack).hyperparameters = {"sigma": value}
    with pytest.raises(CamobenchError, match="no key can hold the `hyperparameters` of made"):
        attack.stated_hyperparameters()


def test_results_are_clipped_and_rounded_as_a_file_would_hold_them():
    values = torch.rand(2, 3, 16, 20, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.3
    expected = np.rint(np.clip(values.double().numpy(), 0, 1) * 255).astype(np.uint8)
    for dtype in (torch.float32, torch.float64):
        out = attack_that(lambda images, targets, d=dtype: values.to(d))(IMAGES, TARGETS)
        np.testing.assert_array_equal(out.numpy(), expected)


@pytest.mark.parametrize("draw", [torch.randn, np.random.randn, lambda *_: random.gauss(0, 1)])
@pytest.mark.parametrize("targeted", [True, False])
def test_what_is_drawn_follows_from_image_and_target(draw, targeted):
    def noisy(images, targets):
        steps = 0 if targets is None else targets.add_(1).view(-1, 1, 1, 1) / 255
        return images + steps + 0.1 * torch.as_tensor(draw(*images.shape), dtype=torch.float32)

    images, targets = pixels(3, 16, 20)[[0, 1, 2, 0, 0]], torch.tensor([1, 0, 2, 1, 2])
    before = random_numbers(images.device)
    together = attack_that(noisy, targeted)(images, targets)
    assert random_numbers(images.device) == before
    attack = attack_that(noisy, targeted)
    told = makeup_of(attack)
    alone = [attack(images[at : at + 1], targets[at : at + 1]) for at in (4, 3, 2, 1, 0)]
    assert makeup_of(attack) == told
    assert torch.equal(together, torch.cat(alone[::-1]))
    assert torch.equal(together[0], together[3])
    assert torch.equal(together[0], together[4]) != targeted


def test_what_a_victim_draws_follows_from_the_image():
    class Smoothed(Victim):
        spec = VictimSpec(name="smoothed")

        def logits(self, images):
            return (images.mul_(0.5) + torch.randn_like(images)).mean((2, 3))

    images = pixels(3, 16, 20)[[0, 1, 2, 0]] / 255
    victim = Smoothed(classes=CLASSES[:3])
    together = victim.checked_logits(images)
    alone = [victim.checked_logits(images[at : at + 1]) for at in (3, 2, 1, 0)]
    assert torch.equal(together, torch.cat(alone[::-1]))
    assert torch.equal(images, pixels(3, 16, 20)[[0, 1, 2, 0]] / 255)


def test_an_untargeted_attack_never_sees_targets():
    seen = []
    attack = attack_that(lambda images, targets: seen.append(targets) or images, targeted=False)
    attack(IMAGES)
    attack(IMAGES, TARGETS)
    assert seen == [None, None]


@pytest.mark.parametrize("targets", [None, torch.tensor([1]), torch.tensor([[1, 0]])])
def test_a_targeted_attack_needs_one_target_an_image(targets):
    attack = attack_that(lambda images, targets: images)
    with pytest.raises(ValueError, match="made is targeted: expected 2 `targets`"):
        attack(IMAGES, targets)


@pytest.mark.parametrize(
    ("returns", "message"),
    [
        (lambda x: x[..., 1:], r"`transform` returned shape \(2, 3, 16, 19\), expected"),
        (lambda x: x.permute(0, 2, 3, 1), r"`transform` returned shape \(2, 16, 20, 3\), expected"),
        (lambda x: x.index_fill(3, ONE, math.nan), "96 of 1920 values are NaN or infinite"),
        (lambda x: x.index_fill(3, ONE, math.inf), "96 of 1920 values are NaN or infinite"),
        (lambda x: (x * 255).byte(), "`transform` must return a floating-point tensor"),
        (lambda x: x.numpy(), "`transform` must return a floating-point tensor"),
    ],
)
def test_what_is_no_image_is_refused(returns, message):
    with pytest.raises(ValueError, match=f"made: .*{message}"):
        attack_that(lambda images, targets: returns(images))(IMAGES, TARGETS)


class Named(str, enum.Enum):  # noqa: UP042  # what it would be written as is "Named.NET"
    NET = "net"


@pytest.mark.parametrize("kind", [AttackSpec, VictimSpec])
@pytest.mark.parametrize(
    "name", ["", "My-Net", "my net", "my_net", "a/b", 1, "größe", "a\x1b", Named.NET]
)
def test_names_are_kebab_case(kind, name):
    with pytest.raises(ValueError, match="must be kebab-case, such as 'wavelet-denoise'"):
        kind(name=name)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"paper": 2020}, "`paper` to be text"),
        ({"version": "2"}, "a whole number"),
        ({"version": True}, "a whole number"),
        ({"laac": (1,)}, "a tuple of text"),
        ({"control": 1}, "a truth value"),
        ({"laac": "img"}, "a tuple"),
        ({"reach_px": 1.0}, "whole `reach_px`"),
    ],
)
def test_what_no_entry_could_hold_is_refused_as_a_spec_is_written(told, kind):
    with pytest.raises(ValueError, match=f"attack a: expected .*{kind}"):
        AttackSpec(name="a", **told)


@dataclass(frozen=True, kw_only=True)
class GrainSpec(AttackSpec):
    strength: float = 1
    weights: str | None = ""


def test_what_somebody_adds_to_a_spec_is_of_the_type_that_they_state():
    spec = GrainSpec(name="a", strength=0.5, weights=None)
    assert (spec.strength, spec.weights) == (0.5, None)


@pytest.mark.parametrize(
    ("spec", "shaping"),
    [
        (
            AttackSpec(name="a"),
            {"targeted": False, "laac": ("img",), "scfa": True, "surrogates": ("img-resnet18",)},
        ),
        (VictimSpec(name="a"), {"front_end": "x", "backbone": "y", "residual": "wdf-v1"}),
    ],
)
def test_identity_is_what_shapes_results_and_no_description(spec, shaping):
    shaping = {"name": "b", "version": 2, **shaping}
    for field, value in shaping.items():
        assert replace(spec, **{field: value}).identity() != spec.identity(), field
    assert spec.identity().keys() == shaping.keys()
    json.dumps(spec.identity())
    assert {"paper", "licence"} | shaping.keys() < as_json(spec).keys()


def test_the_context_holds_no_store_no_suite_and_no_victim():
    told = {"label", "device", "seed", "recipe", "progress", "snapshots", "surrogates"}
    assert set(FitContext.__dataclass_fields__) == told


def victim_that(returns, classes=CLASSES):
    class Made(Victim):
        spec = VictimSpec(name="made")

        def logits(self, images):
            return returns(images)

    return Made(classes=classes)


def test_logits_are_checked():
    victim = victim_that(lambda images: images.mean((2, 3)))
    values = victim(IMAGES / 255)
    assert victim.require_logits(values, 2) is values
    with pytest.raises(ValueError, match=r"made: expected logits of shape \(2, 3\), got \(2, 4\)"):
        victim.require_logits(torch.zeros(2, 4), 2)
    with pytest.raises(ValueError, match=r"expected logits of shape \(2, 3\), got a tuple"):
        victim.require_logits((values,), 2)
    with pytest.raises(ValueError, match=r"expected logits of shape \(3, 3\), got \(2, 3\)"):
        victim.require_logits(values, 3)
    with pytest.raises(ValueError, match="made: the logits: 3 of 6 values are NaN or infinite"):
        victim.require_logits(torch.tensor([[1.0] * 3, [float("nan")] * 3]), 2)


def test_the_split_makes_the_logits():
    class Split(Victim):
        spec = VictimSpec(name="split")

        def frontend(self, images):
            return images - 0.5

        def backbone(self, features):
            return features.mean((2, 3))

    victim = Split(classes=CLASSES)
    images = IMAGES / 255
    assert torch.equal(victim(images), (images - 0.5).mean((2, 3)))
    assert victim.frontend_digest is None
    assert torch.equal(victim_that(lambda x: x).frontend(images), images)


def test_only_classes_with_a_spec_and_entries_are_registered(own_registries):
    class Nameless(Attack):
        pass

    class Wrong(Attack):
        spec = VictimSpec(name="wrong")

    known = ATTACKS.names(), VICTIMS.names()
    for cls in (Nameless, Wrong):
        with pytest.raises(TypeError, match=f"{cls.__name__} needs a class attribute `spec: Attac"):
            registration.register_attack(cls)
    for thing in (3, "mislgan", Victim, attack_that(lambda x, t: x)):
        with pytest.raises(TypeError, match="expected a subclass of Attack or an `Entry`, got"):
            ATTACKS.add(thing)
    with pytest.raises(TypeError, match="Victim needs a class attribute `spec: VictimSpec`"):
        VICTIMS.add(Victim)
    assert (ATTACKS.names(), VICTIMS.names()) == known
