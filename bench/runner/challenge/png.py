"""A stranger's PNG, decoded only when its header says what the suite's images are.

Pillow opens 16-bit RGB as if it held 8 bits, and leaves rows that are not there black: so header,
checksums and the amount of data are looked at here first (PNG specification, third edition, 5.3,
10 and 11.2), and nothing that could grow beyond the expected size is ever inflated.
"""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.runner.challenge.problems import Kind

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_START = b"\0\0\0\x0dIHDR"
RGB = 2
COLOURS = {0: "greyscale", 2: "RGB", 3: "palette", 4: "greyscale with alpha", 6: "RGBA"}
OTHERS = {b"\xff\xd8": "JPEG", b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF"}

EMPTY = Kind(name="empty file", gravity="error", remedy="write it again")
NOT_PNG = Kind(name="not a PNG", gravity="error", remedy="save as PNG, which loses nothing")
MODE = Kind(name="not RGB", gravity="error", remedy="save as RGB without alpha or palette")
DEPTH = Kind(name="not 8 bits a channel", gravity="error", remedy="round to 8 bits yourself")
SIZE = Kind(name="wrong size", gravity="error", remedy="keep the size of the image you were given")
DAMAGED = Kind(name="unreadable or truncated", gravity="error", remedy="write it again")


class RefusedError(Exception):
    """An image that cannot be scored.

    Attributes:
        kind: Of problem.
        detail: What it is instead.
    """

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(f"{kind.name}: {detail}")
        self.kind, self.detail = kind, detail


def most_bytes(side: int) -> int:
    """The largest file taken for an image of `side` pixels: twice its pixels, and a profile."""
    return 2 * 3 * side * side + (1 << 20)


def decode(data: bytes, side: int) -> NDArray[np.uint8]:
    """Decode a whole PNG of 8-bit RGB into (3, side, side).

    Raises:
        RefusedError: If it is anything else; says what.
    """
    width, height, depth, colour, interlaced = _header(data)
    if colour != RGB:
        raise RefusedError(MODE, COLOURS.get(colour, f"colour type {colour}"))
    if depth != 8:
        raise RefusedError(DEPTH, f"{depth} bits")
    if (width, height) != (side, side):
        raise RefusedError(SIZE, f"{width} x {height}, expected {side} x {side}")
    _require_whole(data, _raw_bytes(side, interlaced=interlaced))
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            pixels = np.asarray(image)
    except (
        *(OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error),
        Image.DecompressionBombError,
    ) as error:
        raise RefusedError(DAMAGED, str(error) or type(error).__name__) from error
    if pixels.shape != (side, side, 3) or pixels.dtype != np.uint8:
        raise RefusedError(DAMAGED, f"decodes to {pixels.dtype} {pixels.shape}")
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _header(data: bytes) -> tuple[int, int, int, int, bool]:
    """Width, height, bit depth, colour type of a PNG, and whether it is interlaced."""
    if not data:
        raise RefusedError(EMPTY, "0 bytes")
    if not data.startswith(SIGNATURE):
        name = next((name for magic, name in OTHERS.items() if data.startswith(magic)), None)
        raise RefusedError(NOT_PNG, f"a {name}" if name else "unknown format")
    if len(data) < 29 or data[8:16] != HEADER_START:
        raise RefusedError(DAMAGED, "no header")
    width, height, depth, colour, *methods, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    if methods != [0, 0] or interlaced > 1:
        raise RefusedError(DAMAGED, "a method that no PNG has")
    return width, height, depth, colour, bool(interlaced)


def _raw_bytes(side: int, *, interlaced: bool) -> int:
    """Bytes that a square 8-bit RGB image inflates to: rows of pixels, a filter byte before each.

    Seven times over a part of the pixels where they are interlaced (Adam7).
    """
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)]
        passes += [(1, 0, 2, 2), (0, 1, 1, 2)]
    sizes = [(len(range(x, side, dx)), len(range(y, side, dy))) for x, y, dx, dy in passes]
    return sum(rows * (1 + 3 * columns) for columns, rows in sizes if columns)


def _require_whole(data: bytes, raw_bytes: int) -> None:
    """Refuse a PNG with a wrong checksum, or with too little or too much of anything."""
    at, compressed, kind = len(SIGNATURE), bytearray(), b""
    while kind != b"IEND":
        if at + 12 > len(data):
            raise RefusedError(DAMAGED, "it ends too early")
        (length,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 8 + length
        if end + 4 > len(data):
            raise RefusedError(DAMAGED, "it ends too early")
        if zlib.crc32(data[at + 4 : end]) != struct.unpack(">I", data[end : end + 4])[0]:
            raise RefusedError(DAMAGED, "wrong checksum")
        if kind == b"IHDR" and at > len(SIGNATURE):
            raise RefusedError(DAMAGED, "a second header")
        if kind == b"IDAT":
            compressed += data[at + 8 : end]
        at = end + 4
    if at < len(data):
        raise RefusedError(DAMAGED, "data after its end")
    inflater = zlib.decompressobj()
    try:
        inflated = len(inflater.decompress(bytes(compressed), raw_bytes + 1))
    except zlib.error as error:
        raise RefusedError(DAMAGED, str(error)) from error
    if inflated != raw_bytes:
        raise RefusedError(DAMAGED, "rows are missing" if inflated < raw_bytes else "too many rows")
    if not inflater.eof:
        raise RefusedError(DAMAGED, "its stream has no end")
    if inflater.unused_data:
        raise RefusedError(DAMAGED, "data after its stream")
