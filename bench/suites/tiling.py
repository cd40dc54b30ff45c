"""Where the square tiles of a photograph lie.

Offsets are multiples of 16: even, which keeps the colour filter array's grid, and on the grid of
the JPEG's blocks whatever its chroma subsampling.
"""

from __future__ import annotations

import math

ALIGN_PX = 16


def most_tiles(width: int, height: int, side_px: int) -> int:
    """How many tiles a photograph holds."""
    return (width // side_px) * (height // side_px)


def tile_corners(width: int, height: int, side_px: int, count: int) -> list[tuple[int, int]]:
    """Spread tiles evenly over a photograph; one tile is central.

    Args:
        width: Of the photograph.
        height: Of the photograph.
        side_px: Side of the tiles, a multiple of 16.
        count: How many; fewer where they do not fit.

    Returns:
        (top, left) of non-overlapping tiles, row by row.

    Raises:
        ValueError: If `side_px` is not a multiple of 16, or larger than the photograph.
    """
    if side_px % ALIGN_PX:
        raise ValueError(f"expected `side_px` a multiple of {ALIGN_PX}, got {side_px}")
    if min(width, height) < side_px:
        raise ValueError(f"no tile of {side_px} pixels in {width} x {height}")
    rows, columns = _grid(width, height, side_px, min(count, most_tiles(width, height, side_px)))
    corners = [
        (_start(height, rows, row, side_px), _start(width, columns, column, side_px))
        for row in range(rows)
        for column in range(columns)
    ]
    middle = ((height - side_px) / 2, (width - side_px) / 2)
    return sorted(sorted(corners, key=lambda corner: math.dist(corner, middle))[:count])


def _grid(width: int, height: int, side_px: int, count: int) -> tuple[int, int]:
    """Rows and columns of at least `count` cells that are as square as can be."""
    fitting = [
        (rows, math.ceil(count / rows))
        for rows in range(1, height // side_px + 1)
        if math.ceil(count / rows) <= width // side_px
    ]
    return min(fitting, key=lambda grid: abs(math.log(width * grid[0] / (height * grid[1]))))


def _start(length: int, cells: int, cell: int, side_px: int) -> int:
    """Offset of a tile in the middle of its cell, rounded down to the alignment."""
    return ((2 * cell + 1) * length - cells * side_px) // (2 * cells) // ALIGN_PX * ALIGN_PX


def central_corner(width: int, height: int, side_px: int, count: int) -> list[tuple[int, int]]:
    """Place one tile as centrally as even offsets allow, whatever `count` is.

    Raises:
        ValueError: If `side_px` is larger than the photograph.
    """
    if min(width, height) < side_px:
        raise ValueError(f"no tile of {side_px} pixels in {width} x {height}")
    return [((height - side_px) // 4 * 2, (width - side_px) // 4 * 2)]
