"""What the header of a JPEG tells of the camera that wrote it: a cue that is no sensor's."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from bench.data.formats import exif_of
from bench.store import digest
from bench.wording import one_line

TABLES_DIGITS = 12
_MAKE, _MODEL = 271, 272  # EXIF tags
_SUBSAMPLINGS = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}


def read_jpeg_header(data: bytes) -> dict[str, Any]:
    """Read the header of an encoded image.

    Returns:
        The columns `jpeg_tables` (a digest of all quantisation tables), `jpeg_quality` (1 to 100,
        nearest by the luma table) and `jpeg_subsampling` (of the chroma, "other" where it has no
        such name as "4:2:0") of a manifest; nothing where it is no JPEG.

    Raises:
        PIL.UnidentifiedImageError: If it is no image.
    """
    with Image.open(io.BytesIO(data)) as image:
        if not isinstance(image, JpegImageFile) or not image.quantization:
            return {}
        tables = {number: list(table) for number, table in sorted(image.quantization.items())}
        return {
            "jpeg_tables": digest(tables)[:TABLES_DIGITS],
            "jpeg_quality": nearest_quality(tables[min(tables)]),
            "jpeg_subsampling": _SUBSAMPLINGS.get(get_sampling(image), "other"),
        }


def read_camera(data: bytes) -> tuple[str | None, str | None]:
    """Make and model that EXIF names, in one, and the camera's serial number.

    `None` where it names none, and for a serial number of zeros.
    """
    with Image.open(io.BytesIO(data)) as image:
        exif = exif_of(image)
    body = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.BodySerialNumber, "")
    serial = str(body).strip("\0 ")
    make, model = (one_line(str(exif.get(tag, ""))) for tag in (_MAKE, _MODEL))
    first = make.split()[:1]
    named = model if not first or first[0].lower() in model.lower() else f"{make} {model}"
    return named if model else None, serial if len(set(serial)) > 1 else None


def nearest_quality(luma: list[int]) -> int:
    """The quality, 1 to 100, whose luma table differs least, by the sum over its 64 steps."""
    return int(np.abs(_luma_tables() - np.array(luma)).sum(1).argmin()) + 1


@cache
def _luma_tables() -> NDArray[np.int64]:
    """(100, 64) luma tables of the qualities 1 to 100 of the Independent JPEG Group."""
    tables = []
    for quality in range(1, 101):
        stream = io.BytesIO()
        Image.new("L", (8, 8)).save(stream, "JPEG", quality=quality)
        stream.seek(0)
        tables.append(list(JpegImageFile(stream).quantization[0]))
    return np.array(tables)
