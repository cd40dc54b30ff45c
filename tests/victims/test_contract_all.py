"""What every registered victim must keep; a new entry is tested by being registered.

The rules for plug-ins too are held by `tests/verify/contract_checks/test_registries.py`.
"""

import json
from functools import cache
from itertools import product

import pytest
import torch

from bench.contract import VICTIMS, Victim, VictimSpec
from bench.data import ExaminerSet
from bench.nets.residual import ResidualEstimator
from bench.recipes import MINI, PAPER, SMOKE
from bench.types import as_json
from tests.toys import CLASSES, camera_set, fit_context, pixels, shaken

NAMES = VICTIMS.names()
RESIDUAL = [entry.spec.name for entry in VICTIMS if entry.spec.residual is not None]
WDF = [name for name in RESIDUAL if name.startswith("wdf")]
FRONT_ENDS = ("wdf", "pef", "img")
BACKBONES = ("resnet12", "resnet18", "resnet34", "densenet40", "densenet100")


def build(name, recipe=SMOKE, classes=CLASSES):
    entry = VICTIMS.get(name)
    return entry.builder(entry.spec, classes=classes, recipe=recipe)


@cache
def estimator():
    torch.manual_seed(0)
    return shaken(ResidualEstimator(SMOKE.estimator), 0.01).eval()


@cache
def victim_named(name):
    """In evaluation mode, its residual estimator attached if it reads one.

    Noise on every weight opens the residual branches, which start at zero; what has no weights to
    shake is fitted.
    """
    torch.manual_seed(1)
    victim = shaken(build(name))
    if not list(victim.parameters()):
        victim.fit(camera_set(ExaminerSet), fit_context())
    if victim.spec.residual is not None:
        victim.attach(estimator(), "digest-of-set-a")
    return victim.eval().requires_grad_(False)


def unit(count, height, width):
    return pixels(count, height, width).float() / 255


def test_the_fifteen_victims_of_the_paper_are_there():
    found = {entry.spec.name: entry.spec for entry in VICTIMS}
    for front_end, backbone in product(FRONT_ENDS, BACKBONES):
        spec = found[f"{front_end}-{backbone}"]
        assert (spec.front_end, spec.backbone) == (front_end, backbone)
        assert spec.residual == ("wdf-v1" if front_end == "wdf" else None)


@pytest.mark.parametrize("name", NAMES)
def test_entries_hold_specs_and_builders(name):
    entry = VICTIMS.get(name)
    assert isinstance(entry.spec, VictimSpec)
    assert entry.spec.name == name
    assert callable(entry.builder)
    assert not isinstance(entry.builder, torch.nn.Module)
    assert json.loads(json.dumps(as_json(entry.spec)))["name"] == name


@pytest.mark.parametrize("name", NAMES)
def test_builders_make_victims_of_the_spec(name):
    victim = victim_named(name)
    assert isinstance(victim, Victim)
    assert victim.spec is VICTIMS.get(name).spec
    assert victim.classes == CLASSES
    for recipe in (SMOKE, MINI, PAPER):
        stated = VICTIMS.get(name).traits(recipe)
        with torch.device("meta"):
            built = build(name, recipe)
        assert stated.hyperparameters == built.stated_hyperparameters()
        assert (stated.learns, stated.reducible) == (built.learns, bool(built.rewritable))


@pytest.mark.parametrize("name", NAMES)
def test_front_end_and_backbone_make_the_logits(name):
    victim, images = victim_named(name), unit(2, 64, 64)
    features = victim.frontend(images)
    assert torch.equal(victim.backbone(features), victim.logits(images))
    if victim.spec.front_end != "wdf":
        assert victim.frontend_digest is None


def test_wdf_victims_share_one_front_end():
    images = unit(2, 64, 64)
    shared = victim_named(WDF[0]).frontend(images)
    assert {victim_named(name).frontend_digest for name in WDF} == {"digest-of-set-a"}
    assert torch.equal(shared, estimator()(images))
    for name in WDF:
        assert torch.equal(victim_named(name).frontend(images), shared)


@pytest.mark.parametrize("name", RESIDUAL)
def test_a_victim_without_its_estimator_refuses(name):
    victim = build(name)
    assert victim.frontend_digest is None
    with pytest.raises(RuntimeError, match=f"{name}: no residual estimator attached"):
        victim.logits(unit(1, 64, 64))


@pytest.mark.parametrize("name", NAMES)
def test_the_shared_part_is_no_part_of_the_state(name):
    own, victim = set(build(name).state_dict()), victim_named(name)
    shared = {key for key in victim.state_dict() if key.startswith(victim.shared_prefixes or "\0")}
    assert set(victim.state_dict()) - shared == own
    assert own
    assert len(shared) == (len(estimator().state_dict()) if name in RESIDUAL else 0)
