import pytest
import torch
from torch import nn

from bench.contract import VICTIMS
from bench.nets.constrained import ConstrainedConv2d
from bench.nets.johnson import JohnsonNet
from bench.nets.storage import compact_state, expand_state, round_as_stored
from bench.recipes import SMOKE
from tests.toys import CLASSES, same_state, shaken


class Net(nn.Module):
    """One layer of each kind."""

    def __init__(self):
        super().__init__()
        self.filters = ConstrainedConv2d()
        self.inner = nn.Conv2d(3, 4, 3)
        self.up = nn.ConvTranspose2d(4, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.last = nn.Conv2d(4, 3, 3)
        self.last.store_fp32 = True
        self.head = nn.Linear(3, 2)


def halves(state):
    return {name for name, value in state.items() if value.dtype == torch.float16}


def test_only_inner_convolution_kernels_are_halved():
    net = shaken(Net())
    state, compact = net.state_dict(), compact_state(net)
    assert compact.keys() == state.keys()
    assert halves(compact) == {"inner.weight", "up.weight"}
    for name in state.keys() - halves(compact):
        assert compact[name].dtype == state[name].dtype
        assert torch.equal(compact[name], state[name]), name
    assert torch.equal(compact["inner.weight"], state["inner.weight"].half())


def test_a_bare_convolution_is_halved_too():
    assert halves(compact_state(nn.Conv2d(3, 3, 3))) == {"weight"}


@pytest.mark.parametrize("make", [Net, lambda: JohnsonNet(3, width=4, skip=True)])
def test_round_trip_costs_one_rounding_and_no_more(make):
    net = shaken(make())
    once = expand_state(compact_state(net))
    assert halves(once) == set()
    net.load_state_dict(once)
    assert same_state(expand_state(compact_state(net)), once)
    for name, value in compact_state(net).items():
        torch.testing.assert_close(once[name], value.to(once[name].dtype), rtol=0, atol=0)


def test_types_other_than_fp16_are_left_alone():
    state = {"count": torch.tensor(3), "w": torch.rand(2), "h": torch.rand(2).half()}
    expanded = expand_state(state)
    assert [expanded[n].dtype for n in state] == [torch.int64, torch.float32, torch.float32]
    assert torch.equal(expanded["h"].half(), state["h"])


@pytest.mark.parametrize("name", ["pef-resnet12", "img-densenet40"])
def test_victims_keep_front_end_head_and_statistics_in_fp32(name):
    entry = VICTIMS.get(name)
    victim = entry.builder(entry.spec, classes=CLASSES, recipe=SMOKE)
    state, compact = victim.state_dict(), halves(compact_state(victim))
    kernels = {n for n, v in state.items() if v.ndim == 4 and not n.startswith("filters.")}
    assert compact == kernels
    assert {n for n in state if n.startswith("filters.")} == (
        {"filters.free"} if "pef" in name else set()
    )


def test_rounding_leaves_what_a_reader_of_the_checkpoint_finds():
    net = shaken(Net())
    before = {name: value.clone() for name, value in compact_state(net).items()}
    round_as_stored(net)
    assert same_state(net.state_dict(), expand_state(before))
    assert same_state(compact_state(net), before)  # what is stored does not change by it
