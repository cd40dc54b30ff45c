import numpy as np
import pytest
import torch
from scipy import ndimage

from bench.metrics.distortion import measure, measured_by, psnr_db, ssim
from bench.records.metric import METRICS, MetricSpec
from bench.registry import Entry
from tests.toys import pixels


def pair(strength=12, count=3, height=40, width=52):
    originals = pixels(count, height, width)
    noise = np.random.default_rng(1).normal(0, strength, originals.shape)
    noisy = np.clip(originals.numpy() + noise, 0, 255).round().astype(np.uint8)
    return originals, torch.from_numpy(noisy)


@pytest.mark.parametrize("strength", [0.4, 12, 90])
def test_psnr_is_numpys(strength):
    originals, anonymised = pair(strength)
    squared = (originals.numpy().astype(float) - anonymised.numpy()) ** 2
    expected = 10 * np.log10(255**2 / squared.mean((1, 2, 3)))
    for pair_ in ((originals, anonymised), (anonymised, originals)):  # uint8 wraps around nowhere
        np.testing.assert_allclose(psnr_db(*pair_), expected, rtol=1e-12)


def test_equal_images_have_infinite_psnr_and_an_ssim_of_one():
    originals, other = pair()
    mixed = torch.cat([originals[:1], other[1:]])
    found = measure(originals, mixed)
    assert found["psnr_db"][0] == float("inf")
    assert torch.isfinite(found["psnr_db"][1:]).all()
    sky = torch.full((1, 3, 64, 64), 243, dtype=torch.uint8)  # 0.998 in single precision
    assert found["ssim"][0] == ssim(sky, sky) == 1
    assert (found["ssim"][1:] < 0.99).all()


def reference_ssim(one, other):
    """Wang et al. 2004 with SciPy, in float64; a window at every pixel, mirrored at the border.

    Releases of torchmetrics differ in what they do there: this holds ours to one definition.
    """
    offsets = np.arange(-5, 6)
    kernel = np.exp(-(offsets**2) / (2 * 1.5**2))
    kernel /= kernel.sum()

    def mean(values):
        across = ndimage.correlate1d(values, kernel, axis=-1, mode="mirror")
        return ndimage.correlate1d(across, kernel, axis=-2, mode="mirror")

    one, other = one.astype(float), other.astype(float)
    mean_1, mean_2 = mean(one), mean(other)
    variance_1, variance_2 = mean(one**2) - mean_1**2, mean(other**2) - mean_2**2
    covariance = mean(one * other) - mean_1 * mean_2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_1 * mean_2 + c1) * (2 * covariance + c2)
    bottom = (mean_1**2 + mean_2**2 + c1) * (variance_1 + variance_2 + c2)
    return (top / bottom).mean((1, 2, 3))


@pytest.mark.parametrize("strength", [0.4, 12, 90])
@pytest.mark.parametrize("size", [(40, 52), (11, 64)])
def test_ssim_is_scipys(strength, size):
    originals, anonymised = pair(strength, 3, *size)
    expected = reference_ssim(originals.numpy(), anonymised.numpy())
    np.testing.assert_allclose(ssim(originals, anonymised), expected, rtol=0, atol=1e-5)


def test_rows_hang_on_the_code_of_metrics_that_a_run_may_lack():
    assert measured_by() == {}  # the scorer's version stands for those of all runs
    found = []
    # Code that a version stands for may be elsewhere than in the builder.
    for version, builder in ((1, psnr_db), (1, ssim), (2, ssim)):
        spec = MetricSpec(name="far", title="Far", needs="images", version=version)
        with METRICS.during(Entry(spec=spec, builder=builder, origin="a file")):
            found.append(str(measured_by()["far"]))
    assert len(set(found)) == 3


@pytest.mark.parametrize(
    "wrong", [float("nan") * torch.ones(3), torch.ones(3, 3), torch.ones(()), 0.5, [1.0]]
)
def test_a_metric_that_gives_no_number_an_image_is_named(wrong):
    spec = MetricSpec(name="far", title="Far", needs="images")
    with (
        METRICS.during(Entry(spec=spec, builder=lambda one, other: wrong)),
        pytest.raises(ValueError, match="metric far: expected 3 numbers"),
    ):
        measure(*pair())


def test_a_metric_may_give_numpys_numbers():
    spec = MetricSpec(name="far", title="Far", needs="images")
    with METRICS.during(Entry(spec=spec, builder=lambda one, other: np.arange(3.0))):
        assert measure(*pair())["far"].tolist() == [0, 1, 2]
