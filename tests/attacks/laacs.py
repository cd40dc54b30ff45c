"""What tests of transfer attacks share: LAACs of their own, and their oracle's view of them."""

import torch
from torch import nn
from torch.nn import functional as F

from bench.contract import ATTACKS
from bench.recipes import MINI
from tests.toys import ToyVictim, built, shaken

TARGETS = torch.tensor([2, 0])


def attack_of(name, laacs=2, **constants):
    """A transfer attack with toy LAACs in the place of its own."""
    made = built(ATTACKS, name)
    made.constants = {**ATTACKS.get(name).traits(MINI).hyperparameters, **constants}
    torch.manual_seed(3)
    made.laacs = nn.ModuleDict({f"toy-{i}": shaken(ToyVictim(), 0.5, i) for i in range(laacs)})
    return made.eval().requires_grad_(False)


def as_oracle(oracle, attack, **constants):
    """A class of `torchattack` with the LAACs, losses and constants of an attack."""
    given = attack.constants
    made = oracle(
        nn.Identity(),
        device=torch.device("cpu"),
        eps=given["eps_255"] / 255,
        steps=given["steps"],
        decay=given["decay"],
        targeted=True,
        **constants,
    )
    made.model = lambda images: [laac.logits(images) for laac in attack.laacs.values()]
    made.lossfn = lambda logits, labels: sum(F.cross_entropy(one, labels) for one in logits)
    return made


def same_steps(found, expected, step):
    """Whether two results agree but for signs of gradients that rounding decides."""
    return ((found - expected).abs() > step / 2).float().mean() < 1e-3


def unit(images):
    return images.float() / 255
