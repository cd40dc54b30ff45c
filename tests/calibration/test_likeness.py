import numpy as np
import pytest
import torch
from PIL import Image

from bench.calibration.likeness import centre_crops, measure_likeness
from bench.types import CamobenchError


@pytest.fixture
def noise():
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.normal(128, 4, (6, 3, 64, 64)).round().astype(np.uint8))


def test_white_noise_is_measured_as_what_it_is(noise):
    found = measure_likeness("noise", noise)
    assert np.ptp(found.spectrum_db[2:]) < 2.5  # flat
    luma = 4 * np.hypot(np.hypot(0.299, 0.587), 0.114)
    assert found.figures()["local contrast (grey levels), 50 %"] == pytest.approx(luma, rel=0.05)
    assert 2 < found.residual_255.mean() < 4
    blurred, _ = found.filters["gaussian-blur"]
    kept = 1 / (4 * np.pi)  # of the variance, by a Gaussian of one pixel, twice
    lost = 16 * (1 + kept - 2 / (2 * np.pi))
    assert blurred == pytest.approx(10 * np.log10(255**2 / lost), abs=0.2)
    assert "identity" not in found.filters


def test_crops_keep_the_jpeg_grid(tmp_path):
    rows = np.arange(200, dtype=np.uint8)[:, None, None]
    Image.fromarray(np.broadcast_to(rows, (200, 120, 3)).copy()).save(tmp_path / "a.png")
    Image.new("RGB", (60, 300)).save(tmp_path / "narrow.png")
    (crop,) = centre_crops(tmp_path, 64)
    assert crop.shape == (3, 64, 64)
    assert crop[0, 0, 0] == 64
    with pytest.raises(CamobenchError, match="256 x 256"):
        centre_crops(tmp_path, 256)
