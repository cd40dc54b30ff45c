import numpy as np
import pytest
import torch
from scipy.ndimage import convolve, correlate

from bench.nets.filters import HIGH_PASS, ConstrainedConv2d, HighPass, differences
from tests.toys import pixels

IMAGES = pixels(2, 20, 33).float()


@pytest.mark.parametrize("shape", [(3, 3, 5), (1, 4, 3), (2, 1, 7)])
def test_constrained_filters_are_minus_1_in_the_centre_and_sum_to_1_elsewhere(shape):
    inputs, outputs, side = shape
    torch.manual_seed(0)
    net, images = ConstrainedConv2d(*shape), IMAGES[:, :inputs]
    weight = net.weight.detach().double()
    assert weight.shape == (outputs, inputs, side, side)
    assert (weight[..., side // 2, side // 2] == -1).all()
    neighbours = weight.sum((2, 3)) + 1
    torch.testing.assert_close(neighbours, torch.ones_like(neighbours), rtol=0, atol=1e-6)
    planes, filters = images.double().numpy(), weight.numpy()
    for out in range(outputs):
        parts = zip(planes.swapaxes(0, 1), filters[out], strict=True)
        expected = sum(correlate(plane, taps[None], mode="mirror") for plane, taps in parts)
        np.testing.assert_allclose(net(images)[:, out].detach(), expected, rtol=0, atol=1e-3)


def test_the_high_pass_filter_is_one_map_of_all_planes():
    found = HighPass()(IMAGES)
    kernel = np.array(HIGH_PASS)[None] / 12  # symmetric, so a convolution is a correlation
    planes = convolve(IMAGES.numpy().astype(float), kernel[None], mode="mirror")
    assert found.shape == (2, 1, 20, 33)
    np.testing.assert_allclose(found[:, 0], planes.sum(1), rtol=0, atol=1e-3)
    ramp = torch.arange(33.0).expand(1, 3, 20, 33)
    assert HighPass()(ramp)[..., 2:-2, 2:-2].abs().max() < 1e-4


def test_finite_differences_are_those_of_numpy():
    found = differences(IMAGES)
    values = IMAGES.numpy()
    assert found.shape == (2, 6, 20, 33)
    np.testing.assert_allclose(found[:, :3, :, 3:], np.diff(values, 3, axis=3), rtol=0, atol=1e-3)
    np.testing.assert_allclose(found[:, 3:, 3:], np.diff(values, 3, axis=2), rtol=0, atol=1e-3)
    assert (found[:, 0, :, 0] == 0).all()
