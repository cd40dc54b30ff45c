"""The unrolled filter that estimates residuals."""

import pytest
import torch

from bench.nets.residual import UnrolledShrinkage
from bench.signal.wavelet import wdf_residual


def set_gain(net, logit):
    with torch.no_grad():
        net.gain[2].weight.zero_()
        net.gain[2].bias.fill_(logit)


@pytest.mark.parametrize(("levels", "missed"), [(2, 0.1), (3, 0.03)])
def test_open_gates_give_all_detail_and_shut_ones_none(levels, missed):
    images = 255 * torch.rand(1, 3, 64, 64)
    net = UnrolledShrinkage(4, levels)
    set_gain(net, -100.0)
    assert net(images).abs().max() < 1e-3
    set_gain(net, 100.0)
    # What a filter of overwhelming strength calls noise, up to the levels that the network lacks.
    everything = wdf_residual(images / 255, sigma_255=1e4)
    assert (net(images) - everything).square().mean() < missed * everything.square().mean()


def test_it_learns_the_filter_in_seconds():
    torch.manual_seed(0)
    low = torch.nn.functional.interpolate(torch.rand(24, 3, 16, 16), 64, mode="bicubic")
    images = (low + 0.02 * torch.randn(24, 3, 64, 64)).clamp(0, 1)
    truth = wdf_residual(images)
    net = UnrolledShrinkage(8)
    optimiser = torch.optim.Adam(net.parameters(), 0.03)
    for step in range(80):
        chosen = slice(4 * (step % 5), 4 * (step % 5) + 4)
        loss = (net(255 * images[chosen]) - truth[chosen]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        missed = (net(255 * images[20:]) - truth[20:]).square().sum()
    assert missed < 0.1 * truth[20:].square().sum()
