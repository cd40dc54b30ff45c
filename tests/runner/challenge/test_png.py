import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from bench.runner.challenge.png import RefusedError, decode, most_bytes
from tests.runner.challenge.answers import chunk, jpeg, png, raw_png
from tests.toys import pixels

SIDE = 64
IMAGE = pixels(1, SIDE, SIDE).numpy()[0]
GREY = IMAGE[0]
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
PASSES += [(0, 1, 1, 2)]
RGBA = np.dstack([IMAGE.transpose(1, 2, 0), GREY])


def palette():
    stream = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(IMAGE.transpose(1, 2, 0)))
    image.quantize(16).save(stream, "PNG")
    return stream.getvalue()


def adam7():
    """The image, interlaced: unfiltered rows of each of the seven passes."""
    body = b""
    for x, y, dx, dy in PASSES:
        part = IMAGE[:, y::dy, x::dx].transpose(1, 2, 0)
        body += b"".join(b"\0" + row.tobytes() for row in part)
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 1)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_the_pixels_come_back_to_the_last_bit():
    np.testing.assert_array_equal(decode(png(IMAGE), SIDE), IMAGE)
    np.testing.assert_array_equal(decode(adam7(), SIDE), IMAGE)


REFUSED = {
    "empty": (b"", "empty file: 0 bytes"),
    "text": (b"no image at all, whatever its name", "not a PNG: unknown format"),
    "jpeg": (jpeg(IMAGE), "not a PNG: a JPEG"),
    "greyscale": (png(GREY), "not RGB: greyscale"),
    "rgba": (png(RGBA), "not RGB: RGBA"),
    "palette": (palette(), "not RGB: palette"),
    "16 bits": (raw_png(SIDE, SIDE, depth=16), "not 8 bits a channel: 16 bits"),
    "16-bit greyscale": (raw_png(SIDE, SIDE, depth=16, colour=0), "not RGB: greyscale"),
    "narrow": (png(IMAGE[:, :, :48]), "wrong size: 48 x 64, expected 64 x 64"),
    "bomb": (raw_png(60000, 60000, rows=1), "wrong size: 60000 x 60000"),
    "few rows": (raw_png(SIDE, SIDE, rows=20), "unreadable or truncated: rows are missing"),
    "many rows": (raw_png(SIDE, SIDE, rows=20000), "unreadable or truncated: too many rows"),
    "no end": (png(IMAGE)[:-12], "unreadable or truncated: it ends too early"),
    "half": (png(IMAGE)[: len(png(IMAGE)) // 2], "unreadable or truncated"),
    "signature": (png(IMAGE)[:8], "unreadable or truncated: no header"),
    "header": (png(IMAGE)[:33], "unreadable or truncated: it ends too early"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_anything_else_is_refused_and_named(what):
    data, message = REFUSED[what]
    with pytest.raises(RefusedError, match=message):
        decode(data, SIDE)


def test_a_byte_that_was_changed_is_noticed():
    data = bytearray(png(IMAGE))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(RefusedError, match="unreadable or truncated: wrong checksum"):
        decode(bytes(data), SIDE)


def test_text_that_inflates_without_end_is_not_read():
    whole = png(IMAGE)
    bomb = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(64 << 20), 9))
    with pytest.raises(RefusedError, match="unreadable or truncated"):
        decode(whole[:33] + bomb + whole[33:], SIDE)


def test_metadata_does_no_harm():
    whole = png(IMAGE)
    noted = whole[:33] + chunk(b"tEXt", b"Comment\0hello") + whole[33:]
    np.testing.assert_array_equal(decode(noted, SIDE), IMAGE)


def test_the_largest_honest_file_is_within_the_limit():
    noise = np.random.default_rng(0).integers(0, 256, (3, 512, 512), dtype=np.uint8)
    assert len(png(noise, compress_level=0)) < most_bytes(512)


@pytest.mark.parametrize("side", [SIDE, 30_000])
def test_a_second_header_is_refused_whatever_it_says(side):
    whole, header = png(IMAGE), struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    first = 8 + 25  # the signature and the first header
    with pytest.raises(RefusedError, match="a second header"):
        decode(whole[:first] + chunk(b"IHDR", header) + whole[first:], SIDE)


def by_hand(stream, *, methods=(0, 0, 0), after=b""):
    """A PNG of this stream of pixels."""
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, *methods)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", stream) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks + after


ROWS = b"".join(b"\0" + row.tobytes() for row in IMAGE.transpose(1, 2, 0))
STREAM = zlib.compress(ROWS)


def test_a_png_by_hand_is_one():
    np.testing.assert_array_equal(decode(by_hand(STREAM), SIDE), IMAGE)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (by_hand(STREAM + zlib.compress(b"more")), "data after its stream"),
        (by_hand(STREAM + b"x"), "data after its stream"),
        (by_hand(STREAM[:-4]), "its stream has no end"),
        (by_hand(STREAM, after=b"PK"), "data after its end"),
        (by_hand(STREAM, methods=(1, 0, 0)), "a method that no PNG has"),
        (by_hand(STREAM, methods=(0, 1, 0)), "a method that no PNG has"),
        (by_hand(STREAM, methods=(0, 0, 2)), "a method that no PNG has"),
        (by_hand(STREAM)[:11] + b"\x0e" + by_hand(STREAM)[12:], "no header"),
    ],
)
def test_what_the_specification_does_not_have_is_refused(data, message):
    with pytest.raises(RefusedError, match=f"unreadable or truncated: {message}"):
        decode(data, SIDE)
