"""Opens a JPEG, PNG or TIFF when it is whole and holds 8-bit RGB; says what it is otherwise.

Only 8-bit RGB passes, and nothing is ever converted: not depth, palette, transparency, colour space
or profile, and no orientation is applied.
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
from PIL.ExifTags import Base as Tag
from PIL.TiffImagePlugin import TiffImageFile

from bench.data import jpeg as jpegs
from bench.data import png as pngs
from bench.data.errors import DamagedError, UnusableError

FORMATS = ("JPEG", "PNG", "TIFF")
_RGB = 2
_DEFLATED = {"tiff_adobe_deflate", "tiff_deflate"}
_COMPRESSIONS = {"raw", "tiff_lzw", *_DEFLATED}
_INFLATED = 1 << 20  # bytes at a time


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
                _require_strips(data, image)
            elif image.format == "PNG":
                header = pngs.read_png_header(data)
                _require_mode(image.mode)
                _require_depth(header.depth)
                pngs.require_whole(data, header)
            else:
                _require_mode(image.mode)
                jpegs.require_whole(data)
            yield image
    except UnidentifiedImageError as error:
        raise _unknown(data) from error
    except (
        *(OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error),
        Image.DecompressionBombError,
    ) as error:
        raise DamagedError(str(error) or type(error).__name__) from error


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    """(3, H, W) pixels as they are stored, whatever the orientation."""
    if isinstance(image, TiffImageFile):
        image.getexif().pop(Tag.Orientation, None)  # Pillow would apply it
        image = Image.merge("RGB", image.split())  # of the size stored, not of that turned
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


def exif_of(image: Image.Image) -> Image.Exif:
    """What EXIF says of an open picture: nothing where it is damaged, which harms no pixel."""
    try:
        return image.getexif()
    except (OSError, SyntaxError, ValueError, struct.error):
        return Image.Exif()


def size_of(image: Image.Image) -> tuple[int, int]:
    """Width and height as stored; decodes what `opened` could not tell to be whole."""
    if not isinstance(image, TiffImageFile):
        return image.size
    _, height, width = pixels_of(image).shape
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


def _require_tiff(image: TiffImageFile) -> None:
    if (way := image.info.get("compression")) not in _COMPRESSIONS:
        raise UnusableError(
            f"a TIFF compressed by {way}, whose damage a decoder hides",
            "save it as a PNG, or as a TIFF uncompressed or by LZW",
        )
    tags = image.tag_v2
    bits = tags.get(Tag.BitsPerSample, (1,))
    if set(tags.get(Tag.SampleFormat, (1,))) != {1}:
        kinds = {2: "signed", 3: "float"}
        _require_depth(f"{max(bits)} {kinds.get(tags[Tag.SampleFormat][0], 'other')}")
    if max(bits) > 8 or (image.mode == "RGB" and set(bits) != {8}):
        _require_depth(max(bits))
    photometric = tags.get(Tag.PhotometricInterpretation)
    if image.mode == "RGB" and (tags.get(Tag.SamplesPerPixel) != 3 or photometric != _RGB):
        _require_mode(f"{tags.get(Tag.SamplesPerPixel)} channels of photometric kind {photometric}")
    _require_mode(image.mode)
    if tags.get(Tag.NewSubfileType, 0) & 1:
        raise UnusableError("a reduced version of another picture", "save that one as a file")
    for frame in range(1, image.n_frames):
        image.seek(frame)
        if not image.tag_v2.get(Tag.NewSubfileType, 0) & 1:  # a reduced version, such as a preview
            raise UnusableError(f"holds {image.n_frames} pictures", "save each as a file")
    image.seek(0)


def _require_strips(data: bytes, image: TiffImageFile) -> None:
    """Every strip or tile is there, as far as its compression tells; decoders fill in what is not.

    What is deflated is inflated to its checksum, before which libtiff stops.
    """
    tags = image.tag_v2
    starts = (*tags.get(Tag.StripOffsets, ()), *tags.get(Tag.TileOffsets, ()))
    sizes = (*tags.get(Tag.StripByteCounts, ()), *tags.get(Tag.TileByteCounts, ()))
    width, length = tags[Tag.ImageWidth], tags[Tag.ImageLength]
    across = max(1, tags.get(Tag.TileWidth, width))
    down = max(1, tags.get(Tag.TileLength, tags.get(Tag.RowsPerStrip, length)))
    planes = 3 if tags.get(Tag.PlanarConfiguration) == 2 else 1
    wanted = planes * -(-width // across) * -(-length // down)
    held = [min(size, len(data) - start) for start, size in zip(starts, sizes, strict=False)]
    raw = image.info["compression"] == "raw"
    if len(starts) < wanted or (raw and sum(held) < 3 * width * length):
        raise DamagedError("strips or tiles of it are missing")
    if image.info["compression"] not in _DEFLATED:
        return
    for start, size in zip(starts, sizes, strict=True):
        stream, rest = zlib.decompressobj(), data[start : start + size]
        while not stream.eof:
            if not stream.decompress(rest, _INFLATED) and not stream.unconsumed_tail:
                break
            rest = stream.unconsumed_tail
        if not stream.eof:
            raise DamagedError("a strip ends too early")


def _unknown(data: bytes) -> UnusableError:
    """Why a file was not opened."""
    if data[4:8] == b"ftyp":  # ISO 14496-12
        return UnusableError("a HEIF, an AVIF or a video, expected a JPEG, PNG or TIFF")
    if data.startswith((b"II*\0", b"MM\0*")):
        return UnusableError("a damaged TIFF, or one of an unknown kind", "save it as 8-bit RGB")
    try:
        with Image.open(io.BytesIO(data)) as image:
            return UnusableError(f"a {image.format}, expected a JPEG, PNG or TIFF")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return UnusableError("not an image")
