"""A stranger's PNG, decoded only when its header says what the suite's images are."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.data.errors import DamagedError, UnusableError
from bench.data.png import END, RGB, SIGNATURE, read_png_header, require_whole
from bench.runner.challenge.problems import Kind

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
    if not data:
        raise RefusedError(EMPTY, "0 bytes")
    if not data.startswith(SIGNATURE):
        name = next((name for magic, name in OTHERS.items() if data.startswith(magic)), None)
        raise RefusedError(NOT_PNG, f"a {name}" if name else "unknown format")
    try:
        header = read_png_header(data)
        if header.colour != RGB:
            raise RefusedError(MODE, header.colour_name)
        if header.depth != 8:
            raise RefusedError(DEPTH, f"{header.depth} bits")
        if (header.width, header.height) != (side, side):
            found = f"{header.width} x {header.height}"
            raise RefusedError(SIZE, f"{found}, expected {side} x {side}")
        require_whole(data, header)
        if not data.endswith(END):
            raise RefusedError(DAMAGED, "data after its end")
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))
    except DamagedError as error:
        raise RefusedError(DAMAGED, error.how) from error
    except UnusableError as error:
        raise RefusedError(MODE, error.fault) from error
    except (OSError, SyntaxError, ValueError) as error:  # what no checksum tells
        raise RefusedError(DAMAGED, str(error) or type(error).__name__) from error
