"""Random training patches, drawn and augmented on the device: no Python per patch.

Andrews et al. (2020), section 4.3: non-overlapping 64 x 64 patches, the dihedral group D4,
class-weighted sampling of batch elements.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.checks import PATCH_PX
from bench.contract import FitContext
from bench.data import LabelledImages
from bench.training.loop import seeded_generator
from bench.types import CamobenchError

RESIDENT_SHARE = 0.6
"""Share of a device's free memory that a stack may take."""


def open_stack(array: NDArray[Any], device: torch.device) -> Tensor:
    """A (N, C, H, W) array as a stack to draw patches from, without a second copy in memory.

    On an accelerator it moves into the device's memory where it fits; else, and on the CPU, it
    stays where it is, be that a file, and patches are read as they are drawn.
    """
    stack = torch.from_numpy(array)
    if device.type == "cuda":
        torch.cuda.empty_cache()  # what a training before it took does not count as free
        free, _ = torch.cuda.mem_get_info(device)
        if stack.nbytes > RESIDENT_SHARE * free:
            return stack
    return stack.to(device)


class PatchSampler:
    """Draws class-balanced batches of patches from stacks of equal-sized images.

    Args:
        stacks: Each (N, C, H, W), uint8 or float; patches keep the type. Several stacks are cut and
            augmented alike (an image and its residual). They may lie on another device.
        labels: (N,) int64.
        generator: Source of randomness, on the device that patches are wanted on.
        subset: Positions of the images to draw from; all by default.

    Raises:
        CamobenchError: If the images are smaller than a patch.
    """

    def __init__(
        self,
        stacks: Sequence[Tensor],
        labels: Tensor,
        generator: torch.Generator,
        *,
        subset: Tensor | None = None,
    ) -> None:
        size = tuple(stacks[0].shape[-2:])
        rows, columns = (side // PATCH_PX for side in size)
        if rows == 0 or columns == 0:
            raise CamobenchError(
                f"images of {size} pixels are smaller than a patch of "
                f"{PATCH_PX} x {PATCH_PX}; use larger images"
            )
        self.stacks, self.generator = stacks, generator
        self.subset = torch.arange(len(labels), device=labels.device) if subset is None else subset
        self.labels = labels[self.subset]
        self.grid = (rows, columns)
        counts = torch.bincount(self.labels)
        self.weights = 1.0 / counts[self.labels].to(torch.float32)
        """Probability of each image up to scale: every class is drawn equally often."""

    @classmethod
    def of_training(
        cls, data: LabelledImages, stacks: Sequence[Tensor], context: FitContext
    ) -> PatchSampler:
        """Of images that are no validation images, drawn by the context's seed."""
        labels = torch.from_numpy(data.labels).to(context.device)
        train = torch.from_numpy(np.flatnonzero(~data.validation)).to(context.device)
        return cls(stacks, labels, seeded_generator(context), subset=train)

    def steps(self, budget: Any) -> int:
        """Optimiser steps of a budget that has `steps` or `epochs`, and a `batch`."""
        return int(budget.steps or math.ceil(budget.epochs * self.patches / budget.batch))

    @property
    def patches(self) -> int:
        """Non-overlapping patches in all images: the length of an epoch."""
        return len(self.labels) * self.grid[0] * self.grid[1]

    def draw(self, batch: int) -> tuple[list[Tensor], Tensor]:
        """Return (batch, C, 64, 64) patches, one tensor a stack, and their (batch,) labels."""
        chosen = torch.multinomial(self.weights, batch, replacement=True, generator=self.generator)
        rows, columns = self.grid
        place = self._integers(rows * columns, batch)
        top, left = place // columns * PATCH_PX, place % columns * PATCH_PX
        span = torch.arange(PATCH_PX, device=place.device)
        y = (top[:, None] + span)[:, None, :, None]  # N, 1, 64, 1
        x = (left[:, None] + span)[:, None, None, :]  # N, 1, 1, 64
        element = self._integers(8, batch)
        image = self.subset[chosen][:, None, None, None]
        patches = []
        for stack in self.stacks:
            channel = torch.arange(stack.shape[1], device=place.device)[None, :, None, None]
            where = (index.to(stack.device) for index in (image, channel, y, x))
            cut = stack[tuple(where)].to(place.device)
            patches.append(apply_d4(cut, element))
        return patches, self.labels[chosen]

    def _integers(self, high: int, count: int) -> Tensor:
        return torch.randint(high, (count,), generator=self.generator, device=self.generator.device)


def apply_d4(patches: Tensor, element: Tensor) -> Tensor:
    """Apply one of the eight symmetries of the square to each patch.

    Args:
        patches: (N, C, S, S).
        element: (N,) integers 0-7; bit 0 mirrors columns, bit 1 rows, bit 2 transposes.
    """
    mirrors: tuple[Callable[[Tensor], Tensor], ...] = (
        lambda p: p.flip(-1),
        lambda p: p.flip(-2),
        lambda p: p.transpose(-1, -2),
    )
    for bit, mirrored in enumerate(mirrors):
        mask = ((element >> bit) % 2 == 1)[:, None, None, None]
        patches = torch.where(mask, mirrored(patches), patches)
    return patches


def grid_patches(images: Tensor) -> Tensor:
    """Cut (N, C, H, W) images into (N * rows * columns, C, 64, 64) non-overlapping patches."""
    channels = images.shape[1]
    cut = images.unfold(2, PATCH_PX, PATCH_PX).unfold(3, PATCH_PX, PATCH_PX)
    return cut.permute(0, 2, 3, 1, 4, 5).reshape(-1, channels, PATCH_PX, PATCH_PX)
