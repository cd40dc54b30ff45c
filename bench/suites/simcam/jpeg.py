"""A camera model's JPEG: quantisation tables of its own and its chroma subsampling."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")


@dataclass(frozen=True, kw_only=True)
class JpegStyle:
    """Quantisation tables, in natural (row by row) order, and chroma subsampling.

    Raises:
        ValueError: If a table is no baseline JPEG table or the subsampling is unknown.
    """

    luma: tuple[int, ...]
    chroma: tuple[int, ...]
    subsampling: str

    def __post_init__(self) -> None:
        for name in ("luma", "chroma"):
            table = getattr(self, name)
            if len(table) != 64 or not all(1 <= step <= 255 for step in table):
                raise ValueError(f"expected `{name}` to be 64 steps between 1 and 255, got {table}")
        if self.subsampling not in SUBSAMPLINGS:
            raise ValueError(
                f"expected `subsampling` to be one of {SUBSAMPLINGS}, got {self.subsampling!r}"
            )


def derive_table(base: Sequence[int], *, scale: float, tilt: float, skew: float) -> tuple[int, ...]:
    """Return a quantisation table: a base scaled, tilted along frequency, skewed between axes.

    Raises:
        ValueError: If the base has not 64 entries or the scale is not positive.
    """
    if len(base) != 64 or scale <= 0:
        raise ValueError(f"expected 64 entries and a positive scale, got {len(base)} and {scale}")
    v, u = np.divmod(np.arange(64), 8)
    frequency = np.maximum((u + v) / 2, 0.5) / 3.5
    steps = scale * np.asarray(base) * frequency**tilt * 2.0 ** (skew * (u - v) / 7)
    return tuple(int(step) for step in np.clip(np.rint(steps), 1, 255))


def parse_jpeg(
    table: Mapping[str, Any], bases: Mapping[str, Mapping[str, Any]]
) -> tuple[tuple[JpegStyle, ...], float]:
    """Return what a `jpeg` table of `cameras.toml` describes: styles and bits per pixel.

    Raises:
        ValueError: If a key is missing or unknown, or the base is.
    """
    known = {"base", "scales", "bits_per_pixel", "chroma", "tilt", "skew", "subsampling"}
    if table.keys() != known:
        wrong = ", ".join(sorted(table.keys() ^ known))
        raise ValueError(f"jpeg: missing or unknown field: {wrong}")
    if table["base"] not in bases:
        raise ValueError(f"expected `base` to be one of {sorted(bases)}, got {table['base']!r}")
    base = bases[table["base"]]
    shape = {"tilt": table["tilt"], "skew": table["skew"]}
    styles = tuple(
        JpegStyle(
            luma=derive_table(base["luma"], scale=scale, **shape),
            chroma=derive_table(base["chroma"], scale=scale * table["chroma"], **shape),
            subsampling=table["subsampling"],
        )
        for scale in table["scales"]
    )
    return styles, float(table["bits_per_pixel"])


def encode(image: Tensor, styles: Sequence[JpegStyle], bits_per_pixel: float) -> bytes:
    """Compress one (3, H, W) uint8 image with the first style that meets a size, else the last.

    The size is that of the compressed data, without headers.
    """
    picture = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    for style in styles:
        buffer = io.BytesIO()
        tables = [list(style.luma), list(style.chroma)]
        picture.save(buffer, "JPEG", qtables=tables, subsampling=style.subsampling)
        data = buffer.getvalue()
        scan = len(data) - data.index(b"\xff\xda")
        if 8 * scan <= bits_per_pixel * picture.width * picture.height:
            break
    return data
