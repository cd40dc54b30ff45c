import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bench.training import small_maps
from bench.training.small_maps import small_maps_as_products

WIDE = 384  # times itself more than 2 ** 17


def convolution(channels=WIDE, **more):
    torch.manual_seed(0)
    return nn.Conv2d(channels, channels, 3, **{"padding": 1, "bias": False, **more})


def results(layer, maps, *, enabled):
    """Output, gradient of the input and of the weights."""
    maps = maps.clone().requires_grad_()
    layer.zero_grad()
    with small_maps_as_products(layer, enabled=enabled):
        out = layer(maps)
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    return out.detach(), maps.grad, layer.weight.grad.clone()


@pytest.fixture
def unfolded(monkeypatch):
    """Shapes that were unfolded."""
    shapes = []

    def unfold(maps, *args, **kwargs):
        shapes.append(tuple(maps.shape))
        return F.unfold(maps, *args, **kwargs)

    class Spied:
        pass

    Spied.unfold = staticmethod(unfold)
    monkeypatch.setattr(small_maps, "F", Spied)
    return shapes


@pytest.mark.parametrize(("side", "stride"), [(2, 1), (1, 1), (4, 2), (3, 2)])
def test_products_are_the_convolution(unfolded, side, stride):
    layer, maps = convolution(stride=stride), torch.randn(2, WIDE, side, side)
    expected = results(layer, maps, enabled=False)
    assert unfolded == []
    found = results(layer, maps, enabled=True)
    assert unfolded == [tuple(maps.shape)]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("layer", "side"),
    [
        (convolution(), 4),  # larger maps
        (convolution(8), 2),  # few channels
        (convolution(stride=2, padding=0), 4),
        (convolution(padding_mode="reflect"), 2),
    ],
)
def test_other_convolutions_stay(unfolded, layer, side):
    maps = torch.randn(1, layer.in_channels, side, side)
    with small_maps_as_products(layer, enabled=True):
        out = layer(maps)
    assert torch.equal(out, layer(maps))
    assert unfolded == []
