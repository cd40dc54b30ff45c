"""Camera models, as `cameras.toml` describes them, and the devices of a model.

What a maker decides (interpolation, colour, filters, JPEG tables) belongs to the model; what
the silicon decides (photo-response non-uniformity, small gains, hot pixels) to the device.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np

from bench.suites.simcam import derive_seed, stream

Pair = tuple[float, float]
Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class JpegStyle:
    """Quantisation tables, in natural (row by row) order, and chroma subsampling."""

    luma: tuple[int, ...]
    chroma: tuple[int, ...]
    subsampling: str


@dataclass(frozen=True, kw_only=True)
class CameraModel:
    """A camera model: everything that two devices of one model share.

    The fields are explained at the top of `cameras.toml`.
    """

    name: str
    cfa: str
    demosaicing: str
    white_balance: Pair
    ccm: tuple[Triple, Triple, Triple]
    gamma: float
    contrast: float
    denoise_radius_px: float
    denoise_luma_255: float
    denoise_chroma_255: float
    sharpen_radius_px: float
    sharpen_amount: float
    vignetting: Pair
    shot_noise: Pair
    read_noise: Pair
    jpeg: tuple[JpegStyle, ...]
    jpeg_bits_per_pixel: float


@dataclass(frozen=True, kw_only=True)
class Device:
    """One physical camera. `seed` names its PRNU field and its hot pixels."""

    model: CameraModel
    index: int
    seed: int
    prnu_sigma: float
    gains: Triple
    hot_pixel_rate: float

    @property
    def name(self) -> str:
        """The device's name, e.g. `simcam-01-d2`."""
        return f"{self.model.name}-d{self.index}"


def make_device(model: CameraModel, index: int, seed: int) -> Device:
    """Return device number `index` of a model; the same arguments give the same device."""
    rng = stream(seed, "device", model.name, index)
    gains = rng.uniform(0.98, 1.02, 3)
    return Device(
        model=model,
        index=index,
        seed=derive_seed(seed, "sensor", model.name, index),
        prnu_sigma=float(rng.uniform(0.005, 0.01)),
        gains=(float(gains[0]), float(gains[1]), float(gains[2])),
        hot_pixel_rate=float(10 ** rng.uniform(-4.5, -3.8)),
    )


def _freeze(value: object) -> object:
    """Turn the lists of TOML into tuples."""
    return tuple(_freeze(part) for part in value) if isinstance(value, list) else value


def derive_table(base: Sequence[int], *, scale: float, tilt: float, skew: float) -> tuple[int, ...]:
    """Return a quantisation table: a base scaled, tilted along frequency, skewed between axes."""
    v, u = np.divmod(np.arange(64), 8)
    frequency = np.maximum((u + v) / 2, 0.5) / 3.5
    steps = scale * np.asarray(base) * frequency**tilt * 2.0 ** (skew * (u - v) / 7)
    return tuple(int(step) for step in np.clip(np.rint(steps), 1, 255))


@functools.cache
def load_cameras() -> Mapping[str, CameraModel]:
    """Return the twelve camera models by name, `simcam-01` to `simcam-12`."""
    text = (files("bench.suites.simcam") / "cameras.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    cameras = {}
    for name, table in document["cameras"].items():
        jpeg = table.pop("jpeg")
        base, shape = document["jpeg_bases"][jpeg["base"]], {k: jpeg[k] for k in ("tilt", "skew")}
        styles = tuple(
            JpegStyle(
                luma=derive_table(base["luma"], scale=scale, **shape),
                chroma=derive_table(base["chroma"], scale=scale * jpeg["chroma"], **shape),
                subsampling=jpeg["subsampling"],
            )
            for scale in jpeg["scales"]
        )
        values: dict[str, Any] = {key: _freeze(value) for key, value in table.items()}
        bits = float(jpeg["bits_per_pixel"])
        cameras[name] = CameraModel(name=name, jpeg=styles, jpeg_bits_per_pixel=bits, **values)
    return MappingProxyType(cameras)
