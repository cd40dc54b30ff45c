from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.data import decode_rgb
from bench.suites.simcam.cameras import Device, load_cameras, make_device
from bench.suites.simcam.pipeline import capture, develop, expose
from bench.suites.simcam.scenes import render_scene

CAMERAS = load_cameras()
NAMES = list(CAMERAS)
SCENE = render_scene(4, 64)


def photograph(name, index=0, shot=1):
    data = capture(SCENE, make_device(CAMERAS[name], index, 9), shot)
    return torch.from_numpy(decode_rgb(data, name)).float()


def test_every_model_has_a_look_and_jpeg_tables_of_its_own():
    looks = {replace(model, name="any", cfa="RGGB") for model in CAMERAS.values()}
    assert len(looks) == len({model.jpeg for model in CAMERAS.values()}) == len(CAMERAS)
    for model in CAMERAS.values():
        assert (np.diff([sum(style.luma) for style in model.jpeg]) > 0).all(), "finest first"


def mse(one, other):
    return float((one - other).square().mean())


def test_models_differ_more_than_devices():
    mini = ("simcam-01", "simcam-02", "simcam-03")
    devices = max(mse(photograph(name, 0), photograph(name, 1)) for name in mini)
    models = min(mse(photograph(a), photograph(b)) for a in mini for b in mini if a < b)
    assert models > 1.5 * devices > 0


def test_devices_differ_by_their_prnu():
    quiet = {"shot_noise": (1e-9, 1e-9), "read_noise": (1e-9, 1e-9), "vignetting": (0, 0)}
    model = replace(CAMERAS["simcam-01"], **quiet)
    flat = np.full((3, 64, 64), 0.3, np.float32)

    def fingerprint(index, shot):
        raw = expose(flat, make_device(model, index, 9), shot)[0, 0]
        cells = raw.view(32, 2, 32, 2)
        return (cells / cells.mean((0, 2), keepdim=True) - 1).flatten().numpy()

    assert np.corrcoef(fingerprint(0, 1), fingerprint(0, 2))[0, 1] > 0.95
    assert abs(np.corrcoef(fingerprint(0, 1), fingerprint(1, 1))[0, 1]) < 0.1


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
