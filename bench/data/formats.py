"""Opens a JPEG, PNG or TIFF when it is whole and holds 8-bit RGB; says what it is otherwise.

Only 8-bit RGB passes, and nothing is ever converted: not depth, palette, transparency, colour space
or profile, and no orientation is applied. Where a decoder hides damage, it is looked for here
first: Pillow leaves rows of a PNG that are not there black, and opens 16-bit RGB as if it held 8
bits (PNG specification, third edition, 5.3 and 10).
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from bench.data import jpeg
from bench.data.errors import DamagedError, UnusableError

FORMATS = ("JPEG", "PNG", "TIFF")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BITS, _PHOTOMETRIC, _ORIENTATION, _CHANNELS, _SAMPLES, _KIND = 258, 262, 274, 277, 339, 254
_RGB = 2
_COMPRESSIONS = ("raw", "tiff_lzw")


@contextmanager
def opened(data: bytes) -> Iterator[Image.Image]:
    """A photograph that may be decoded: whole, as far as its format tells, and 8-bit RGB.

    Of several pictures in one JPEG file (MPO) it is the first.

    Raises:
        UnusableError: If it is not; says what to do.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if isinstance(image, TiffImageFile):
                _require_tiff(image)
            elif isinstance(image, PngImageFile):
                _require_png(data, image)
            else:
                _require_mode(image.mode)
                jpeg.require_whole(data)
            yield image
    except UnidentifiedImageError as error:
        raise _unknown(data) from error
    except (
        *(OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error),
        Image.DecompressionBombError,
    ) as error:
        raise DamagedError(str(error) or type(error).__name__) from error


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    """(H, W, 3) pixels as they are stored, whatever the orientation."""
    if isinstance(image, TiffImageFile):
        image.getexif().pop(_ORIENTATION, None)  # Pillow would apply it
        image = Image.merge("RGB", image.split())  # of the size stored, not of that turned
    return np.asarray(image)


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height that the header of a PNG says; nothing is inflated.

    Raises:
        DamagedError: If it has none.
    """
    if len(data) < 24 or data[12:16] != b"IHDR":
        raise DamagedError("no header")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _require_mode(mode: str) -> None:
    if mode.startswith("I"):  # `convert` would clip it to white
        _require_depth("more than 8")
    if mode != "RGB":
        raise UnusableError(
            f"image mode is {mode}, expected 8-bit RGB",
            "a camera's own file is RGB, so convert it (such as by `image.convert('RGB')`) only if "
            "you know its history",
        )


def _require_depth(bits: int | str) -> None:
    if bits != 8:
        raise UnusableError(
            f"holds {bits} bits a channel, expected 8-bit RGB",
            "round it to 8 bits yourself, by what its values mean: (v + 128) // 257 if they fill "
            "16 bits",
        )


def _require_png(data: bytes, image: PngImageFile) -> None:
    """Refuse what is not plain 8-bit RGB, has a wrong checksum, or too few or too many rows."""
    _require_mode(image.mode)
    _require_depth(data[24])
    for told, what in (
        ("transparency" in image.info, "holds a transparent colour"),
        (image.is_animated, "holds an animation"),
        ("interlace" in image.info, "is interlaced"),
    ):
        if told:
            raise UnusableError(what, "save its pixels as plain 8-bit RGB")
    at, compressed, kind = len(PNG_SIGNATURE), bytearray(), b""
    while kind != b"IEND":
        (length,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 8 + length
        if zlib.crc32(data[at + 4 : end]) != struct.unpack(">I", data[end : end + 4])[0]:
            raise DamagedError("wrong checksum")
        if kind == b"IDAT":
            compressed += data[at + 8 : end]
        at = end + 4
    inflater = zlib.decompressobj()
    expected = image.height * (1 + 3 * image.width)  # a filter byte before each row
    inflated = len(inflater.decompress(compressed, expected + 1))
    if inflated != expected or not inflater.eof or inflater.unused_data:
        raise DamagedError("rows are missing" if inflated < expected else "too many rows")


def _require_tiff(image: TiffImageFile) -> None:
    if (way := image.info.get("compression")) not in _COMPRESSIONS:
        raise UnusableError(
            f"a TIFF compressed by {way}, whose damage a decoder hides",
            "save it as a PNG, or as a TIFF uncompressed or by LZW",
        )
    tags = image.tag_v2
    bits = tags.get(_BITS, (1,))
    if max(bits) > 8:
        _require_depth(max(bits))
    _require_mode(image.mode)
    told = (tags.get(_CHANNELS), tags.get(_PHOTOMETRIC), {*bits}, {*tags.get(_SAMPLES, (1,))})
    if told != (3, _RGB, {8}, {1}):
        _require_mode(f"{told[0]} channels of photometric kind {told[1]}")
    for frame in range(1, image.n_frames):
        image.seek(frame)
        if not image.tag_v2.get(_KIND, 0) & 1:  # a reduced version, such as a preview
            raise UnusableError(f"holds {image.n_frames} pictures", "save each as a file")
    image.seek(0)


def _unknown(data: bytes) -> UnusableError:
    """Why a file was not opened."""
    if data.startswith((b"II*\0", b"MM\0*")):
        return UnusableError("a damaged TIFF, or one of an unknown kind", "save it as 8-bit RGB")
    try:
        with Image.open(io.BytesIO(data)) as image:
            return UnusableError(f"a {image.format}, expected a JPEG, PNG or TIFF")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return UnusableError("not an image")
