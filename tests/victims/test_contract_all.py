"""What every registered victim must keep; a new entry is tested by being registered.

The rules for plug-ins too are held by `tests/verify/contract_checks/test_registries.py`.
"""

from itertools import product

import pytest
import torch

from bench.contract import VICTIMS, Victim
from bench.recipes import MINI, PAPER, SMOKE
from bench.types import as_json
from tests.toys import CLASSES, built, pixels

NAMES = VICTIMS.names()
RESIDUAL = [entry.spec.name for entry in VICTIMS if entry.spec.residual is not None]
FRONT_ENDS = ("wdf", "pef", "img")
BACKBONES = ("resnet12", "resnet18", "resnet34", "densenet40", "densenet100")


def test_the_fifteen_victims_of_the_paper_are_there():
    found = {entry.spec.name: entry.spec for entry in VICTIMS}
    for front_end, backbone in product(FRONT_ENDS, BACKBONES):
        spec = found[f"{front_end}-{backbone}"]
        assert (spec.front_end, spec.backbone) == (front_end, backbone)
        assert spec.residual == ("wdf-v1" if front_end == "wdf" else None)


@pytest.mark.parametrize("name", NAMES)
def test_builders_make_victims_of_the_spec(name):
    victim = built(VICTIMS, name)
    assert isinstance(victim, Victim)
    assert victim.spec is VICTIMS.get(name).spec
    assert victim.classes == CLASSES
    for recipe in (SMOKE, MINI, PAPER):
        stated = VICTIMS.get(name).traits(recipe)
        with torch.device("meta"):
            made = built(VICTIMS, name, recipe)
        if hasattr(made, "budget"):
            assert stated.hyperparameters["classifier"] == as_json(made.budget)
        if hasattr(made, "constants"):
            assert made.constants.items() <= stated.hyperparameters.items()
        assert (stated.learns, stated.reducible) == (made.learns, bool(made.rewritable))


@pytest.mark.parametrize("name", RESIDUAL)
def test_a_victim_without_its_estimator_refuses(name):
    with pytest.raises(RuntimeError, match=f"{name}: no residual estimator attached"):
        built(VICTIMS, name).logits(pixels(1, 64, 64) / 255)
