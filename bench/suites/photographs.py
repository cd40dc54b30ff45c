"""A suite of real photographs, once it is known which photograph goes where.

Each photograph gives tiles, cut from the pixels as the camera stored them (never rotated). It is
decoded once for all its tiles, and few photographs are in memory at a time.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.data import ImageError, decode_rgb
from bench.suites.base import Row, SuiteCard
from bench.suites.jpeg_header import read_jpeg_header
from bench.suites.splitting import Placed
from bench.suites.tiling import most_tiles, tile_corners
from bench.types import SetName

Tile = tuple[Row, NDArray[np.uint8]]
Corners = Callable[[int, int, int, int], list[tuple[int, int]]]
_AHEAD = 2  # photographs in flight per worker


class PhotographSource:
    """Tiles of photographs on disk.

    Args:
        root: The folder that the paths of the photographs are relative to.
        card: What the suite is.
        placed: The photographs of all sets.
        tiles: Tiles a photograph in each set; smaller photographs give what fits.
        corners: Where the tiles lie, given width, height, side and count.
    """

    def __init__(
        self,
        root: Path,
        card: SuiteCard,
        placed: Sequence[Placed],
        tiles: Mapping[SetName, int],
        *,
        corners: Corners = tile_corners,
    ) -> None:
        self.root, self.card, self.placed, self.tiles = root, card, placed, tiles
        self.corners = corners

    def count(self, set_name: SetName) -> int:
        """Number of tiles in a set."""
        return sum(self._tile_count(place) for place in self.placed if place.set == set_name)

    def rows(self, set_name: SetName, workers: int, start: int = 0) -> Iterator[Tile]:
        """Yield the tiles of a set, photograph by photograph, decoded by `workers` threads.

        The first `start` tiles are left out, and photographs that give none but these not decoded.

        Raises:
            ImageError: If a photograph cannot be decoded, or is no longer what was scanned.
        """
        places = [place for place in self.placed if place.set == set_name]
        while places and start >= self._tile_count(places[0]):
            start -= self._tile_count(places.pop(0))
        yield from islice(self._cut_all(places, workers), start, None)

    def _tile_count(self, place: Placed) -> int:
        fit = most_tiles(place.photo.width, place.photo.height, self.card.image_px)
        return min(self.tiles[place.set], fit)

    def _cut_all(self, places: Sequence[Placed], workers: int) -> Iterator[Tile]:
        pending: deque[Future[list[Tile]]] = deque()
        pool = ThreadPoolExecutor(max(1, workers))  # decoding releases the interpreter's lock
        try:
            for place in places:
                pending.append(pool.submit(self._cut, place))
                if len(pending) >= max(1, workers) * _AHEAD:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _cut(self, place: Placed) -> list[Tile]:
        photo, side = place.photo, self.card.image_px
        data = self._read(place)
        pixels = decode_rgb(data, str(self.root / photo.path))
        header = read_jpeg_header(data)
        tiles = []
        for top, left in self.corners(photo.width, photo.height, side, self.tiles[place.set]):
            row = Row(
                image_id=f"{photo.path.stem}-{photo.sha256[:8]}-x{left:04d}-y{top:04d}",
                photo_id=photo.path.as_posix(),
                model=photo.model,
                device=photo.device,
                scene=photo.scene,
                set=place.set,
                split=place.split,
                partition=place.partition,
                sha256=photo.sha256,
                jpeg_tables=header.tables,
                jpeg_quality=header.quality,
                jpeg_subsampling=header.subsampling,
            )
            tiles.append((row, pixels[:, top : top + side, left : left + side].copy()))
        return tiles

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
