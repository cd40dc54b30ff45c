import pytest
import torch
from torch import nn

from bench.contract import ATTACKS, untrained_victim
from bench.jobs.networks import module_state, take_state
from bench.nets.storage import round_as_stored
from bench.recipes import SMOKE
from tests.attacks.laacs import TARGETS, as_oracle, attack_of, same_steps, unit
from tests.toys import CLASSES, ToyVictim, built, camera_set, fit_context, pixels, shaken

NAMES = ("mi-fgsm", "di-ti-mi-fgsm", "vmi-fgsm")


def test_it_is_torchattacks():
    torchattack = pytest.importorskip("torchattack")
    attack, images = attack_of("mi-fgsm"), unit(pixels(2, 64, 72))
    oracle = as_oracle(torchattack.MIFGSM, attack)
    expected = torch.cat([oracle(images[[i]], TARGETS[[i]]) for i in range(2)]).detach()
    found = attack.transform(images, TARGETS)
    assert (found - images).abs().max() > 4 / 255
    assert same_steps(found, expected, 0.45 / 255)


@pytest.mark.parametrize("name", NAMES)
def test_its_laacs_are_convinced_within_the_bound(name):
    attack, images = attack_of(name, eps_255=4.4), pixels(2, 64, 64)
    images[..., :8, :], images[..., -8:, :] = 0, 255
    moved = attack(images, TARGETS)
    assert (moved.int() - images.int()).abs().max() == 4
    before, after = (
        sum(laac.logits(unit(one)).log_softmax(1) for laac in attack.laacs.values())
        for one in (images, moved)
    )
    assert (after > before).gather(1, TARGETS[:, None]).all()


@pytest.mark.parametrize("name", NAMES)
def test_where_no_gradient_is_nothing_moves(name):
    attack, images = attack_of(name), pixels(2, 64, 64)
    blind = ToyVictim()
    nn.init.zeros_(blind.head.weight)
    attack.laacs = nn.ModuleDict({"blind": blind})
    assert torch.equal(attack(images, TARGETS), images)


def test_it_keeps_the_laacs_and_their_front_ends():
    spec = ATTACKS.get("mi-fgsm").spec
    surrogates = {
        name: shaken(untrained_victim(name, CLASSES, SMOKE)).eval() for name in spec.surrogates
    }
    assert len(surrogates) == 3
    for surrogate in surrogates.values():
        round_as_stored(surrogate)
    attack, opened = (built(ATTACKS, "mi-fgsm").eval() for _ in range(2))
    attack.fit(camera_set(), fit_context(surrogates=surrogates))
    assert not take_state(opened, module_state(attack, SMOKE))
    images = unit(pixels(2, 64, 64))
    for name, surrogate in surrogates.items():
        assert torch.equal(opened.laacs[name].logits(images), surrogate.logits(images))
