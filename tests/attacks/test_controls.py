import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from attacks import controls
from bench.contract import ATTACKS, AttackSpec
from bench.signal.wavelet import wdf_residual
from tests.toys import built, encoded, pixels

SPEC = AttackSpec(name="toy", targeted=False, control=True)
SIZES = pytest.mark.parametrize("size", [(64, 64), (65, 97)])


@SIZES
@pytest.mark.parametrize("quality", [85, 50])
def test_jpeg_is_what_pillow_saves_and_reads(size, quality):
    images = pixels(2, *size)
    out = controls.Jpeg(SPEC, quality_percent=quality)(images)
    for image, result in zip(images, out, strict=True):
        file = encoded(image.permute(1, 2, 0).numpy(), quality=quality)
        read = np.asarray(Image.open(io.BytesIO(file)))
        np.testing.assert_array_equal(result.permute(1, 2, 0).numpy(), read)
        assert not torch.equal(result, image)


@SIZES
@pytest.mark.parametrize("side", [3, 5])
def test_median_is_scipys(size, side):
    images = pixels(2, *size)
    expected = ndimage.median_filter(images.numpy(), (1, 1, side, side), mode="mirror")
    np.testing.assert_array_equal(controls.Median(SPEC, side_px=side)(images).numpy(), expected)


@SIZES
def test_gaussian_blur_is_scipys(size):
    images = pixels(2, *size)
    levels = images.double().numpy()
    expected = ndimage.gaussian_filter(levels, (0, 0, 1, 1), mode="mirror", truncate=3.5)
    assert np.abs(built(ATTACKS, "gaussian-blur")(images).numpy() - expected).max() < 0.501


@SIZES
def test_wavelet_denoise_subtracts_the_residual(size):
    images = pixels(2, *size)
    residual = wdf_residual(images.float() / 255, 5.0)
    assert residual.abs().max() > 2
    expected = (images - residual).clamp(0, 255)
    assert (built(ATTACKS, "wavelet-denoise")(images) - expected).abs().max() < 0.501


@pytest.mark.parametrize("name", [entry.spec.name for entry in ATTACKS if not entry.spec.targeted])
def test_a_flat_picture_stays_flat(name):
    flat = torch.full((1, 3, 64, 64), 117, dtype=torch.uint8)
    assert torch.equal(built(ATTACKS, name).eval()(flat), flat)
