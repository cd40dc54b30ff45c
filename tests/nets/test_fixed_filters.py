import numpy as np
import torch
from scipy.ndimage import convolve

from bench.nets.fixed_filters import HIGH_PASS, HighPass, differences
from tests.toys import pixels

IMAGES = pixels(2, 20, 33).float()


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
