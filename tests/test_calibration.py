from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.calibration import (
    centre_crops,
    compare,
    measure_distances,
    measure_likeness,
    save_figure,
    save_picture,
)
from bench.data import encode_png
from bench.types import CamobenchError
from tests.smoke import toy_suite
from tests.toys import pixels

TWINS = {("simcam-05", "simcam-06"), ("simcam-11", "simcam-12")}


@pytest.fixture(scope="module")
def found():
    return measure_distances(12)


def test_models_differ_as_real_makers_do(found):
    pairs = list(combinations(enumerate(found.cameras), 2))
    strangers = [(i, j) for (i, one), (j, other) in pairs if (one, other) not in TWINS]
    lpips = np.array([found.lpips[pair] for pair in strangers])
    assert len(strangers) == 64
    assert 0.018 < lpips.min() < lpips.max() < 0.062  # 0.02 to 0.06, but for the few scenes
    assert lpips.mean() < 0.045
    assert min(found.psnr_db[pair] for pair in strangers) > 33


def test_near_twins_differ_less(found):
    for one, other in TWINS:
        place = found.cameras.index(one), found.cameras.index(other)
        assert 0 < found.lpips[place] < 0.02
        assert 40 < found.psnr_db[place] < 60


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


def test_every_folder_is_a_column_of_its_own_and_no_picture_is_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = [Path(one) for one in ("a/photos", "photos", "toy-v1", "measure")]
    for seed, folder in enumerate(folders):
        folder.mkdir(parents=True)
        (folder / "a.png").write_bytes(encode_png(pixels(1, 64, 64, seed)[0].numpy()))
    rows, found = compare(toy_suite(tmp_path / "store"), folders)
    taken = [str(tmp_path / folder) for folder in folders[1:]]
    assert list(rows[0]) == ["measure", "toy-v1", "photos", *taken]
    (tmp_path / "mine.png").write_bytes(b"mine")
    with pytest.raises(CamobenchError, match="holds something else"):
        save_figure(found, tmp_path / "mine.png")


def test_the_picture_shows_all_cameras(tmp_path):
    path = tmp_path / "simcam.png"
    save_picture(path, image_px=64)
    assert path.stat().st_size > 50_000
