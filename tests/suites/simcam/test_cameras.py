from dataclasses import replace

import numpy as np

from bench.suites.simcam.cameras import derive_table, load_cameras, make_device

CAMERAS = load_cameras()


def test_no_two_models_differ_by_phase_alone():
    blind = [replace(model, name="any", cfa="RGGB") for model in CAMERAS.values()]
    assert len(set(blind)) == len(blind)


def test_every_model_has_its_own_jpeg_tables():
    assert len({model.jpeg for model in CAMERAS.values()}) == len(CAMERAS)
    for model in CAMERAS.values():
        luma = np.sum([style.luma for style in model.jpeg], axis=1)
        assert (np.diff(luma) > 0).all(), "finest first"


def test_skew_coarsens_horizontal_frequencies_and_tilt_high_ones():
    skewed = np.reshape(derive_table([40] * 64, scale=1, tilt=0, skew=1), (8, 8))
    assert skewed[0, 7] == 80
    assert skewed[7, 0] == 20
    tilted = derive_table([40] * 64, scale=1, tilt=1, skew=0)
    assert tilted[63] == 80
    assert tilted[0] < tilted[63]


def test_devices_are_determined_by_model_index_and_seed():
    model = CAMERAS["simcam-01"]
    device = make_device(model, 2, 5)
    assert device == make_device(model, 2, 5)
    assert device.name == "simcam-01-d2"
    others = [make_device(model, 3, 5), make_device(model, 2, 6)]
    others.append(make_device(CAMERAS["simcam-02"], 2, 5))
    assert all(other.seed != device.seed and other.gains != device.gains for other in others)
    assert 0.005 <= device.prnu_sigma <= 0.01
    assert all(abs(gain - 1) <= 0.02 for gain in device.gains)
