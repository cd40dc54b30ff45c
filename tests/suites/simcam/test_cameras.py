from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from bench.suites.simcam.cameras import Device, load_cameras, make_device, parse_cameras
from bench.suites.simcam.jpeg import JpegStyle, derive_table

CAMERAS = load_cameras()
TOML = (files("bench.suites.simcam") / "cameras.toml").read_text(encoding="utf-8")


def test_there_are_twelve_models():
    assert list(CAMERAS) == [f"simcam-{number:02d}" for number in range(1, 13)]


def test_no_two_models_differ_by_phase_alone():
    blind = [replace(model, name="any", cfa="RGGB") for model in CAMERAS.values()]
    assert len(set(blind)) == len(blind)


def test_every_model_has_its_own_jpeg_tables():
    assert len({model.jpeg for model in CAMERAS.values()}) == len(CAMERAS)
    for model in CAMERAS.values():
        luma = np.sum([style.luma for style in model.jpeg], axis=1)
        assert (np.diff(luma) > 0).all(), "finest first"


def test_a_scaled_standard_table_is_that_of_the_quality_it_stands_for():
    # libjpeg at quality 95 scales Annex K by 10 %: 16, 11, 10, 16 become 2, 1, 1, 2.
    assert derive_table([16, 11, 10, 16] * 16, scale=0.1, tilt=0, skew=0)[:4] == (2, 1, 1, 2)


def test_skew_coarsens_horizontal_frequencies_and_tilt_high_ones():
    skewed = np.reshape(derive_table([40] * 64, scale=1, tilt=0, skew=1), (8, 8))
    assert skewed[0, 7] == 80
    assert skewed[7, 0] == 20
    tilted = derive_table([40] * 64, scale=1, tilt=1, skew=0)
    assert tilted[63] == 80
    assert tilted[0] < tilted[63]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('cfa = "RGGB"', 'cfa = "RGBG"', "simcam-01: expected `cfa` to be one of"),
        ('demosaicing = "bilinear"', 'demosaicing = "nearest"', "expected `demosaicing`"),
        ("[2.05, 1.60]", "[2.05]", "expected `white_balance` to be two numbers"),
        ("[1.60, -0.42, -0.18]", "[1.70, -0.42, -0.18]", "rows of sum 1"),
        ("gamma = 2.20", "gamma = 0.45", "expected `gamma` between"),
        ("gamma = 2.20", 'gamma = "2.2"', "simcam-01: "),
        ("gamma = 2.20\n", "", "simcam-01: missing or unknown field: gamma"),
        ("gamma = 2.20", "gamma = 2.20\ngama = 2", "missing or unknown field: gama"),
        ("vignetting = [-0.09, -0.05]", "vignetting = [0.2, 0.1]", "0.5 to 1 at the corner"),
        ("[3.8e-5, 1.5e-4]", "[1.5e-4, 3e-5]", "expected `shot_noise` to be a rising range"),
        ('base = "standard"', 'base = "annexe"', "expected `base` to be one of"),
        ("scales = [0.03", "scales = [0.0", "a positive scale"),
        ("skew = 0.0, ", "", "jpeg: missing or unknown field: skew"),
        ('subsampling = "4:2:2"', 'subsampling = "4:1:0"', "expected `subsampling`"),
    ],
)
def test_a_bad_value_raises(old, new, message):
    assert old in TOML
    with pytest.raises(ValueError, match=message):
        parse_cameras(TOML.replace(old, new, 1))


def test_a_jpeg_table_must_be_baseline():
    with pytest.raises(ValueError, match="64 steps between 1 and 255"):
        JpegStyle(luma=(0,) * 64, chroma=(1,) * 64, subsampling="4:4:4")


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


def test_a_broken_device_raises():
    model = CAMERAS["simcam-01"]
    good = {"model": model, "index": 0, "seed": 1, "prnu_sigma": 0.01, "hot_pixel_rate": 0.0}
    with pytest.raises(ValueError, match="expected `gains` within 10 % of 1"):
        Device(**good, gains=(1.0, 1.0, 2.0))
