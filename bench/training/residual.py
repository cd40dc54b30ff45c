"""The residual estimator: a network that approximates the wavelet-Wiener residual (Eq. 6).

One is trained on Set-A and shared by all wdf victims, another on Set-B for the surrogates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.contract import FitContext
from bench.data import LabelledImages
from bench.nets.residual import ResidualEstimator
from bench.nets.storage import round_as_stored
from bench.recipes import RESIDUAL_NAME, EstimatorRecipe
from bench.signal.wavelet import wdf_residual
from bench.training.classifier import as_input, rate_schedule
from bench.training.loop import run_steps
from bench.training.patches import PatchSampler, open_stack
from bench.types import FitReport

SIGMA_255 = 5.0


@torch.no_grad()
def true_residuals(data: LabelledImages, device: torch.device, batch: int = 16) -> NDArray[Any]:
    """The `wdf-v1` residuals of whole images: (N, 3, H, W) float32 in grey levels.

    Computed on whole images, then cut into patches: level 4 of the wavelet transform reaches too
    far for a patch of 64 pixels. The set keeps them, so all jobs of a set compute them once.
    """

    def fill(values: NDArray[np.float32]) -> None:
        for start in range(0, len(values), batch):
            chunk = torch.from_numpy(np.array(data.images[start : start + batch])).to(device)
            residual = wdf_residual(chunk.float() / 255, SIGMA_255)
            values[start : start + batch] = residual.cpu().numpy()

    name = f"residual-{RESIDUAL_NAME}-{device.type}"
    return data.keep(name, data.images.shape, fill)


def without_residuals(data: LabelledImages, device: torch.device) -> NDArray[Any]:
    """The images less their `wdf-v1` residuals: (N, 3, H, W) float32 in units of [0, 1] images."""
    residuals = true_residuals(data, device)

    def fill(values: NDArray[np.float32]) -> None:
        for value, image, residual in zip(values, data.images, residuals, strict=True):
            value[:] = (image - residual) / 255

    name = f"without-{RESIDUAL_NAME}-{device.type}"
    return data.keep(name, data.images.shape, fill)


def fit_estimator(
    label: str,
    estimator: ResidualEstimator,
    data: LabelledImages,
    recipe: EstimatorRecipe,
    context: FitContext,
) -> FitReport:
    """Train `estimator` on patches with Adam and the squared error; left in evaluation mode.

    Returns:
        The loss (grey levels squared), and on the validation images the share of the residual's
        energy that the estimate explains, in percent.
    """
    device = context.device
    estimator.to(device).train()
    residuals = open_stack(true_residuals(data, device), device)
    images = open_stack(data.images, device)
    sampler = PatchSampler.of_training(data, (images, residuals), context)
    steps = sampler.steps(recipe)
    optimiser = torch.optim.Adam(
        estimator.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay
    )
    schedule = rate_schedule(optimiser, recipe, steps)

    def step(index: int) -> dict[str, Tensor]:
        (patches, truth), _ = sampler.draw(recipe.batch)
        loss = (estimator(as_input(patches)) - truth).square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(estimator.parameters(), recipe.clip_norm)
        optimiser.step()
        schedule.step()
        return {"loss": loss}

    report = run_steps(
        label,
        steps,
        step,
        context=context,
        parts={"network": estimator, "optimiser": optimiser, "schedule": schedule},
        generator=sampler.generator,
    )
    if context.recipe.compact:
        round_as_stored(estimator)
    estimator.eval()
    held_out = torch.from_numpy(np.flatnonzero(data.validation))
    explained = _explained(
        estimator,
        images[held_out.to(images.device)].to(device),
        residuals[held_out.to(residuals.device)].to(device),
    )
    figures = {**report.figures, "validation_explained_percent": explained}
    return replace(report, figures=figures)


@torch.no_grad()
def _explained(estimator: ResidualEstimator, images: Tensor, residuals: Tensor) -> float:
    missed = total = 0.0
    for chunk, truth in zip(torch.split(images, 16), torch.split(residuals, 16), strict=True):
        missed += float((estimator(as_input(chunk)) - truth).square().sum())
        total += float(truth.square().sum())
    return 100.0 * (1 - missed / total)
