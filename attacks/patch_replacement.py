"""Patch replacement, after Entrieri & Kirchner 2016: an image rebuilt from other parts of itself.

Around every pixel the most similar patch of `side_px` is sought among those up to `reach_px` away
in rows and columns, but not closer than two pixels: sums of squared differences over the three
channels, an exhaustive search, of equal ones the first. A pixel becomes the mean of what the
patches that cover it were replaced by. No pixel is made of itself or its neighbours, so noise and
demosaicing phase are those of other places.

Deviation: an exhaustive search nearby, one patch for each, overlaps averaged; the paper's search
and its parameters are others. `side_px` and `reach_px` were chosen for their LPIPS on Set-B of
`simcam-mini-v2`, without asking a victim.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from attacks.parametric import ParametricAttack

NEAREST_PX = 2


class PatchReplacement(ParametricAttack):
    """Replace patches by similar ones from elsewhere in the image."""

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """(N, 3, H, W) -> (N, 3, H, W)."""
        side = self.constants["side_px"]
        levels = (images * 255).round().to(torch.int32)
        rows, columns = most_similar(levels, side, self.constants["reach_px"])
        return rebuilt(images, rows, columns, side)


def most_similar(levels: Tensor, side: int, reach: int) -> tuple[Tensor, Tensor]:
    """Where the most similar patch of every patch begins.

    Args:
        levels: (N, 3, H, W) int32 grey levels.
        side: Of a patch.
        reach: Of the search.

    Returns:
        Rows and columns, (N, H - side + 1, W - side + 1) each, by the patches' first pixels.
    """
    count, _, height, width = levels.shape
    down, across = height - side + 1, width - side + 1
    least = levels.new_full((count, down, across), torch.iinfo(torch.int32).max)
    rows = torch.arange(down, device=levels.device)[:, None].repeat(count, 1, across)
    columns = torch.arange(across, device=levels.device).repeat(count, down, 1)
    first_row, first_column = rows.clone(), columns.clone()
    for dy, dx in itertools.product(range(-reach, reach + 1), repeat=2):
        if max(abs(dy), abs(dx)) < NEAREST_PX:
            continue
        here, there = _overlap(levels, dy, dx)
        squares = (levels[..., *here] - levels[..., *there]).square().sum(1, dtype=torch.int32)
        apart = _box_sums(squares, side)
        top, left = here[0].start, here[1].start
        part = (..., slice(top, top + apart.shape[-2]), slice(left, left + apart.shape[-1]))
        better = apart < least[part]
        least[part] = torch.where(better, apart, least[part])
        rows[part] = torch.where(better, first_row[part] + dy, rows[part])
        columns[part] = torch.where(better, first_column[part] + dx, columns[part])
    return rows, columns


def rebuilt(images: Tensor, rows: Tensor, columns: Tensor, side: int) -> Tensor:
    """Every pixel as the mean of what the patches that cover it were replaced by."""
    count, channels, _, width = images.shape
    flat, total, covered = images.flatten(2), torch.zeros_like(images), torch.zeros_like(images)
    for y, x in itertools.product(range(side), repeat=2):
        place = ((rows + y) * width + columns + x).flatten(1)[:, None].expand(-1, channels, -1)
        part = (..., slice(y, y + rows.shape[1]), slice(x, x + rows.shape[2]))
        total[part] += flat.gather(2, place).view(count, channels, *rows.shape[1:])
        covered[part] += 1
    return total / covered


def _overlap(levels: Tensor, dy: int, dx: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where the image overlaps with itself moved by (dy, dx): here, and there."""
    height, width = levels.shape[-2:]
    here = (slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx)))
    there = (slice(max(0, dy), height - max(0, -dy)), slice(max(0, dx), width - max(0, -dx)))
    return here, there


def _box_sums(values: Tensor, side: int) -> Tensor:
    """(N, H, W) -> (N, H - side + 1, W - side + 1)."""
    down, across = values.shape[-2] - side + 1, values.shape[-1] - side + 1
    rows = torch.stack([values[..., y : y + down, :] for y in range(side)]).sum(0)
    return torch.stack([rows[..., x : x + across] for x in range(side)]).sum(0)
