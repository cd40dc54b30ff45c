"""Scenes: dead leaves with depth, texture and shading, as linear radiance on the sensor grid.

Opaque shapes with radii distributed as r^-3 cover each other, which gives the edges, occlusions
and 1/f spectrum of photographs (Lee, Mumford & Huang 2001). Here they are blobs with uneven
outlines, strips and rectangles; each has a texture, a gradient and a rounded shading. Those far
away are out of focus. Colours have the log-opponent variances of natural images (Ruderman, Cronin
& Chiao 1998): saturated ones would drown the camera's traces. What is in focus is painted at twice
the sensor grid and low-pass filtered, so that edges are not aligned to pixels. Sizes, textures and
focus are set such that filters change the photographs as much as they change real ones.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.ndimage

from bench.suites.simcam import stream

Array = npt.NDArray[np.float32]
Places = npt.NDArray[np.float64]

_FIELD_PX = 256  # texture fields are periodic tiles of this side
_MAX_LEAVES = 1500
_MATERIALS, _HUBS = 5, 12
# Log RGB of one unit of warm-cool and of green-magenta.
_TINT = np.array([[0.71, 0.41], [0.0, -0.82], [-0.71, 0.41]], np.float32)


class _Leaves(NamedTuple):
    """What is seen at each pixel: the leaf's number (0 = background) and its squared radius."""

    number: npt.NDArray[np.intp]
    rim: Array


def _fields(rng: np.random.Generator, slopes: npt.NDArray[np.float64]) -> Array:
    """Return periodic fields of unit variance whose amplitude falls as 1/f^slope."""
    fy = scipy.fft.fftfreq(_FIELD_PX).astype(np.float32)[:, None]
    fx = scipy.fft.rfftfreq(_FIELD_PX).astype(np.float32)[None, :]
    fields = np.empty((len(slopes), _FIELD_PX, _FIELD_PX), np.float32)
    for i, slope in enumerate(slopes):
        angle, stretch = float(rng.uniform(0, np.pi)), float(rng.choice([1, 1, 3]))
        along = stretch * (math.cos(angle) * fx + math.sin(angle) * fy)
        across = math.cos(angle) * fy - math.sin(angle) * fx
        power = along * along + across * across + np.float32(_FIELD_PX**-2)
        white = rng.standard_normal((_FIELD_PX, _FIELD_PX), np.float32)
        spectrum = scipy.fft.rfft2(white)
        spectrum *= np.exp(np.float32(-0.5 * slope) * np.log(power))
        spectrum[0, 0] = 0
        field = scipy.fft.irfft2(spectrum, s=(_FIELD_PX, _FIELD_PX))
        fields[i] = field / field.std()
    return fields


def _lay(rng: np.random.Generator, side: int, outline: Array) -> tuple[_Leaves, _Leaves, Places]:
    """Lay leaves on each other.

    Returns:
        What lies far, on every second row and column; what lies near it; the centres of all.
    """
    r_max = 0.5 * side
    r_min = math.exp(rng.uniform(math.log(4), math.log(min(40, r_max / 2))))
    mean_area = 2 * np.pi * r_min**2 * np.log(r_max / r_min)
    count = min(_MAX_LEAVES, int(rng.uniform(0.8, 2.2) * side * side / mean_area))
    far = int(count * rng.uniform(0.3, 0.9) * (rng.random() < 0.7))
    radius = (r_min**-2 - rng.random(count) * (r_min**-2 - r_max**-2)) ** -0.5
    aspect = np.exp(rng.uniform(-1, 1, count))
    half_u, half_v = radius * np.sqrt(aspect), radius / np.sqrt(aspect)
    uneven = rng.uniform(0, 0.35, count)
    twig = rng.random(count) < rng.uniform(-0.1, 0.7)
    straight = twig | (rng.random(count) < 0.3)
    half_u[twig] = 3 * radius[twig]
    half_v[twig] = rng.uniform(0.8, 3.0, np.count_nonzero(twig))
    bend = twig * rng.uniform(-1, 1, count) * half_u / half_v / 6
    angle = rng.uniform(0, np.pi, count)
    corner = np.hypot(half_u, half_v * (1 + np.abs(bend)))
    reach = np.where(straight, corner, 1.3 * np.maximum(half_u, half_v))
    centre_y, centre_x = rng.uniform(0, side, (2, count))
    top = np.maximum(0, np.floor(centre_y - reach)).astype(int)
    left = np.maximum(0, np.floor(centre_x - reach)).astype(int)
    bottom = np.minimum(side, np.ceil(centre_y + reach) + 1).astype(int)
    right = np.minimum(side, np.ceil(centre_x + reach) + 1).astype(int)

    line = np.arange(side, dtype=np.float32)
    number = np.zeros((side, side), np.intp)
    rim = np.zeros((side, side), np.float32)
    behind = _Leaves(number[::2, ::2].copy(), rim[::2, ::2].copy())
    cos_u, sin_u = np.cos(angle) / half_u, np.sin(angle) / half_u
    cos_v, sin_v = np.cos(angle) / half_v, np.sin(angle) / half_v
    for i in range(count):
        here = np.s_[top[i] : bottom[i], left[i] : right[i]]
        y = line[top[i] : bottom[i], None] - np.float32(centre_y[i])
        x = line[None, left[i] : right[i]] - np.float32(centre_x[i])
        u = np.float32(cos_u[i]) * x + np.float32(sin_u[i]) * y
        v = np.float32(cos_v[i]) * y - np.float32(sin_v[i]) * x
        square = u * u + v * v
        if straight[i]:
            inside = np.maximum(np.abs(u), np.abs(v - np.float32(bend[i]) * u * u)) < 1
        else:
            square *= 1 + np.float32(uneven[i]) * outline[here]
            inside = square < 1
        number[here][inside] = i + 1
        rim[here][inside] = np.minimum(square, 1)[inside]
        if i + 1 == far:
            behind = _Leaves(number[::2, ::2].copy(), rim[::2, ::2].copy())
            number[:] = 0
    centres = np.stack([np.append(side / 2, centre_y), np.append(side / 2, centre_x)], axis=1)
    return behind, _Leaves(number, rim), centres


def _colours(rng: np.random.Generator, centres: Places, side: int) -> Array:
    """Return (3, leaves) log-opponent colours; neighbours are often of one material."""
    count = len(centres)
    spread = np.array([[rng.uniform(0.6, 1.3)], [rng.uniform(0.1, 0.3)], [0.06]])
    palette = spread * rng.standard_normal((3, _MATERIALS))
    palette[1:] += rng.standard_normal((2, 1)) * [[0.1], [0.03]]  # the light
    strayed = centres + rng.normal(0, side * rng.uniform(0.02, 0.15), (count, 2))
    hubs = rng.uniform(0, side, (_HUBS, 2))
    nearest = ((strayed[:, None] - hubs) ** 2).sum(2).argmin(1)
    material = rng.integers(0, _MATERIALS, _HUBS)[nearest]
    own = rng.uniform(0.05, 0.3) * spread * rng.standard_normal((3, count))
    return (palette[:, material] + own).astype(np.float32)


def _halve(fine: Array) -> Array:
    """Sample every second row and column through a binomial filter: the lens and its low-pass."""
    for _ in range(2):
        padded = np.pad(fine, ((0, 0), (2, 2)), mode="edge")
        count = fine.shape[1] // 2
        taps = [padded[:, start : start + 2 * count : 2] for start in range(6)]
        fine = ((taps[0] + taps[5] + 5 * (taps[1] + taps[4]) + 10 * (taps[2] + taps[3])) / 32).T
    return fine


def render_scene(seed: int, image_px: int) -> Array:
    """Render the scene that `seed` names.

    Returns:
        (3, image_px, image_px) linear radiance, non-negative; `image_px` is 16 at least.
    """
    rng = stream(seed, "scene")
    side = 2 * image_px
    fields = _fields(rng, np.append(rng.uniform(0.4, 1.3, 3), 2.0))
    tiles = math.ceil(side / _FIELD_PX)
    behind, front, centres = _lay(rng, side, np.tile(fields[-1], (tiles, tiles))[:side, :side])
    count = len(centres)

    opponent = _colours(rng, centres, side)
    tint = np.exp(_TINT @ opponent[1:])  # (3, leaves)
    slope = rng.standard_normal((2, count), np.float32) * np.float32(rng.uniform(0.2, 1.2) / side)
    direction, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1.2) / side
    slope += np.array([[np.sin(direction)], [np.cos(direction)]], np.float32) * np.float32(strength)
    amplitude = (10 ** (rng.uniform(-2.7, -1.1) + rng.uniform(-0.4, 0.4, count))).astype(np.float32)
    amplitude[rng.random(count) < 0.5] = 0  # smooth surfaces, where noise is all there is
    rounded = rng.uniform(-0.4, 0.1, count).astype(np.float32)
    which = rng.integers(0, len(fields), count)
    shift = rng.integers(0, _FIELD_PX, (2, count))

    def paint(leaves: _Leaves, step: int) -> Array:
        number = leaves.number
        rows, columns = np.arange(0, side, step)[:, None], np.arange(0, side, step)[None, :]
        texture_y = (rows + shift[0][number]) % _FIELD_PX
        texture_x = (columns + shift[1][number]) % _FIELD_PX
        y, x = (rows - side / 2).astype(np.float32), (columns - side / 2).astype(np.float32)
        light = fields[which[number], texture_y, texture_x] * amplitude[number]
        light += opponent[0][number] + slope[0][number] * y + slope[1][number] * x
        light += rounded[number] * leaves.rim
        painted: Array = np.exp(light) * tint[:, number]
        return painted

    near, sigma_px = paint(front, 1), rng.uniform(1.5, 5.0)
    if behind.number.any():
        near *= front.number > 0
        far = scipy.ndimage.gaussian_filter(paint(behind, 2), (0, sigma_px, sigma_px))
        seen = _halve((front.number > 0).astype(np.float32))
        radiance = np.stack([_halve(plane) for plane in near]) + (1 - seen) * far
    else:
        radiance = np.stack([_halve(plane) for plane in near])
    # As a camera meters: a few bright lights do not darken the rest.
    grey = np.mean(radiance ** np.float32(1 / 2.2))
    exposed: Array = radiance * np.float32((rng.uniform(0.28, 0.48) / grey) ** 2.2)
    return exposed
