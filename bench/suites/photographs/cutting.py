"""The tiles of photographs, once it is known which photograph goes where.

They are cut from the pixels as the camera stored them (never rotated), at offsets that are
multiples of 16: even, which keeps the colour filter array's grid, and on the grid of the JPEG's
blocks whatever its chroma subsampling. A photograph is decoded once for all its tiles, and few are
in memory at a time.
"""

from __future__ import annotations

import hashlib
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.data import ImageError, decode_rgb
from bench.processes import in_order
from bench.signal.thumbnail import signature, write_signature
from bench.suites.base import Images, Row, SuiteCard
from bench.suites.photographs.division import Placed
from bench.suites.photographs.jpeg_header import read_jpeg_header
from bench.suites.photographs.scan import Photo
from bench.types import SETS, SetName

Tile = tuple[Row, NDArray[np.uint8]]
ALIGN_PX = 16
_CORNER = re.compile(r"-x(\d{4,})-y(\d{4,})$")
_AHEAD = 2  # photographs in flight per worker


def most_tiles(width: int, height: int, side_px: int) -> int:
    """How many tiles a photograph holds."""
    return (width // side_px) * (height // side_px)


def tile_corners(width: int, height: int, side_px: int, count: int) -> list[tuple[int, int]]:
    """Spread tiles evenly over a photograph; one tile is central.

    Args:
        width: Of the photograph, at least `side_px`.
        height: Likewise.
        side_px: Side of the tiles, a multiple of 16.
        count: How many; fewer where they do not fit.

    Returns:
        (top, left) of non-overlapping tiles, row by row.
    """
    least = min(count, most_tiles(width, height, side_px))
    grids = ((rows, math.ceil(least / rows)) for rows in range(1, height // side_px + 1))
    rows, columns = min(  # the cells that are as square as can be
        (grid for grid in grids if grid[1] <= width // side_px),
        key=lambda grid: abs(math.log(width * grid[0] / (height * grid[1]))),
    )
    corners = [
        (_start(height, rows, row, side_px), _start(width, columns, column, side_px))
        for row in range(rows)
        for column in range(columns)
    ]
    middle = ((height - side_px) / 2, (width - side_px) / 2)
    return sorted(sorted(corners, key=lambda corner: math.dist(corner, middle))[:count])


def _start(length: int, cells: int, cell: int, side_px: int) -> int:
    """Offset of a tile in the middle of its cell, rounded down to the alignment."""
    return ((2 * cell + 1) * length - cells * side_px) // (2 * cells) // ALIGN_PX * ALIGN_PX


def central_corner(width: int, height: int, side_px: int) -> tuple[int, int]:
    """(top, left) of a tile as central as even offsets allow."""
    return (height - side_px) // 4 * 2, (width - side_px) // 4 * 2


def tile_of(image_id: str) -> str:
    """Where a tile lies in its photograph, as its name says; nothing where it does not."""
    found = _CORNER.search(image_id)
    return found[0] if found else ""


def cut_again(frame: NDArray[np.uint8], tile: str, side_px: int) -> NDArray[np.uint8]:
    """Cut the tile that `tile_of` names out of another frame; one without a name is central.

    Raises:
        ImageError: If the frame is too small.
    """
    height, width = frame.shape[1:]
    top, left = central_corner(width, height, side_px)
    if found := _CORNER.fullmatch(tile):
        left, top = map(int, found.groups())
    cut = frame[:, max(top, 0) : top + side_px, max(left, 0) : left + side_px]
    if cut.shape[1:] != (side_px, side_px):
        raise ImageError(f"a frame of {width} x {height} pixels does not hold the tile {tile}")
    return cut


class PhotographSource(ABC):
    """A suite of tiles of photographs on disk.

    Attributes:
        root: The folder that the paths of the photographs are relative to.
    """

    root: Path

    @property
    @abstractmethod
    def card(self) -> SuiteCard:
        """What the suite is."""

    @property
    @abstractmethod
    def placed(self) -> Sequence[Placed]:
        """The photographs of all sets."""

    @property
    def tiles(self) -> Mapping[SetName, int]:
        """Tiles a photograph in each set; smaller photographs give what fits."""
        return dict.fromkeys(SETS, 1)

    def corners(self, photo: Photo, count: int) -> list[tuple[int, int]]:
        """Where `count` tiles of a photograph lie."""
        return tile_corners(photo.width, photo.height, self.card.image_px, count)

    def count(self, set_name: SetName) -> int:
        """Number of tiles in a set."""
        return sum(self._tile_count(place) for place in self.placed if place.set == set_name)

    def rows(self, set_name: SetName, workers: int, start: int = 0) -> Images:
        """Yield the tiles of a set, photograph by photograph, decoded by `workers` threads.

        The first `start` tiles are left out, and photographs that give none but these not decoded.

        Raises:
            ImageError: If a photograph cannot be decoded, or is no longer what was scanned.
        """
        places = [place for place in self.placed if place.set == set_name]
        while places and start >= self._tile_count(places[0]):
            start -= self._tile_count(places.pop(0))
        pool = ThreadPoolExecutor(max(1, workers))  # decoding releases the interpreter's lock
        cut = in_order(pool, self._cut, places, max(1, workers) * _AHEAD)
        yield from islice((tile for tiles in cut for tile in tiles), start, None)

    def _tile_count(self, place: Placed) -> int:
        fit = most_tiles(place.photo.width, place.photo.height, self.card.image_px)
        return min(self.tiles[place.set], fit)

    def _cut(self, place: Placed) -> list[Tile]:
        photo, side = place.photo, self.card.image_px
        data = self._read(place)
        pixels = decode_rgb(data, str(self.root / photo.path))
        told = {
            "photo_id": photo.path.as_posix(),
            "model": photo.model,
            "device": photo.device,
            "scene": photo.scene,
            "set": place.set,
            "split": place.split,
            "partition": place.partition,
            "sha256": photo.sha256,
            **read_jpeg_header(data),
            "look": write_signature(signature(pixels)),
        }
        name = f"{photo.path.stem}-{photo.sha256[:8]}"
        return [
            (
                Row(image_id=f"{name}-x{left:04d}-y{top:04d}", **told),
                pixels[:, top : top + side, left : left + side].copy(),
            )
            for top, left in self.corners(photo, self.tiles[place.set])
        ]

    def _read(self, place: Placed) -> bytes:
        path = self.root / place.photo.path
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ImageError(f"{path}: cannot be read ({error.strerror})") from error
        if hashlib.sha256(data).hexdigest() != place.photo.sha256:
            raise ImageError(
                f"{path} has changed since the folder was scanned; run the same command again"
            )
        return data
