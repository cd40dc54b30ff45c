"""What every registered attack must keep; a new entry is tested by being registered.

The rules for plug-ins too are held by `tests/verify/contract_checks/test_registries.py`.
"""

from functools import cache

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bench.contract import ATTACKS, Attack
from bench.recipes import MINI, PAPER, SMOKE
from bench.store import digest
from tests.toys import CLASSES, pixels, shaken

NAMES = ATTACKS.names()
TARGETS = torch.tensor([2, 0, 1])
ROWS = {
    "cgan-img": (("img",), False),
    "cgan-wdf": (("wdf",), False),
    "cgan-wdf-scfa": (("wdf",), True),
    "cgan-pef": (("pef",), False),
    "mislgan": (("pef",), True),
    "cgan-img-wdf": (("img", "wdf"), False),
    "cgan-img-pef": (("img", "pef"), False),
    "cgan-img-wdf-pef": (("img", "wdf", "pef"), False),
}
PRELIMINARY = {
    "cgan-img-wdf-pef-scfa": (("img", "wdf", "pef"), True),
    "cgan-img-wdf-pef-unconstrained": (("img", "wdf", "pef"), False),
    "cgan-no-laac": ((), False),
    "cgan-img-wdf-pef-per-target": (("img", "wdf", "pef"), False),
}
CONTROLS = ("identity", "jpeg", "median", "gaussian-blur", "wavelet-denoise")


def build(name, recipe=SMOKE, classes=CLASSES):
    entry = ATTACKS.get(name)
    return entry.builder(entry.spec, classes=classes, recipe=recipe)


@cache
def attack_named(name):
    """In evaluation mode, with noise on every weight: no generator is the identity by luck."""
    return shaken(build(name)).eval().requires_grad_(False)


def test_the_eight_rows_of_the_paper_are_there():
    found = {entry.spec.name: (entry.spec.laac, entry.spec.scfa) for entry in ATTACKS}
    assert {name: found[name] for name in ROWS} == ROWS
    for name, (laac, _) in ROWS.items():
        spec = ATTACKS.get(name).spec
        assert spec.surrogates == tuple(f"{space}-resnet18" for space in laac)
        assert spec.targeted
        assert not spec.control
        assert not spec.preliminary


def test_the_preliminary_findings_of_the_paper_are_there_and_marked():
    marked = {e.spec.name: (e.spec.laac, e.spec.scfa) for e in ATTACKS if e.spec.preliminary}
    assert marked == PRELIMINARY


def test_a_transfer_attack_is_a_control_too():
    spec = ATTACKS.get("mi-fgsm").spec
    assert spec.control
    assert spec.targeted
    assert spec.surrogates == ATTACKS.get("cgan-img-wdf-pef").spec.surrogates


@pytest.mark.parametrize("name", CONTROLS)
def test_the_five_controls_are_there(name):
    spec = ATTACKS.get(name).spec
    assert spec.control
    assert not spec.targeted
    assert not build(name).learns


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("recipe", [MINI, SMOKE])
def test_builders_make_attacks_of_the_spec(name, recipe):
    attack = build(name, recipe)
    assert isinstance(attack, Attack)
    assert attack.spec is ATTACKS.get(name).spec
    assert attack.classes == CLASSES
    stated = ATTACKS.get(name).traits(recipe)
    assert stated.hyperparameters == attack.stated_hyperparameters()
    assert stated.learns == attack.learns


@pytest.mark.parametrize("name", [*ROWS, *PRELIMINARY])
def test_a_budget_that_matters_is_a_hyperparameter(name):
    made = {digest(build(name, recipe).hyperparameters) for recipe in (SMOKE, MINI, PAPER)}
    assert len(made) == 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(64, 64), (65, 97), (98, 67)])
def test_images_of_any_size_become_8_bit_images(name, size):
    images = pixels(3, *size)
    before = images.clone()
    out = attack_named(name)(images, TARGETS)
    assert out.dtype == torch.uint8
    assert out.shape == images.shape
    assert torch.equal(images, before)
    assert (out.float() - images.float()).abs().mean() < 64  # still the same picture


@pytest.mark.parametrize("name", NAMES)
def test_targets_are_used_when_the_spec_says_so(name):
    images, attack = pixels(3, 64, 64), attack_named(name)
    first = attack(images, TARGETS)
    if attack.spec.targeted:
        other = attack(images, (TARGETS + 1) % 3)
        assert all((a != b).any() for a, b in zip(first, other, strict=True))
        with pytest.raises(ValueError, match=f"{name} is targeted: expected 3 `targets`"):
            attack(images)
    else:
        assert torch.equal(attack(images), first)


class SinglePrecision(TorchDispatchMode):
    """Refuses float64, which accelerators have not or are slow in."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            assert not isinstance(leaf, torch.Tensor) or leaf.dtype != torch.float64, func
        return out


@pytest.mark.parametrize("name", NAMES)
def test_attacks_compute_in_fp32(name):
    attack = attack_named(name)
    with SinglePrecision():
        attack(pixels(3, 64, 64), TARGETS)
