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
from bench.types import as_json
from tests.toys import CLASSES, built, pixels, shaken

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


@cache
def attack_named(name):
    """In evaluation mode, with noise on every weight: no generator is the identity by luck."""
    return shaken(built(ATTACKS, name)).eval().requires_grad_(False)


def test_the_rows_of_the_paper_and_its_preliminary_findings_are_there():
    specs = {entry.spec.name: entry.spec for entry in ATTACKS}
    for name, (laac, scfa) in (ROWS | PRELIMINARY).items():
        spec = specs[name]
        assert (spec.laac, spec.scfa) == (laac, scfa)
        assert spec.surrogates == tuple(f"{space}-resnet18" for space in laac)
        assert (spec.targeted, spec.control, spec.preliminary) == (True, False, name not in ROWS)
    assert {name for name, spec in specs.items() if spec.preliminary} == set(PRELIMINARY)


def test_the_controls_are_untargeted_and_one_transfer_attack():
    controls = {entry.spec.name: entry.spec for entry in ATTACKS if entry.spec.control}
    assert list(controls) == ["mi-fgsm", *CONTROLS]
    assert [name for name, spec in controls.items() if spec.targeted] == ["mi-fgsm"]
    assert controls["mi-fgsm"].surrogates == ATTACKS.get("cgan-img-wdf-pef").spec.surrogates
    assert not any(built(ATTACKS, name).learns for name in CONTROLS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("recipe", [MINI, SMOKE])
def test_builders_make_attacks_of_the_spec(name, recipe):
    attack, stated = built(ATTACKS, name, recipe), ATTACKS.get(name).traits(recipe)
    assert isinstance(attack, Attack)
    assert attack.spec is ATTACKS.get(name).spec
    assert attack.classes == CLASSES
    used = vars(attack).get("constants") or {"cgan": as_json(vars(attack).get("budget"))}
    assert used.items() <= stated.hyperparameters.items() or name == "identity"
    assert stated.learns == attack.learns


@pytest.mark.parametrize("name", [*ROWS, *PRELIMINARY])
def test_a_budget_that_matters_is_a_hyperparameter(name):
    traits = ATTACKS.get(name).traits
    made = {digest(traits(recipe).hyperparameters) for recipe in (SMOKE, MINI, PAPER)}
    assert len(made) == 3


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
