"""Photographs larger than a network should see at once: anonymised and attributed in tiles.

All offsets are multiples of 16 pixels: that keeps the colour filter array's cell, JPEG's blocks,
the wavelet's four levels and the networks' strides in phase.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from bench.checks import to_unit
from bench.contract import Attack, Victim
from bench.suites.photographs.cutting import most_tiles, tile_corners

GRID_PX = 16
WHOLE_PX = 2048
"""Longest side of a photograph that is worked on as a whole."""
ANONYMISED_PX = 1024
"""Side of what one tile contributes to an anonymised photograph, about."""
ATTRIBUTED_PX = 512
"""Side of the tiles that stand for a photograph when it is attributed."""


def anonymise_tiled(attack: Attack, images: Tensor, targets: Tensor | None) -> Tensor:
    """Anonymise large images tile by tile, with the pixels that one pass would give.

    A tile is cut with a margin of what the attack's spec states as its `reach_px`, and the margin
    is thrown away. An attack that states none sees every image whole, whatever its size.

    Args:
        attack: In evaluation mode.
        images: (N, 3, H, W) uint8.
        targets: (N,) int64, or `None` for an untargeted attack.

    Returns:
        (N, 3, H, W) uint8; networks may round a few values differently than in one pass.
    """
    reach = attack.spec.reach_px
    height, width = images.shape[-2:]
    if reach is None or max(height, width) <= WHOLE_PX:
        return attack(images, targets)
    margin = -(-reach // GRID_PX) * GRID_PX
    out = torch.empty_like(images)
    for top, bottom in cuts(height):
        for left, right in cuts(width):
            y, x = max(top - margin, 0), max(left - margin, 0)
            tile = images[..., y : bottom + margin, x : right + margin].contiguous()
            made = attack(tile, targets)
            out[..., top:bottom, left:right] = made[..., top - y : bottom - y, left - x : right - x]
    return out


def tiled_logits(victim: Victim, images: Tensor) -> Tensor:
    """Logits of images; of large ones the mean over tiles spread evenly over each.

    For a network that ends in average pooling and a linear layer, that is what it would say of the
    whole image, borders aside.

    Args:
        victim: In evaluation mode.
        images: (N, 3, H, W) uint8.

    Returns:
        (N, C).
    """
    tiles = [images] if max(images.shape[-2:]) <= WHOLE_PX else attributed_tiles(images)
    total, count = torch.zeros((), device=images.device), 0
    for tile in tiles:
        total = total + victim.checked_logits(to_unit(tile))
        count += 1
    return total / count


def attributed_tiles(images: Tensor) -> Iterator[Tensor]:
    """Cut as many tiles of `ATTRIBUTED_PX` as fit beside each other, evenly spread."""
    height, width = images.shape[-2:]
    side = min(ATTRIBUTED_PX, height, width) // GRID_PX * GRID_PX
    for y, x in tile_corners(width, height, side, most_tiles(width, height, side)):
        yield images[..., y : y + side, x : x + side].contiguous()


def cuts(size: int) -> list[tuple[int, int]]:
    """Cut a side into about equal parts of at most about `ANONYMISED_PX`."""
    parts = -(-size // ANONYMISED_PX)
    edges = [size * part // parts // GRID_PX * GRID_PX for part in range(parts)]
    return list(zip(edges, [*edges[1:], size], strict=True))
