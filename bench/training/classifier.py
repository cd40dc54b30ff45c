"""Training of convolutional attribution classifiers (Andrews et al. 2020, sections 3.3 and 4.3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.contract import FitContext
from bench.data import LabelledImages
from bench.nets.storage import round_as_stored
from bench.recipes import AdamWRecipe, ClassifierRecipe, EstimatorRecipe
from bench.training.loop import run_steps
from bench.training.patches import PatchSampler, grid_patches
from bench.types import FitReport

STEP_MILESTONES = (0.60, 0.77, 0.90)


def fit_classifier(
    label: str,
    network: nn.Module,
    stack: Tensor,
    data: LabelledImages,
    recipe: ClassifierRecipe,
    context: FitContext,
) -> FitReport:
    """Train `network` on D4-augmented, class-balanced patches with cross-entropy.

    Args:
        label: Shown with the progress.
        network: Maps (N, C, 64, 64) floats to logits; left in evaluation mode.
        stack: (N, C, H, W) what the network reads, image by image as in `data`: uint8 images
            (handed over in [0, 1]) or float residuals. See `open_stack`.
        data: Labels and partitions.
        recipe: Budget; SGD, or AdamW for an `AdamWRecipe`.
        context: Device, seed, progress.

    Returns:
        Training loss, and validation accuracy on patches and on whole images, in percent.
    """
    device = context.device
    network.to(device).train()
    labels = torch.from_numpy(data.labels).to(device)
    sampler = PatchSampler.of_training(data, (stack,), context)
    steps = sampler.steps(recipe)
    optimiser = _optimiser(network, recipe)
    schedule = rate_schedule(optimiser, recipe, steps)
    mixed = recipe.precision == "bf16"

    def step(index: int) -> dict[str, Tensor]:
        (patches,), targets = sampler.draw(recipe.batch)
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            logits = network(as_input(patches))
        loss = F.cross_entropy(logits.float(), targets)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        return {"loss": loss}

    with _first_in_fp32(network) if mixed else nullcontext():
        report = run_steps(
            label,
            steps,
            step,
            context=context,
            parts={"network": network, "optimiser": optimiser, "schedule": schedule},
            generator=sampler.generator,
        )
    if context.recipe.compact:
        round_as_stored(network)
    network.eval()
    held_out = torch.from_numpy(np.flatnonzero(data.validation))
    figures = {
        "validation_accuracy_percent": accuracy_percent(network, stack, labels, held_out),
        "validation_patch_accuracy_percent": accuracy_percent(
            network, stack, labels, held_out, patches=True
        ),
    }
    return replace(report, figures={**report.figures, **figures})


@contextmanager
def _first_in_fp32(network: nn.Module) -> Iterator[None]:
    """Keep the first convolution out of autocast: bf16 loses the last grey level of images."""
    first = next((part for part in network.modules() if isinstance(part, nn.Conv2d)), None)
    if first is None:
        yield
        return
    usual = first.forward

    def in_fp32(maps: Tensor) -> Tensor:
        with torch.autocast(maps.device.type, enabled=False):
            return usual(maps.float())

    first.forward = in_fp32  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        del first.forward


def as_input(batch: Tensor) -> Tensor:
    """Bring a batch to what networks read: uint8 images to [0, 1], residuals unchanged."""
    return batch.float() / 255 if batch.dtype == torch.uint8 else batch.float()


@torch.no_grad()
def accuracy_percent(
    network: nn.Module,
    stack: Tensor,
    labels: Tensor,
    chosen: Tensor,
    *,
    patches: bool = False,
    batch: int = 32,
) -> float:
    """Share of the `chosen` positions that `network` classifies correctly, in percent.

    Of a stack (N, C, H, W), wherever it lies, read `batch` images at a time; `network` is on the
    device of `labels` (N,). With `patches`, each 64 x 64 patch is classified by itself.
    """
    hits = total = 0
    for positions in torch.split(chosen, batch):
        images = stack[positions.to(stack.device)].to(labels.device)
        truth = labels[positions.to(labels.device)]
        if patches:
            count = len(images)
            images = grid_patches(images)
            truth = truth.repeat_interleave(len(images) // count)
        hits += int((network(as_input(images)).argmax(1) == truth).sum())
        total += len(truth)
    return 100.0 * hits / total


def _optimiser(network: nn.Module, recipe: ClassifierRecipe) -> torch.optim.Optimizer:
    """AdamW where the recipe asks for it, else SGD."""
    if not isinstance(recipe, AdamWRecipe):
        return torch.optim.SGD(
            network.parameters(),
            lr=recipe.lr,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            nesterov=False,
        )
    weights = list(network.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [w for w in weights if w.ndim > 1]},
        {"params": [w for w in weights if w.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups,
        lr=recipe.lr,
        betas=(recipe.momentum, 0.999),
        weight_decay=recipe.weight_decay,
    )


def rate_schedule(
    optimiser: torch.optim.Optimizer, recipe: ClassifierRecipe | EstimatorRecipe, steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """The learning rate over `steps`, one call of `step` after each."""
    if recipe.schedule == "fixed":
        return torch.optim.lr_scheduler.ConstantLR(optimiser, 1.0)
    if recipe.schedule == "one-cycle":
        return torch.optim.lr_scheduler.OneCycleLR(
            optimiser, recipe.lr, total_steps=steps + 1, cycle_momentum=False
        )
    milestones = [round(part * steps) for part in STEP_MILESTONES]
    return torch.optim.lr_scheduler.MultiStepLR(optimiser, milestones, gamma=0.1)
