"""SPAM: how pixel differences follow each other (Pevny, Bas & Fridrich 2010).

*Steganalysis by Subtractive Pixel Adjacency Matrix*, IEEE TIFS 5(2), 215-224: the second-order
Markov chain with T = 3, 686 features of a grey image. These are the paper's transition
probabilities; the authors' later program (DDE Lab, 2011) takes joint ones, and counts larger
differences as T, which makes other features. Checked against a walk from pixel to pixel.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

T = 3
VALUES = 2 * T + 1
STRAIGHT = ((0, 1), (1, 0))
DIAGONAL = ((1, 1), (1, -1))
"""Steps (rows, columns); their opposites need no second pass."""
FEATURES = 2 * VALUES**3
"""Of one plane: 686."""


def spam_features(planes: Tensor) -> Tensor:
    """Second-order SPAM features of each plane.

    With D = I(p) - I(p + step) along a step, entry (u, v, w) is Pr(D(p + 2 step) = u | D(p + step)
    = v, D(p) = w) for u, v, w from -T to T, and 0 where the condition never occurs. The
    first half is the mean over the four straight directions, the second over the four diagonal
    ones.

    Args:
        planes: (N, H, W) whole grey levels, of any integer type, sides of at least 4 pixels.

    Returns:
        (N, 686) float64 probabilities, u slowest, w fastest.
    """
    levels = planes.to(torch.int32)
    halves = []
    for steps in (STRAIGHT, DIAGONAL):
        ways = []
        for step in steps:
            there = _counts(levels, step)  # N, w, v, u
            back = there.flip(1, 2, 3).transpose(1, 3)  # differences change sign and order
            ways += [_transitions(there), _transitions(back)]
        halves.append(torch.stack(ways).mean(0).transpose(1, 3).flatten(1))  # N, u v w
    return torch.cat(halves, dim=1)


def _counts(levels: Tensor, step: tuple[int, int]) -> Tensor:
    """How often three consecutive differences are (w, v, u): (N, 7, 7, 7) int64."""
    rows, columns = step
    height, width = levels.shape[1] - 3 * abs(rows), levels.shape[2] - 3 * abs(columns)
    walk = []
    for k in range(4):
        y, x = k * rows, k * columns if columns >= 0 else (k - 3) * columns
        walk.append(levels[:, y : y + height, x : x + width].flatten(1))
    code = torch.zeros_like(walk[0])
    small = torch.ones_like(code, dtype=torch.bool)
    for here, beyond in pairwise(walk):
        difference = here - beyond
        small &= difference.abs() <= T
        code = code * VALUES + (difference + T)
    bins = VALUES**3 + 1  # the last one holds what is out of range
    code = torch.where(small, code, bins - 1)
    code = code + bins * torch.arange(len(code), device=code.device, dtype=code.dtype)[:, None]
    counted = torch.bincount(code.flatten(), minlength=bins * len(code)).view(-1, bins)
    return counted[:, :-1].reshape(-1, VALUES, VALUES, VALUES)


def _transitions(counts: Tensor) -> Tensor:
    """(N, w, v, u) counts -> probabilities of u, given v and w."""
    numbers = counts.cpu().double() if counts.device.type == "mps" else counts.double()
    return numbers / numbers.sum(3, keepdim=True).clamp(min=1)
