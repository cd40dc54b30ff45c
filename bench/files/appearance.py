"""What an anonymised file keeps of the original's metadata: what makes the picture look the same.

That is density, orientation and colour profile, and of the profile the numbers alone: its texts,
header fields and private tags name makers and models of cameras. A profile that shows colours as
sRGB does becomes sRGB itself, for there are dozens of those, each its maker's own. Orientation
stays a tag: turning the pixels would move the colour filter array's grid.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageCms

from bench.data.formats import exif_of

MOST_DPI = 1e5
"""What is denser is no camera's, and cannot be written."""
HEADER_BYTES = 128
NUMBERS = (
    *(b"wtpt", b"chad", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"cicp"),
    *(b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2"),
)
"""Tags of a profile that say how colours look (ICC.1:2022, 9.2)."""
TITLE = "colour profile"


def appearance(path: Path) -> dict[str, Any]:
    """What Pillow is told when it saves a PNG that is to look like the photograph at `path`."""
    with Image.open(path) as image:
        kept: dict[str, Any] = {}
        density = image.info.get("dpi", ())
        if density and all(0 < value <= MOST_DPI for value in density):  # not what has no value
            kept["dpi"] = tuple(map(float, density))
        if profile := nameless_profile(image.info.get("icc_profile") or b""):
            kept["icc_profile"] = profile
        exif, turned = Image.Exif(), exif_of(image).get(ExifTags.Base.Orientation)
        if turned in range(2, 9):
            exif[ExifTags.Base.Orientation] = turned
            kept["exif"] = exif
    return kept


def nameless_profile(profile: bytes) -> bytes | None:
    """An RGB profile that shows colours alike and names nobody; `None` of what is no such one.

    Source: ICC.1:2022, 7.2 (header) and 7.3 (tags); ICC.1:2001-04, 6.5.17 (texts of version 2).
    """
    try:
        if is_srgb(profile):
            profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        return _numbers_alone(profile)
    except (ImageCms.PyCMSError, OSError, struct.error, ValueError):
        return None


def is_srgb(profile: bytes) -> bool:
    """Whether it shows every colour as sRGB does, to a grey level.

    Raises:
        PyCMSError, OSError: If it is no profile of RGB.
    """
    levels = np.linspace(0, 255, 18).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    shown = ImageCms.profileToProfile(
        Image.fromarray(colours), io.BytesIO(profile), ImageCms.createProfile("sRGB")
    )
    return int(np.abs(np.asarray(shown).astype(int) - colours).max()) <= 1


def _numbers_alone(profile: bytes) -> bytes:
    (count,) = struct.unpack_from(">I", profile, HEADER_BYTES)
    listed = profile[HEADER_BYTES + 4 :][: 12 * count]
    tags = [(b"desc", _text(profile[8], b"desc")), (b"cprt", _text(profile[8], b"text"))]
    tags += [
        (name, profile[start : start + size])
        for name, start, size in struct.iter_unpack(">4sII", listed)
        if name in NUMBERS
    ]
    place = HEADER_BYTES + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags:
        table += struct.pack(">4sII", name, place + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    header = bytearray(HEADER_BYTES)
    header[8:24] = profile[8:24]  # version, class, colour spaces
    header[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    header[36:40] = b"acsp"
    header[64:80] = profile[64:80]  # intent and illuminant
    header[0:4] = struct.pack(">I", place + len(body))
    return bytes(header) + table + body


def _text(version: int, kind: bytes) -> bytes:
    if version >= 4:
        words = TITLE.encode("utf-16-be")
        return struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", len(words), 28) + words
    words = TITLE.encode("ascii") + b"\0"
    if kind == b"text":
        return b"text\0\0\0\0" + words
    return struct.pack(">4s4xI", b"desc", len(words)) + words + bytes(4 + 4 + 2 + 1 + 67)
