"""The conventional training loop that ours is measured against; a test freezes what it does.

How most repositories train on patches: a `DataLoader` whose workers open one image file per item,
crop a 64 x 64 patch from it, turn it by one of the eight symmetries of the square and bring it to
[0, 1] as torchvision's ToTensor does; a `WeightedRandomSampler` that draws classes equally often
(Andrews et al. 2020, section 4.3); fp32, contiguous tensors, SGD, and PyTorch's defaults for all
that nobody sets. It draws the same patches with the same probabilities as `PatchSampler`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler

from bench.checks import PATCH_PX
from bench.recipes import ClassifierRecipe
from bench.training.classifier import rate_schedule

ARRAY_SUFFIX = ".npy"


class PatchFiles(Dataset[tuple[Tensor, int]]):
    """One random patch, randomly turned, of one file per item.

    Args:
        files: Photographs in any format that Pillow opens, or `.npy` files of (H, W, C) float
            residuals.
        labels: (N,) int64, one a file.
    """

    def __init__(self, files: Sequence[Path], labels: NDArray[np.int64]) -> None:
        self.files, self.labels = tuple(files), labels

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        pixels = _open(self.files[index])
        rows, columns = pixels.shape[0] // PATCH_PX, pixels.shape[1] // PATCH_PX
        top = PATCH_PX * int(torch.randint(rows, ()))
        left = PATCH_PX * int(torch.randint(columns, ()))
        patch = pixels[top : top + PATCH_PX, left : left + PATCH_PX]
        if torch.rand(()) < 0.5:
            patch = patch[:, ::-1]
        if torch.rand(()) < 0.5:
            patch = patch[::-1]
        if torch.rand(()) < 0.5:
            patch = patch.swapaxes(0, 1)
        tensor = torch.from_numpy(np.ascontiguousarray(patch.transpose(2, 0, 1)))
        scaled = tensor.float().div(255) if tensor.dtype == torch.uint8 else tensor
        return scaled, int(self.labels[index])


def _open(path: Path) -> NDArray[np.uint8] | NDArray[np.float32]:
    """(H, W, C) values of a file."""
    if path.suffix == ARRAY_SUFFIX:
        residual: NDArray[np.float32] = np.load(path, mmap_mode="r")
        return residual
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def patch_loader(
    files: Sequence[Path],
    labels: NDArray[np.int64],
    *,
    batch: int,
    steps: int,
    workers: int,
    device: torch.device,
    seed: int = 0,
) -> DataLoader[tuple[Tensor, int]]:
    """`steps` batches of (batch, C, 64, 64) patches in [0, 1] and their (batch,) labels."""
    weights = 1.0 / np.bincount(labels)[labels]
    generator = torch.Generator().manual_seed(seed)
    sampler = WeightedRandomSampler(weights.tolist(), batch * steps, generator=generator)
    return DataLoader(
        PatchFiles(files, labels),
        batch_size=batch,
        sampler=sampler,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        generator=generator,
    )


def loop_steps(
    network: nn.Module,
    batches: Iterator[tuple[Tensor, Tensor]],
    recipe: ClassifierRecipe,
    steps: int,
    device: torch.device,
) -> Iterator[Tensor]:
    """Train `network` on `steps` of `batches` in fp32; yields each step's loss."""
    network.to(device).train()
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=recipe.lr,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    schedule = rate_schedule(optimiser, recipe, steps)
    for _ in range(steps):
        patches, labels = next(batches)
        patches = patches.to(device, non_blocking=True)
        labels = labels.to(device, non_blocking=True)
        loss = F.cross_entropy(network(patches), labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        yield loss.detach()
