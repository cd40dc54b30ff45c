import warnings

import numpy as np
import pytest
import pywt
import torch
from scipy import ndimage

from bench.signal import wavelet


def photo_like(count, height, width, seed=0):
    """Smooth shapes, a hard edge and noise, as 8-bit levels in [0, 1]."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    images = np.empty((count, 3, height, width))
    for image in images:
        for channel in image:
            a, b, c = generator.uniform(0.02, 0.2, 3)
            channel[:] = 120 + 60 * np.sin(a * x + b * y) + 40 * (x > (c + 0.3) * width)
            channel += generator.normal(0, generator.uniform(1, 8), (height, width))
    return torch.from_numpy(images.clip(0, 255).round() / 255).float()


def reference_residual(channel, sigma):
    """One channel in grey levels, float64, by PyWavelets and SciPy."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Level value of 4 is too high")
        coefficients = pywt.wavedec2(channel, "db4", mode="symmetric", level=4)
    noise = [np.zeros_like(coefficients[0])]
    for bands in coefficients[1:]:
        kept = []
        for band in bands:
            variance = np.min(
                [
                    np.maximum(ndimage.uniform_filter(band**2, size, mode="constant") - sigma**2, 0)
                    for size in (3, 5, 7, 9)
                ],
                axis=0,
            )
            kept.append(band * sigma**2 / (variance + sigma**2))
        noise.append(tuple(kept))
    height, width = channel.shape
    return pywt.waverec2(noise, "db4", mode="symmetric")[:height, :width]


@pytest.mark.parametrize("shape", [(512, 512), (301, 415), (64, 64), (16, 23)])
@pytest.mark.parametrize("sigma", [5.0, 3.0])
def test_agrees_with_pywavelets_and_scipy(shape, sigma):
    image = photo_like(1, *shape)
    residual = wavelet.wdf_residual(image, sigma)
    assert residual.shape == image.shape
    assert residual.dtype == torch.float32
    for result, channel in zip(residual[0], image[0], strict=True):
        levels = (channel.double().numpy() * 255).round()
        reference = reference_residual(levels, sigma)
        assert np.abs(reference).max() > 3
        np.testing.assert_allclose(result.numpy(), reference, rtol=0, atol=5e-4)


def test_result_does_not_depend_on_the_batch_and_repeats():
    images = photo_like(4, 70, 52)
    whole = wavelet.wdf_residual(images)
    single = torch.cat([wavelet.wdf_residual(image[None]) for image in images])
    assert torch.equal(whole, single)
    assert torch.equal(whole, wavelet.wdf_residual(images))


@pytest.mark.parametrize("shape", [(20, 17), (16, 16), (33, 64)])
def test_gradients_agree_with_finite_differences(shape):
    images = photo_like(1, *shape).double().requires_grad_()
    generator = torch.Generator().manual_seed(0)
    weights, direction = torch.randn(2, *images.shape, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((wavelet.denoise(images) * weights).sum(), images)
    step = 1e-7
    ends = [wavelet.denoise(images.detach() + sign * step * direction) for sign in (+1, -1)]
    slope = ((ends[0] - ends[1]) * weights).sum() / (2 * step)
    torch.testing.assert_close((gradient * direction).sum(), slope, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(8, 9), (11, 10)])  # 10 samples hold a whole window
def test_gradients_of_the_local_energies_agree_with_finite_differences(shape):
    bands = torch.randn(2, *shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(wavelet.local_energies, bands)
    one = bands[:1].detach().requires_grad_()  # the cost goes with the square of the values
    assert torch.autograd.gradgradcheck(wavelet.local_energies, one)


def test_attacks_may_differentiate_twice_and_one_image_at_a_time():
    images = photo_like(3, 16, 17).double().requires_grad_()

    def energy(image):
        return wavelet.denoise(image[None]).square().sum()

    (once,) = torch.autograd.grad(sum(map(energy, images)), images, create_graph=True)
    (twice,) = torch.autograd.grad(once.square().sum(), images)
    assert torch.isfinite(twice).all()
    assert twice.abs().max() > 0
    by_image = torch.func.vmap(torch.func.grad(energy))(images.detach())
    torch.testing.assert_close(by_image, once.detach())
