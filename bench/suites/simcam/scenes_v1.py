"""Scenes: dead leaves with texture and illumination, as linear radiance on the sensor grid.

Opaque shapes with radii distributed as r^-3 cover each other, which gives the edges, occlusions
and 1/f spectrum of photographs (Lee, Mumford & Huang 2001). Added here: ellipses and rectangles
beside disks, a 1/f texture and a shading gradient per leaf, one illumination field per scene, and
colours whose log-opponent channels have the variances of natural images (Ruderman, Cronin & Chiao
1998): saturated colours would drown the camera's traces. The scene is painted at twice the sensor
grid and then low-pass filtered, so that edges are not aligned to pixels.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import scipy.fft

from bench.suites.simcam.seeds import stream

Array = npt.NDArray[np.float32]

_FIELD_PX = 256  # texture fields are periodic tiles of this side
_MAX_LEAVES = 1500
_MEAN_RADIANCE = 0.22
# Log RGB of one unit of warm-cool and of green-magenta.
_TINT = np.array([[0.71, 0.41], [0.0, -0.82], [-0.71, 0.41]], np.float32)


def _textures(rng: np.random.Generator, count: int) -> Array:
    """Return (count, F, F) periodic fields of unit variance with spectra around 1/f."""
    fy = scipy.fft.fftfreq(_FIELD_PX).astype(np.float32)[:, None]
    fx = scipy.fft.rfftfreq(_FIELD_PX).astype(np.float32)[None, :]
    fields = np.empty((count, _FIELD_PX, _FIELD_PX), np.float32)
    for i in range(count):
        angle, stretch = float(rng.uniform(0, np.pi)), float(rng.choice([1, 1, 3]))
        along = stretch * (math.cos(angle) * fx + math.sin(angle) * fy)
        across = math.cos(angle) * fy - math.sin(angle) * fx
        power = along * along + across * across + np.float32(_FIELD_PX**-2)
        white = rng.standard_normal((_FIELD_PX, _FIELD_PX), np.float32)
        spectrum = scipy.fft.rfft2(white)
        spectrum *= np.exp(np.float32(-0.5 * rng.uniform(0.7, 1.5)) * np.log(power))
        spectrum[0, 0] = 0
        field = scipy.fft.irfft2(spectrum, s=(_FIELD_PX, _FIELD_PX))
        fields[i] = field / field.std()
    return fields


def _leaf_map(
    rng: np.random.Generator, height: int, width: int
) -> tuple[npt.NDArray[np.intp], int]:
    """Return which leaf is seen at each pixel, 0 being the background, and the leaf count."""
    r_max = 0.4 * min(height, width)
    r_min = rng.uniform(3.0, 8.0)
    coverage = rng.uniform(1.2, 3.0)
    mean_area = 2 * np.pi * r_min**2 * np.log(r_max / r_min)
    count = min(_MAX_LEAVES, int(coverage * height * width / mean_area))
    radius = (r_min**-2 - rng.random(count) * (r_min**-2 - r_max**-2)) ** -0.5
    aspect = np.exp(rng.uniform(-0.7, 0.7, count))
    angle = rng.uniform(0, np.pi, count)
    kind = rng.integers(0, 3, count)  # disk, ellipse, rectangle
    aspect[kind == 0] = 1.0
    half_u, half_v = radius * np.sqrt(aspect), radius / np.sqrt(aspect)
    reach = np.where(kind == 2, np.hypot(half_u, half_v), np.maximum(half_u, half_v))
    centre_y, centre_x = rng.uniform(0, height, count), rng.uniform(0, width, count)
    top = np.maximum(0, np.floor(centre_y - reach)).astype(int)
    left = np.maximum(0, np.floor(centre_x - reach)).astype(int)
    bottom = np.minimum(height, np.ceil(centre_y + reach) + 1).astype(int)
    right = np.minimum(width, np.ceil(centre_x + reach) + 1).astype(int)

    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.arange(width, dtype=np.float32)[None, :]
    leaves = np.zeros((height, width), np.intp)
    cos_u, sin_u = np.cos(angle) / half_u, np.sin(angle) / half_u
    cos_v, sin_v = np.cos(angle) / half_v, np.sin(angle) / half_v
    for i in range(count):
        y = rows[top[i] : bottom[i]] - np.float32(centre_y[i])
        x = columns[:, left[i] : right[i]] - np.float32(centre_x[i])
        u = np.float32(cos_u[i]) * x + np.float32(sin_u[i]) * y
        v = np.float32(cos_v[i]) * y - np.float32(sin_v[i]) * x
        inside = np.maximum(np.abs(u), np.abs(v)) < 1 if kind[i] == 2 else u * u + v * v < 1
        leaves[top[i] : bottom[i], left[i] : right[i]][inside] = i + 1
    return leaves, count + 1


def _halve(fine: Array) -> Array:
    """Sample every second column through a binomial filter: the lens and its optical low-pass."""
    padded = np.pad(fine, ((0, 0), (2, 2)), mode="edge")
    count = fine.shape[1] // 2
    taps = [padded[:, start : start + 2 * count : 2] for start in range(6)]
    mixed: Array = (taps[0] + taps[5] + 5 * (taps[1] + taps[4]) + 10 * (taps[2] + taps[3])) / 32
    return mixed


def render_scene(seed: int, image_px: int) -> Array:
    """Render the scene that `seed` names.

    Args:
        seed: Names the scene.
        image_px: Side of the square image.

    Returns:
        (3, image_px, image_px) linear radiance, non-negative, of mean 0.22.

    Raises:
        ValueError: If the side is shorter than 16 pixels.
    """
    if image_px < 16:
        raise ValueError(f"expected `image_px` of at least 16, got {image_px}")
    rng = stream(seed, "scene")
    side = 2 * image_px
    leaves, count = _leaf_map(rng, side, side)

    opponent = rng.standard_normal((3, count), np.float32)
    opponent *= np.array([[rng.uniform(0.3, 0.65)], [rng.uniform(0.1, 0.3)], [0.07]], np.float32)
    opponent[1:] += (rng.standard_normal((2, 1)) * [[0.1], [0.03]]).astype(np.float32)  # the light
    slope = rng.standard_normal((2, count), np.float32) * np.float32(rng.uniform(0.1, 0.9) / side)
    amplitude = (10 ** rng.uniform(-1.9, -0.45, count)).astype(np.float32)
    amplitude[rng.random(count) < 0.25] = 0  # smooth surfaces, where noise is all there is

    fields = _textures(rng, 4)
    which = rng.integers(0, len(fields), count)
    shift = rng.integers(0, _FIELD_PX, (2, count))
    rows, columns = np.arange(side)[:, None], np.arange(side)[None, :]
    texture_y = (rows + shift[0][leaves]) % _FIELD_PX
    texture_x = (columns + shift[1][leaves]) % _FIELD_PX
    texture = fields[which[leaves], texture_y, texture_x] * amplitude[leaves]

    y, x = (rows - side / 2).astype(np.float32), (columns - side / 2).astype(np.float32)
    direction, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1.2) / side
    slope += np.array([[np.sin(direction)], [np.cos(direction)]], np.float32) * np.float32(strength)
    luminance = opponent[0][leaves] + texture + slope[0][leaves] * y + slope[1][leaves] * x
    light = np.exp(luminance)
    tint = np.exp(_TINT @ opponent[1:])  # (3, leaves)

    radiance = np.empty((3, image_px, image_px), np.float32)
    for channel in range(3):
        radiance[channel] = _halve(_halve(light * tint[channel][leaves]).T).T
    return radiance * np.float32(_MEAN_RADIANCE / radiance.mean())
