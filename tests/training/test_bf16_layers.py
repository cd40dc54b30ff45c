import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bench.training import bf16_layers
from bench.training.bf16_layers import suited_to_bf16

WIDE = 384  # times itself more than 2 ** 17


def convolution(channels=WIDE, **more):
    torch.manual_seed(0)
    return nn.Conv2d(channels, channels, 3, **{"padding": 1, "bias": False, **more})


def behind(layer):
    """A network in which the layer is not the first."""
    return nn.Sequential(nn.Conv2d(3, 8, 1), layer)


def results(layer, maps, *, enabled):
    """Output, gradient of the input and of the weights."""
    maps = maps.clone().requires_grad_()
    layer.zero_grad()
    with suited_to_bf16(behind(layer), "cpu", enabled=enabled):
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
    monkeypatch.setattr(bf16_layers, "F", Spied)
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
    with suited_to_bf16(behind(layer), "cpu", enabled=True):
        out = layer(maps)
    assert torch.equal(out, layer(maps))
    assert unfolded == []


def test_the_first_convolution_keeps_the_last_grey_level():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1))
    images = torch.arange(256).float().div(255).expand(1, 3, 1, 256)
    with torch.autocast("cpu", torch.bfloat16):
        blurred = network[0](images)
        with suited_to_bf16(network, "cpu", enabled=True):
            exact = network[0](images)
            assert network(images).dtype == torch.bfloat16
        assert torch.equal(network[0](images), blurred)
    torch.testing.assert_close(exact, network[0](images), rtol=0, atol=0)
    assert not torch.equal(blurred.float(), exact)


def test_a_first_convolution_of_another_kind_computes_what_it_does_otherwise():
    class Doubled(nn.Conv2d):
        def forward(self, maps):
            return 2 * super().forward(maps)

    network, images = nn.Sequential(Doubled(3, 4, 1)), torch.rand(1, 3, 8, 8)
    expected = network(images)
    with torch.autocast("cpu", torch.bfloat16), suited_to_bf16(network, "cpu", enabled=True):
        assert torch.equal(network(images), expected)
