"""The gated network of the mini recipe's residual estimator."""

import pytest
import torch

from bench.nets.shrinkage import ShrinkageNet


@pytest.mark.parametrize("size", [(64, 64), (65, 97)])
def test_any_size(size):
    images = torch.rand(2, 3, *size)
    assert ShrinkageNet(4)(images).shape == images.shape


def test_its_bands_start_as_high_pass_filters_of_one_channel_each():
    torch.manual_seed(0)
    weight = ShrinkageNet(4).filters.weight.detach()
    for row in range(6):
        own = weight[row, row % 3]
        others = weight[row, [c for c in range(3) if c != row % 3]]
        assert abs(float(own.sum())) < 0.15  # a box blur minus a wider one, and a little noise
        assert float(own.abs().max()) > 5 * float(others.abs().max())


def test_shut_gates_leave_the_correction_alone():
    net = ShrinkageNet(4).eval()
    with torch.no_grad():
        net.gains.last.weight.zero_()
        net.gains.last.bias.copy_(torch.tensor([0.25] * 3 + [-100.0] * 6))
    assert torch.allclose(net(torch.rand(1, 3, 32, 32)), torch.full((1, 3, 32, 32), 0.25))
