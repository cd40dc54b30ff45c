"""Cama: what the cGAN's own tests do not say of them."""

import pytest
import torch

from bench.contract import ATTACKS
from bench.recipes import PAPER, SMOKE
from bench.signal.cfa import synthetic_cfa
from tests.toys import CLASSES, camera_set, copied, fit_context, pixels, same_state

from .cgan.test_attack import toy_surrogates

WEIGHTS = {"cama": (1.0, 10.0, 0.005)}
SURROGATES = {"cama": ("low-resnet18", "wdf-resnet18")}


def build(name, recipe=SMOKE):
    torch.manual_seed(0)
    entry = ATTACKS.get(name)
    return entry.builder(entry.spec, classes=CLASSES, recipe=recipe)


@pytest.mark.parametrize("name", WEIGHTS)
def test_losses_are_weighted_as_the_authors_do(name):
    budget = build(name, PAPER).budget
    assert (budget.lambda_adv, budget.lambda_cnt, budget.lambda_aux) == WEIGHTS[name]
    assert ATTACKS.get(name).spec.surrogates == SURROGATES[name]
    assert not ATTACKS.get(name).spec.paper_row


@pytest.mark.parametrize("name", WEIGHTS)
def test_it_starts_as_the_synthetic_cfa_and_trains(name):
    attack, images = build(name).eval(), pixels(2, 65, 96)
    cfa = (synthetic_cfa(images.float() / 255).clamp(0, 1) * 255).round().byte()
    found = attack(images, torch.tensor([0, 1]))
    assert (found.int() - cfa.int()).abs().max() <= 1
    start = copied(attack.generator)
    report = attack.fit(camera_set(), fit_context(surrogates=toy_surrogates(SURROGATES[name])))
    assert not same_state(start, attack.generator.state_dict())
    assert {f"aux_{surrogate}" for surrogate in SURROGATES[name]} < set(report.curves)
