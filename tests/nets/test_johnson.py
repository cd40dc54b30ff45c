import inspect

import pytest
import torch
from torch import nn

from bench.nets.johnson import JohnsonNet, ResidualBlock
from tests.toys import pixels, shaken


def net(in_channels=3, *arguments, **options):
    torch.manual_seed(0)
    return shaken(JohnsonNet(in_channels, *arguments, width=4, **options), 0.1).eval()


def unit(count, height, width):
    return pixels(count, height, width).float() / 255


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("size", [(64, 64), (65, 97), (66, 67), (16, 19), (17, 128)])
def test_any_size_keeps_its_size(size, skip):
    images = unit(1, *size)
    out = net(skip=skip)(images)
    assert out.shape == images.shape
    assert out.std() > 1e-3


def test_layers_are_those_of_the_paper():
    with torch.device("meta"):
        network = JohnsonNet(3)
    convs = [p for p in network.modules() if isinstance(p, nn.Conv2d | nn.ConvTranspose2d)]
    assert [(c.in_channels, c.out_channels, c.kernel_size[0], c.stride[0]) for c in convs] == [
        (3, 64, 7, 1),
        (64, 128, 3, 2),
        (128, 256, 3, 2),
        *[(256, 256, 3, 1)] * 4,
        (256, 128, 3, 2),
        (128, 64, 3, 2),
        (64, 3, 7, 1),
    ]
    assert all(c.padding_mode == "reflect" for c in convs if isinstance(c, nn.Conv2d))
    assert sum(isinstance(p, ResidualBlock) for p in network.modules()) == 2
    assert sum(isinstance(p, nn.BatchNorm2d) for p in network.modules()) == 9
    assert inspect.signature(JohnsonNet).parameters["skip"].default is False


def test_a_skip_brings_the_input_to_the_last_layer():
    network, images = net(skip=True), unit(1, 65, 66)
    assert network.last.in_channels == 4 + 4 + 3  # decoder, first features, input
    with torch.no_grad():
        network.last.weight.zero_()
        network.last.bias.zero_()
        for channel in range(3):
            network.last.weight[channel, 8 + channel, 3, 3] = 1
    assert torch.equal(network(images), images)
