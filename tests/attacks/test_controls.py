import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from attacks import controls
from attacks.specs import CONTROLS
from bench.signal.wavelet import wdf_residual
from tests.toys import pixels

SIZES = [(64, 64), (65, 97)]


def unit(images):
    return images.float() / 255


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("quality", [85, 50])
def test_jpeg_is_what_pillow_saves_and_reads(size, quality):
    class Other(controls.Jpeg):
        quality_percent = quality

    images = pixels(2, *size)
    out = Other()(images)
    for image, result in zip(images, out, strict=True):
        stream = io.BytesIO()
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(stream, "JPEG", quality=quality)
        read = np.asarray(Image.open(stream)).transpose(2, 0, 1)
        np.testing.assert_array_equal(result.numpy(), read)
        assert not np.array_equal(read, image.numpy())
    assert Other().hyperparameters == {"quality_percent": quality}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", [3, 5])
def test_median_is_scipys(size, side):
    class Other(controls.Median):
        side_px = side

    images = pixels(2, *size)
    expected = ndimage.median_filter(images.numpy(), (1, 1, side, side), mode="mirror")
    np.testing.assert_array_equal(Other()(images).numpy(), expected)
    assert Other().hyperparameters == {"side_px": side}


@pytest.mark.parametrize("size", SIZES)
def test_gaussian_blur_is_scipys(size):
    images, blur = pixels(2, *size), controls.GaussianBlur()
    levels = images.double().numpy()
    expected = ndimage.gaussian_filter(levels, (0, 0, 1, 1), mode="mirror", truncate=3.5)
    floats = blur.transform(unit(images), None).double().numpy() * 255
    np.testing.assert_allclose(floats, expected, rtol=0, atol=1e-3)
    assert np.abs(blur(images).numpy() - expected).max() < 0.501
    assert blur.hyperparameters == {"sigma_px": 1.0}


@pytest.mark.parametrize("size", SIZES)
def test_wavelet_denoise_subtracts_the_residual(size):
    images, attack = pixels(2, *size), controls.WaveletDenoise()
    residual = wdf_residual(unit(images), 5.0)
    expected = images.double() - residual.double()
    floats = attack.transform(unit(images), None).double() * 255
    torch.testing.assert_close(floats, expected, rtol=0, atol=1e-3)
    assert residual.abs().max() > 2
    assert (attack(images).double() - expected.clamp(0, 255)).abs().max() < 0.501
    assert attack.hyperparameters == {"sigma_255": 5.0}


def test_a_flat_picture_stays_flat():
    flat = torch.full((1, 3, 64, 64), 117, dtype=torch.uint8)
    for cls in map(vars(controls).get, CONTROLS):
        assert torch.equal(cls()(flat), flat), cls.__name__
