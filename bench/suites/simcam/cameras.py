"""Camera models, as `cameras.toml` describes them, and the devices of a model.

What a maker decides (interpolation, colour, filters, JPEG tables) belongs to the model; what
the silicon decides (photo-response non-uniformity, small gains, hot pixels) to the device.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from bench.signal import BAYER_PATTERNS, DEMOSAICERS
from bench.suites.simcam.jpeg import JpegStyle, parse_jpeg
from bench.suites.simcam.seeds import derive_seed, stream

Pair = tuple[float, float]
Triple = tuple[float, float, float]


def _check(holds: bool, name: str, expected: str, got: object) -> None:
    if not holds:
        raise ValueError(f"expected `{name}` {expected}, got {got!r}")


@dataclass(frozen=True, kw_only=True)
class CameraModel:
    """A camera model: everything that two devices of one model share.

    The fields are explained at the top of `cameras.toml`.

    Raises:
        ValueError: If a value is outside the range in which it describes a camera.
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

    def __post_init__(self) -> None:
        _check(self.cfa in BAYER_PATTERNS, "cfa", f"to be one of {BAYER_PATTERNS}", self.cfa)
        method = self.demosaicing
        _check(method in DEMOSAICERS, "demosaicing", f"to be one of {DEMOSAICERS}", method)
        for name, low, high in (
            ("gamma", 1.0, 3.0),
            ("contrast", 0.0, 0.25),
            ("denoise_radius_px", 0.0, 4.0),
            ("denoise_luma_255", 0.0, 64.0),
            ("denoise_chroma_255", 0.0, 64.0),
            ("sharpen_radius_px", 0.0, 4.0),
            ("sharpen_amount", 0.0, 3.0),
            ("jpeg_bits_per_pixel", 0.25, 24.0),
        ):
            value = getattr(self, name)
            _check(low <= value <= high, name, f"between {low} and {high}", value)
        for name, low, high in (
            ("white_balance", 1.0, 4.0),
            ("vignetting", -0.5, 0.5),
            ("shot_noise", 0.0, 0.1),
            ("read_noise", 0.0, 0.1),
        ):
            value = getattr(self, name)
            inside = len(value) == 2 and all(low <= part <= high for part in value)
            _check(inside, name, f"to be two numbers between {low} and {high}", value)
        for name in ("shot_noise", "read_noise"):
            low, high = getattr(self, name)
            _check(0 < low <= high, name, "to be a rising range above 0", (low, high))
        corner = 1 + sum(self.vignetting)
        _check(0.5 <= corner <= 1, "vignetting", "to leave 0.5 to 1 at the corner", corner)
        square = len(self.ccm) == 3 and all(len(row) == 3 for row in self.ccm)
        _check(square, "ccm", "to be 3 x 3", self.ccm)
        neutral = all(abs(sum(row) - 1) < 1e-6 for row in self.ccm)
        _check(neutral, "ccm", "to have rows of sum 1 (grey stays grey)", self.ccm)


@dataclass(frozen=True, kw_only=True)
class Device:
    """One physical camera. `seed` names its PRNU field and its hot pixels.

    Raises:
        ValueError: If the PRNU or a gain is not that of a working sensor.
    """

    model: CameraModel
    index: int
    seed: int
    prnu_sigma: float
    gains: Triple
    hot_pixel_rate: float

    def __post_init__(self) -> None:
        _check(0 <= self.prnu_sigma <= 0.05, "prnu_sigma", "between 0 and 0.05", self.prnu_sigma)
        _check(all(0.9 <= g <= 1.1 for g in self.gains), "gains", "within 10 % of 1", self.gains)
        rate = self.hot_pixel_rate
        _check(0 <= rate <= 0.01, "hot_pixel_rate", "between 0 and 0.01", rate)

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


def parse_cameras(text: str) -> dict[str, CameraModel]:
    """Return the camera models that a TOML text describes, by name.

    Raises:
        ValueError: If a camera lacks a field, has an unknown one, or holds an invalid value.
    """
    document = tomllib.loads(text)
    known = {field.name for field in fields(CameraModel)} - {"name", "jpeg_bits_per_pixel"}
    cameras: dict[str, CameraModel] = {}
    for name, table in document["cameras"].items():
        if table.keys() != known:
            wrong = ", ".join(sorted(table.keys() ^ known))
            raise ValueError(f"{name}: missing or unknown field: {wrong}")
        values: Mapping[str, Any] = {key: _freeze(value) for key, value in table.items()}
        try:
            jpeg, bits = parse_jpeg(table["jpeg"], document["jpeg_bases"])
            cameras[name] = CameraModel(
                name=name, **{**values, "jpeg": jpeg, "jpeg_bits_per_pixel": bits}
            )
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from error
    return cameras


@functools.cache
def load_cameras() -> Mapping[str, CameraModel]:
    """Return the twelve camera models by name, `simcam-01` to `simcam-12`."""
    text = (files("bench.suites.simcam") / "cameras.toml").read_text(encoding="utf-8")
    return MappingProxyType(parse_cameras(text))
