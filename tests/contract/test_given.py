import threading

import torch
from torch import nn

from bench.contract import AttackSpec
from bench.contract.given import given_entry
from bench.sources import makeup_of


class Veil(nn.Module):
    """As public code is: `.view` on what it is given."""

    def __init__(self, strength):
        super().__init__()
        self.strength = strength

    def forward(self, images):
        return (images.view(len(images), -1) * self.strength).view(images.shape)


class MeanNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.classes = classes
        self.norm = nn.BatchNorm1d(3, affine=False)

    def forward(self, images):
        return self.norm(images.view(len(images), 3, -1).mean(2)) * 20


def typed(body, **names):
    """A class as a notebook's cell defines it, in no file."""
    space = {"__name__": "__main__", "nn": nn, **names}
    exec(f"class Typed(nn.Module):\n    def forward(self, x):\n        return {body}", space)  # noqa: S102
    return space["Typed"]


def helper(strength):
    space = {"__name__": "__main__"}
    exec(f"def helper(x):\n    return x * {strength}", space)  # noqa: S102
    return space["helper"]


def sha256_of(thing):
    return makeup_of(thing).sha256


def test_code_in_no_file_is_told_by_all_that_it_names():
    same = sha256_of(typed("x * 0.5"))
    assert sha256_of(typed("x * 0.5")) == same
    digests = [
        same,
        sha256_of(typed("x * 0.6")),
        sha256_of(typed("x * LEVEL", LEVEL=0.5)),
        sha256_of(typed("x * LEVEL", LEVEL=0.6)),
        sha256_of(typed("helper(x)", helper=helper(0.5))),
        sha256_of(typed("helper(x)", helper=helper(0.6))),
        sha256_of(typed("x * LEVEL", LEVEL=torch.ones(1))),
        sha256_of(typed("x * LEVEL", LEVEL=torch.zeros(1))),
    ]
    assert len(set(digests)) == len(digests)
    assert "lock" in makeup_of(typed("x * LEVEL", LEVEL=threading.Lock())).untold[0]


def test_objects_are_told_by_class_state_and_attributes():
    nets = [Veil(0.5), Veil(0.6), nn.Linear(2, 2), nn.Linear(2, 2), MeanNet(["a"]), MeanNet(["b"])]
    assert len({sha256_of(net) for net in nets}) == len(nets)
    torch.manual_seed(0)
    one = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU())
    torch.manual_seed(0)
    other = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU())
    assert sha256_of(one) == sha256_of(other)
    assert given_entry("attack", one).spec == AttackSpec(name="sequential", targeted=False)
