from dataclasses import replace

import numpy as np
import pytest

from bench.suites.simcam.cameras import Device, load_cameras
from bench.suites.simcam.pipeline import develop, expose

CAMERAS = load_cameras()
NAMES = list(CAMERAS)


def test_every_model_has_a_look_and_jpeg_tables_of_its_own():
    looks = {replace(model, name="any", cfa="RGGB") for model in CAMERAS.values()}
    assert len(looks) == len({model.jpeg for model in CAMERAS.values()}) == len(CAMERAS)
    for model in CAMERAS.values():
        assert (np.diff([sum(style.luma) for style in model.jpeg]) > 0).all(), "finest first"


def test_noise_grows_with_the_light_as_the_model_says():
    shot, read = 1e-3, 2e-3
    model = replace(
        CAMERAS["simcam-01"], shot_noise=(shot, shot), read_noise=(read, read), vignetting=(0, 0)
    )
    device = Device(model=model, index=0, seed=1, prnu_sigma=0, gains=(1, 1, 1), hot_pixel_rate=0)
    for level in (0.02, 0.4):
        greens = expose(np.full((3, 256, 256), level, np.float32), device, 3)[0, 0, 0::2, 1::2]
        expected = shot * float(greens.mean()) + read**2
        assert float(greens.var()) == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("name", NAMES)
def test_all_models_agree_on_grey(name):
    model = replace(CAMERAS[name], shot_noise=(1e-9, 1e-9), read_noise=(1e-9, 1e-9))
    device = Device(model=model, index=0, seed=1, prnu_sigma=0, gains=(1, 1, 1), hot_pixel_rate=0)
    raw = expose(np.full((3, 64, 64), 0.18, np.float32), device, 1)
    image = develop(raw, model)[0, :, 24:40, 24:40].float()
    assert float(image.mean((1, 2)).max() - image.mean((1, 2)).min()) < 1.5
    assert 90 < float(image.mean()) < 150
