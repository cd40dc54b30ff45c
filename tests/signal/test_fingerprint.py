from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from bench.signal import fingerprint
from tests.signal.test_wavelet import photo_like, reference_residual

SIDES = (64, 70)
DRESDEN = Path(__file__).parents[3] / "shared" / "data" / "dresden-sample"


def prnu(seed, sides=SIDES):
    return 0.02 * np.random.default_rng(seed).standard_normal(sides)


def shots(light, pattern, seed):
    """Light (N, 3, H, W) in grey levels on a sensor with a pattern, as 8-bit images."""
    noise = 3 * np.random.default_rng(seed).standard_normal(light.shape)
    return torch.from_numpy((light * (1 + pattern) + noise).clip(0, 255).round().astype(np.uint8))


def flat_fields(seed, count=20):
    return shots(np.full((count, 3, *SIDES), 120.0), prnu(seed), seed + 100)


def photographs(seed, count=4):
    return shots(photo_like(count, *SIDES, seed=seed).numpy() * 255, prnu(seed), seed + 200)


def reference_unshared(image):
    """Steps 3 and 4 in NumPy, one image at a time."""
    image = image.copy()
    for y in (0, 1):
        for x in (0, 1):
            part = image[y::2, x::2] - image[y::2, x::2].mean()
            image[y::2, x::2] = part - part.mean(1)[:, None] - part.mean(0)[None]
    spectrum = np.fft.fft2(image)
    size, variance = np.abs(spectrum) / np.sqrt(image.size), image.std(ddof=1) ** 2
    boxes = [ndimage.uniform_filter(size**2, side, mode="constant") for side in (3, 5, 7, 9)]
    least = np.min([np.maximum(box - variance, 0) for box in boxes], axis=0)
    kept = size * variance / (least + variance)
    return np.fft.ifft2(spectrum * np.divide(kept, size, out=np.zeros_like(size), where=size > 0))


def grey(channels):
    return np.tensordot([0.2989, 0.587, 0.114], channels, 1)


def residual_of(image):
    return np.stack([reference_residual(channel, 5.0) for channel in image])


def reference_fingerprint(images):
    levels = images.numpy().astype(float)
    products = sum(residual_of(image) * image for image in levels)
    return reference_unshared(grey(products / (levels**2).sum(0))).real


def reference_pce(image, pattern):
    """By the definition: correlations at every shift, one by one."""
    level = image.numpy().astype(float)
    noise = reference_unshared(grey(residual_of(level))).real
    expected = grey(level) * pattern
    expected -= expected.mean()
    height, width = noise.shape
    match = {
        (y, x): (noise * np.roll(expected, (y, x), (0, 1))).sum()
        for y, x in product(range(height), range(width))
    }
    far = {at for at in match if min(at[0], height - at[0]) > 5 or min(at[1], width - at[1]) > 5}
    peak = match[0, 0]
    return np.sign(peak) * peak**2 / np.mean([match[at] ** 2 for at in far])


def test_agrees_with_the_formulas_in_float64():
    images, image = flat_fields(0, 3), photographs(0, 1)
    found = fingerprint.estimate(images.split(2))
    reference = reference_fingerprint(images)
    np.testing.assert_allclose(found, reference, rtol=0, atol=1e-4 * np.abs(reference).max())
    for pattern in (reference, prnu(1)):
        one = fingerprint.pce(image, torch.from_numpy(pattern)[None]).item()
        assert one == pytest.approx(reference_pce(image[0], pattern), rel=2e-3, abs=1e-3)


def test_a_planted_fingerprint_is_found_and_another_is_not():
    """A wrong one gives the square of a normal variable: 1 in the mean, of either sign."""
    own = fingerprint.estimate([flat_fields(0)])
    assert np.corrcoef(own.flatten(), prnu(0).flatten())[0, 1] > 0.8
    others = torch.from_numpy(np.stack([prnu(seed) for seed in range(1, 151)]))
    images = photographs(0)
    assert (fingerprint.pce(images, own[None]) > 60).all()
    wrong = fingerprint.pce(images, others)
    assert wrong.abs().mean().item() == pytest.approx(1, abs=0.25)
    assert (wrong > 0).double().mean().item() == pytest.approx(0.5, abs=0.1)


def test_what_all_devices_share_does_not_link():
    """Rows, columns, the phase of the CFA and a grid of blocks are the model's."""
    y, x = np.mgrid[: SIDES[0], : SIDES[1]]
    shared = 0.02 * ((x % 8 == 0) + (y % 2) * (x % 2) + np.sin(x) + np.cos(1.3 * y))
    alike = [shots(np.full((20, 3, *SIDES), 120.0), prnu(s) + shared, s) for s in (0, 1)]
    own, other = (fingerprint.estimate([images]) for images in alike)
    light = photo_like(4, *SIDES).numpy() * 255
    found = fingerprint.pce(shots(light, prnu(0) + shared, 7), torch.stack([own, other]))
    assert (found[:, 0] > 30).all()
    assert (found[:, 1].abs() < 10).all()


def test_nothing_has_no_fingerprint():
    with pytest.raises(ValueError, match="evenly lit"):
        fingerprint.estimate([])


@pytest.mark.slow
@pytest.mark.skipif(not DRESDEN.is_dir(), reason="no photographs of the Dresden database at hand")
def test_real_photographs_fit_their_own_camera():
    """Three flat fields of each of four Nikon D70 and D70s."""

    def crop(path):
        with Image.open(path) as image:
            pixels = np.asarray(image)[496:1520, 992:2016]
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None]

    flat: dict[str, list[Path]] = {}
    for path in sorted(DRESDEN.glob("flatfield/*.JPG")):
        flat.setdefault(path.stem.rpartition("_")[0], []).append(path)
    known = torch.stack([fingerprint.estimate(map(crop, paths)) for paths in flat.values()])
    for place, device in enumerate(flat):
        for path in DRESDEN.glob(f"natural/{device}_*.JPG"):
            found = fingerprint.pce(crop(path), known)[0]
            assert found.argmax() == place
            assert found[place] > 10
