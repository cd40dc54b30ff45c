"""A PNG by its bytes: what its header says, and whether it is whole.

Pillow opens 16-bit RGB as if it held 8 bits, and leaves rows that are not there black: so header,
checksums and the amount of data are looked at here first (PNG specification, third edition, 5.3,
10 and 11.2), and nothing that could grow beyond the expected size is ever inflated.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from bench.decoding import DamagedError, UnusableError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\0\0\0\0IEND\xaeB`\x82"
HEADER_START = b"\0\0\0\x0dIHDR"
RGB = 2
COLOURS = {0: "greyscale", 2: "RGB", 3: "palette", 4: "greyscale with alpha", 6: "RGBA"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_WRONG = {b"tRNS": "holds a transparent colour", b"acTL": "holds an animation"}
_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)]
_ADAM7 += [(1, 0, 2, 2), (0, 1, 1, 2)]


@dataclass(frozen=True, kw_only=True)
class PngHeader:
    """What the header of a PNG says; `depth` is in bits a channel."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @property
    def colour_name(self) -> str:
        """Its colour type in words."""
        return COLOURS.get(self.colour, f"colour type {self.colour}")

    @property
    def raw_bytes(self) -> int:
        """Bytes that it inflates to: rows of pixels, a filter byte before each.

        Seven times over a part of the pixels where they are interlaced (Adam7).
        """
        bits = self.depth * _CHANNELS.get(self.colour, 0)
        passes = _ADAM7 if self.interlaced else [(0, 0, 1, 1)]
        sizes = [
            (len(range(x, self.width, dx)), len(range(y, self.height, dy)))
            for x, y, dx, dy in passes
        ]
        return sum(rows * (1 + (bits * columns + 7) // 8) for columns, rows in sizes if columns)


def read_png_header(data: bytes) -> PngHeader:
    """Read the header of a file that starts as a PNG.

    Raises:
        DamagedError: If there is none, or none that a PNG has.
    """
    if len(data) < 29 or data[8:16] != HEADER_START:
        raise DamagedError("no header")
    width, height, depth, colour, *methods, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    if methods != [0, 0] or interlaced > 1:
        raise DamagedError("a method that no PNG has")
    return PngHeader(
        width=width, height=height, depth=depth, colour=colour, interlaced=bool(interlaced)
    )


def require_whole(data: bytes, header: PngHeader) -> None:
    """Refuse a PNG with a wrong checksum, or with too little or too much of anything.

    Raises:
        DamagedError: Says how.
        UnusableError: If it is an animation, or some of its pixels are transparent.
    """
    at, compressed, kind = len(SIGNATURE), bytearray(), b""
    while kind != b"IEND":
        if at + 12 > len(data):
            raise DamagedError("it ends too early")
        (length,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        end = at + 8 + length
        if end + 4 > len(data):
            raise DamagedError("it ends too early")
        if zlib.crc32(data[at + 4 : end]) != struct.unpack(">I", data[end : end + 4])[0]:
            raise DamagedError("wrong checksum")
        if kind == b"IHDR" and at > len(SIGNATURE):
            raise DamagedError("a second header")
        if kind in _WRONG:
            raise UnusableError(_WRONG[kind], "save its pixels as plain 8-bit RGB")
        if kind == b"IDAT":
            compressed += data[at + 8 : end]
        at = end + 4
    inflater = zlib.decompressobj()
    try:
        inflated = len(inflater.decompress(bytes(compressed), header.raw_bytes + 1))
    except zlib.error as error:
        raise DamagedError(str(error)) from error
    if inflated != header.raw_bytes:
        missing = inflated < header.raw_bytes
        raise DamagedError("rows are missing" if missing else "too many rows")
    if not inflater.eof:
        raise DamagedError("its stream has no end")
    if inflater.unused_data:
        raise DamagedError("data after its stream")
