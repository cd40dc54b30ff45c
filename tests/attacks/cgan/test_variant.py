import pytest
import torch
from torch import nn

from attacks.cgan.networks import (
    Discriminator,
    Generator,
    PerTarget,
    build_discriminator,
    build_generator,
)
from attacks.cgan.recipe import CganVariant, cgan_recipe
from bench.contract import ATTACKS
from bench.plan.graph import plan
from bench.recipes import MINI
from bench.suites.catalogue import load_suite
from bench.types import CamobenchError
from tests.toys import built, camera_set, copied, fit_context, pixels, same_state, shaken

from .test_attack import toy_surrogates

BUDGET = cgan_recipe("smoke")
APART = CganVariant(per_target=True)
FREE = CganVariant(constrained=False)
PRELIMINARY = [entry.spec.name for entry in ATTACKS if entry.spec.preliminary]


def trained(name, fit_seed=0):
    attack = built(ATTACKS, name)
    start = copied(attack.generator)
    surrogates = toy_surrogates(attack.spec.surrogates)
    report = attack.fit(camera_set(), fit_context(fit_seed, surrogates=surrogates))
    return attack, start, report


@pytest.mark.parametrize("name", [*PRELIMINARY, "cama", "spoc"])
def test_each_trains_repeatably_with_the_smallest_recipe(name):
    attack, start, report = trained(name)
    assert not same_state(start, attack.generator.state_dict())
    losses = {"adv", "dis", "cnt", *(f"aux_{surrogate}" for surrogate in attack.spec.surrogates)}
    assert set(report.curves) == losses
    assert same_state(attack.state_dict(), trained(name)[0].state_dict())
    assert not same_state(attack.state_dict(), trained(name, fit_seed=1)[0].state_dict())


def test_a_variant_is_part_of_the_key():
    assert CganVariant().identity() == {}
    assert FREE.identity() == {"constrained": False}
    assert APART.identity() == {"per_target": True}
    names = ["cgan-img-wdf-pef", *PRELIMINARY]
    graph = plan(load_suite("simcam-mini-v2").card, MINI, attacks=names, victims=())
    assert len(set(graph.attacks.values())) == len(names)


def test_an_unconstrained_discriminator_sees_more_than_errors():
    images, labels = pixels(2, 64, 64).float() / 255 - 0.5, torch.tensor([0, 1])
    for variant, moves in ((CganVariant(), False), (FREE, True)):
        torch.manual_seed(0)
        judge = build_discriminator(3, BUDGET, variant).eval()
        difference = (judge(images + 0.3, labels) - judge(images, labels)).abs().max()
        assert bool(difference > 1e-3) is moves
        assert judge(images, labels).shape == (2, 1, 14, 14)


class Plus(nn.Module):
    def __init__(self, amount):
        super().__init__()
        self.amount = amount

    def forward(self, images, labels):
        assert len(set(labels.tolist())) == 1
        return images + self.amount


def test_each_image_goes_through_the_network_of_its_label_and_keeps_its_place():
    networks = PerTarget([Plus(0), Plus(10), Plus(20)])
    images = torch.arange(5.0)[:, None, None, None]
    out = networks(images, torch.tensor([2, 0, 2, 1, 0]))
    assert out.flatten().tolist() == [20, 1, 22, 13, 4]
    assert networks(images[:1], torch.tensor([1])).flatten().tolist() == [10]


def test_one_pair_a_target_is_told_no_class():
    generator, judge = (make(3, BUDGET, APART) for make in (build_generator, build_discriminator))
    for networks, kind in ((generator, Generator), (judge, Discriminator)):
        assert len(networks.networks) == 3
        assert all(isinstance(network, kind) for network in networks.networks)
    images = pixels(2, 64, 64).float() / 127.5 - 1
    first = shaken(generator.networks[0]).eval()
    one, other = (first(images, torch.full((2,), label)) for label in (0, 1))
    assert torch.equal(one, other)


def test_paper_recipe_holds_the_numbers_of_the_paper():
    budget = cgan_recipe("paper")
    assert (budget.lambda_adv, budget.lambda_cnt, budget.lambda_aux) == (0.01, 1.0, 0.01)
    assert (budget.generator_width, budget.discriminator_width) == (64, 64)
    assert (budget.batch, budget.epochs, budget.steps) == (32, 200, None)
    assert (budget.generator_lr, budget.discriminator_lr, budget.beta1) == (2e-4, 2e-4, 0.5)
    ours = (budget.residual, budget.resize, budget.projected, budget.cosine, budget.rounded)
    assert not any((*ours, budget.average, budget.symmetries))


def test_an_unknown_recipe_is_named():
    with pytest.raises(CamobenchError, match="no recipe 'huge'; they have paper, fast, mini"):
        cgan_recipe("huge")
