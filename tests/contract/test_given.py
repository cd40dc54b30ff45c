import threading

import pytest
import torch
from torch import nn

from bench.contract import AttackSpec
from bench.contract.given import given_entry
from bench.sources import makeup_of


def test_objects_are_told_by_class_state_and_attributes():
    nets = [nn.Linear(2, 2), nn.Linear(2, 2), nn.Identity(), nn.Identity()]
    nets[2].classes, nets[3].classes = ["a"], ["b"]
    assert len({makeup_of(net).sha256 for net in nets}) == len(nets)
    made = []
    for _ in range(2):
        torch.manual_seed(0)
        made.append(nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU()))
    one, other = (given_entry("attack", net) for net in made)
    assert one.origin == other.origin
    assert one.spec == AttackSpec(name="sequential", targeted=False)


def test_what_cannot_be_told_has_a_key_of_its_own_each_time():
    net = nn.Identity()
    net.classes, net.lock = ["a"], threading.Lock()
    with pytest.warns(UserWarning, match="cannot be told from another by the lock"):
        one, other = (given_entry("victim", net) for _ in range(2))
    assert one.builder.args != other.builder.args
