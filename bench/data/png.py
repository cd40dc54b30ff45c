"""A PNG by its bytes: what its header says, and whether it is whole.

Pillow opens 16-bit RGB as if it held 8 bits, and leaves rows that are not there black: so header,
checksums and the amount of data are looked at here first (PNG specification, third edition, 5.3,
10 and 11.2), and nothing that could grow beyond the expected size is ever inflated.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from bench.data.errors import DamagedError, UnusableError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WRONG = {b"tRNS": "holds a transparent colour", b"acTL": "holds an animation"}
_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)]
_ADAM7 += [(1, 0, 2, 2), (0, 1, 1, 2)]


class PngHeader(NamedTuple):
    """What the header of a PNG says; `depth` is in bits a channel."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filtering: int
    interlaced: int


def read_png_header(data: bytes) -> PngHeader:
    """Read the header of a file that starts as a PNG.

    Raises:
        DamagedError: If there is none, or none that a PNG has.
    """
    if len(data) < 29 or data[8:16] != b"\0\0\0\x0dIHDR":
        raise DamagedError("no header")
    header = PngHeader(*struct.unpack(">IIBBBBB", data[16:29]))
    if header.compression or header.filtering or header.interlaced > 1:
        raise DamagedError("a method that no PNG has")
    return header


def require_whole(data: bytes, header: PngHeader) -> None:
    """Refuse a PNG of 8-bit RGB with a wrong checksum, or with too little or too much of anything.

    Raises:
        DamagedError: Says how.
        UnusableError: If it is an animation, or some of its pixels are transparent.
        zlib.error: If its stream is damaged.
    """
    try:
        compressed = _checked_data(data)
        inflater = zlib.decompressobj()
        expected = _raw_bytes(header)
        inflated = len(inflater.decompress(compressed, expected + 1))
    except struct.error as error:
        raise DamagedError("it ends too early") from error
    if inflated != expected:
        raise DamagedError("rows are missing" if inflated < expected else "too many rows")
    if not inflater.eof:
        raise DamagedError("its stream has no end")
    if inflater.unused_data:
        raise DamagedError("data after its stream")


def _checked_data(data: bytes) -> bytes:
    """The compressed rows, when every chunk fits its checksum."""
    at, compressed, kind = len(SIGNATURE), bytearray(), b""
    while kind != b"IEND":
        (length,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 8 + length
        if zlib.crc32(data[at + 4 : end]) != struct.unpack(">I", data[end : end + 4])[0]:
            raise DamagedError("wrong checksum")
        if kind == b"IHDR" and at > len(SIGNATURE):
            raise DamagedError("a second header")
        if kind in _WRONG:
            raise UnusableError(_WRONG[kind], "save its pixels as plain 8-bit RGB")
        if kind == b"IDAT":
            compressed += data[at + 8 : end]
        at = end + 4
    return bytes(compressed)


def _raw_bytes(header: PngHeader) -> int:
    """What 8-bit RGB inflates to: a filter byte before each row of pixels.

    Seven times over a part of the pixels where they are interlaced (Adam7).
    """
    passes = _ADAM7 if header.interlaced else [(0, 0, 1, 1)]
    sizes = [
        (len(range(x, header.width, dx)), len(range(y, header.height, dy)))
        for x, y, dx, dy in passes
    ]
    return sum(rows * (1 + 3 * columns) for columns, rows in sizes if columns)
