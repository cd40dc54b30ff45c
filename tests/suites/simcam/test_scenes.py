import numpy as np

from bench.suites.simcam.scenes import render_scene


def test_radiance_is_linear_light_as_a_camera_meters_it():
    radiance = render_scene(3, 96)
    assert radiance.shape == (3, 96, 96)
    assert radiance.dtype == np.float32
    assert radiance.min() >= 0
    assert 0.28 < (radiance ** (1 / 2.2)).mean() < 0.48


def test_the_spectrum_falls_as_in_photographs():
    powers = []
    for seed in range(12):
        luminance = np.log(render_scene(seed, 128).mean(0))
        luminance = (luminance - luminance.mean()) * np.outer(np.hanning(128), np.hanning(128))
        powers.append(np.abs(np.fft.fft2(luminance)) ** 2)
    power = np.mean(powers, axis=0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128)))
    band = (frequency > 0.03) & (frequency < 0.25)
    slope, _ = np.polyfit(np.log(frequency[band]), np.log(power[band]), 1)
    assert -3.2 < slope < -1.6  # photographs: about -2 in power


def test_colours_are_muted():
    radiance = np.stack([render_scene(seed, 64) for seed in range(20)])
    spread = radiance.max(1) - radiance.min(1)
    assert np.median(spread / radiance.max(1)) < 0.4
