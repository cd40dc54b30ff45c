import pytest
import torch
from torch import nn

from bench.nets.filters import ConstrainedConv2d
from bench.nets.johnson import JohnsonNet
from bench.nets.storage import compact_state, expand_state, round_as_stored
from tests.toys import same_state, shaken


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


@pytest.mark.parametrize("make", [Net, lambda: JohnsonNet(3, width=4, skip=True)])
def test_round_trip_costs_one_rounding_and_no_more(make):
    net = shaken(make())
    once = expand_state(compact_state(net))
    assert halves(once) == set()
    round_as_stored(net)
    assert same_state(net.state_dict(), once)
    assert same_state(expand_state(compact_state(net)), once)
    for name, value in compact_state(net).items():
        torch.testing.assert_close(once[name], value.to(once[name].dtype), rtol=0, atol=0)
