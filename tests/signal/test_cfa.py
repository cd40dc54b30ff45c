import warnings

import numpy as np
import pytest
import torch
from scipy import ndimage

from bench.signal import cfa
from bench.signal.demosaicers import METHODS

PATTERNS = ("RGGB", "GRBG", "GBRG", "BGGR")
SHAPES = ((48, 48), (41, 37))
# Where the border of the reference differs from ours (another mirror, zeros around the scores).
REFERENCES = {
    "bilinear": ("demosaicing_CFA_Bayer_bilinear", 1),
    "malvar2004": ("demosaicing_CFA_Bayer_Malvar2004", 2),
    "menon2007": ("demosaicing_CFA_Bayer_Menon2007", 6),
}


@pytest.fixture(scope="module")
def colour_demosaicing():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # colour warns about optional packages when imported
        return pytest.importorskip("colour_demosaicing")


def random_images(count, height, width, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, height, width, dtype=dtype, generator=generator)


def dyadic_images(count, height, width, dtype, seed=0):
    """Multiples of 1/256: direction scores are exact, so no rounding decides between equal ones."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 257, (count, 3, height, width), generator=generator).to(dtype) / 256


def eight_bit_images(count, height, width, seed=0):
    """Smooth images of few grey levels, in which equal direction scores are common."""
    generator = torch.Generator().manual_seed(seed)
    levels = torch.randint(100, 104, (count, 3, height, width), generator=generator)
    return levels.double() / 255


@pytest.mark.parametrize("pattern", PATTERNS)
def test_mosaic_takes_each_colour_from_its_place_in_the_pattern(pattern):
    images = random_images(2, 17, 20)
    sampled = cfa.mosaic(images, pattern)
    assert sampled.shape == (2, 1, 17, 20)
    for site, colour in enumerate(pattern):
        row, column = divmod(site, 2)
        expected = images[:, "RGB".index(colour), row::2, column::2]
        assert torch.equal(sampled[:, 0, row::2, column::2], expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("method", REFERENCES)
def test_agrees_with_colour_demosaicing(colour_demosaicing, method, pattern, shape):
    name, border = REFERENCES[method]
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-6)):
        sampled = cfa.mosaic(dyadic_images(2, *shape, dtype), pattern)
        result = cfa.demosaic(sampled, method, pattern)
        assert result.dtype == dtype
        for image, plane in zip(result, sampled, strict=True):
            reference = getattr(colour_demosaicing, name)(plane[0].double().numpy(), pattern)
            error = np.abs(image.double().numpy() - reference.transpose(2, 0, 1))
            assert error[:, border:-border, border:-border].max() < tolerance


def smooth_hue_reference(sampled, offset=0.05):
    """RGGB, float64, by masks and convolutions."""
    y, x = np.indices(sampled.shape) % 2
    cross, square = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]), np.outer([1, 2, 1], [1, 2, 1])
    green = ndimage.convolve(np.where(y != x, sampled, 0), cross / 4)
    hue = (sampled + offset) / (green + offset)
    at = [ndimage.convolve(np.where((y == p) & (x == p), hue, 0), square / 4) for p in (0, 1)]
    red, blue = (hues * (green + offset) - offset for hues in at)
    return np.stack([red, green, blue])


def test_smooth_hue_agrees_with_convolutions():
    sampled = cfa.mosaic(random_images(1, 19, 22))
    result = cfa.demosaic(sampled, "smooth-hue")[0].numpy()
    reference = smooth_hue_reference(sampled[0, 0].numpy())
    np.testing.assert_allclose(result[:, 2:-2, 2:-2], reference[:, 2:-2, 2:-2], atol=1e-12)


def test_hamilton_adams_green_follows_the_smoother_direction():
    generator = torch.Generator().manual_seed(0)
    profile = torch.rand(1, 1, 1, 24, dtype=torch.float64, generator=generator)
    vertical_edges = profile.expand(1, 3, 24, 24)  # grey, constant along columns
    for images in (vertical_edges, vertical_edges.mT):
        result = cfa.synthetic_cfa(images, method="hamilton-adams")
        torch.testing.assert_close(result[:, 1], images[:, 1], atol=1e-12, rtol=0)
    bilinear = cfa.synthetic_cfa(vertical_edges, method="bilinear")
    assert (bilinear[:, 1] - vertical_edges[:, 1]).abs().max() > 0.05


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("method", METHODS)
def test_measured_samples_are_kept_exactly(method, pattern):
    images = random_images(2, 16, 21, dtype=torch.float32)
    sampled = cfa.mosaic(images, pattern)
    result = cfa.demosaic(sampled, method, pattern)
    assert result.shape == images.shape
    assert torch.equal(cfa.mosaic(result, pattern), sampled)
    assert not torch.allclose(result, images, atol=0.01)


@pytest.mark.parametrize("method", ["hamilton-adams", "menon2007"])
def test_ties_in_8_bit_images_break_alike_in_every_precision(method):
    images = eight_bit_images(4, 40, 40)
    exact = cfa.synthetic_cfa(images, method=method)
    rounded = cfa.synthetic_cfa(images.float(), method=method).double()
    torch.testing.assert_close(rounded, exact, atol=1e-6, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_gradients_agree_with_finite_differences(method):
    images = random_images(1, 16, 17, seed=3).requires_grad_()
    result = cfa.synthetic_cfa(images, method=method)
    weights = random_images(1, 16, 17, seed=4)
    (gradient,) = torch.autograd.grad((result * weights).sum(), images)
    assert torch.isfinite(gradient).all()
    direction = random_images(1, 16, 17, seed=5) - 0.5
    step = 1e-6
    ends = [
        cfa.synthetic_cfa(images.detach() + sign * step * direction, method=method)
        for sign in (+1, -1)
    ]
    slope = ((ends[0] - ends[1]) * weights).sum() / (2 * step)
    torch.testing.assert_close((gradient * direction).sum(), slope, rtol=1e-5, atol=1e-6)
