import numpy as np
import pytest
import torch
from scipy import ndimage

from bench.nets.constrained import ConstrainedConv2d
from tests.toys import pixels


def layer(*arguments, seed=0):
    torch.manual_seed(seed)
    return ConstrainedConv2d(*arguments)


@pytest.mark.parametrize("shape", [(3, 3, 5), (1, 4, 3), (2, 1, 7)])
def test_every_slice_is_minus_1_at_its_centre_and_sums_to_1_elsewhere(shape):
    inputs, outputs, side = shape
    weight = layer(*shape).weight.detach().double()
    assert weight.shape == (outputs, inputs, side, side)
    assert (weight[..., side // 2, side // 2] == -1).all()
    neighbours = weight.sum((2, 3)) + 1
    torch.testing.assert_close(neighbours, torch.ones_like(neighbours), rtol=0, atol=1e-6)


def test_it_is_a_correlation_with_mirrored_borders():
    net, images = layer(), pixels(2, 17, 22).float()
    filters = net.weight.detach().double().numpy()
    expected = np.zeros((2, 3, 17, 22))
    for image, result in zip(images.double().numpy(), expected, strict=True):
        for out in range(3):
            for channel in range(3):
                result[out] += ndimage.correlate(
                    image[channel], filters[out, channel], mode="mirror"
                )
    np.testing.assert_allclose(net(images).detach().numpy(), expected, rtol=0, atol=1e-3)
