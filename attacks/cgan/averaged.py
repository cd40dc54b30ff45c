"""A generator in training, and the running average of its weights that is kept of it."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from bench.contract import FitContext
from bench.data import AdversarySet
from bench.nets.storage import round_as_stored
from bench.training.loop import Stateful
from bench.types import FitReport


class AveragedGenerator:
    """Adam on a copy of a generator, the `player`; the generator itself becomes the average.

    The generator is on its device, and left in evaluation mode. With `cosine`, the rate is annealed
    to zero in all `steps`; a `decay` of 0 keeps the last weights.
    """

    def __init__(
        self,
        generator: nn.Module,
        steps: int,
        *,
        lr: float,
        beta1: float,
        cosine: bool,
        decay: float,
    ) -> None:
        self.player = copy.deepcopy(generator).train()
        self.average, self.decay = generator.eval(), decay
        self.adam = adam(self.player, lr, beta1)
        self.schedule = annealing(self.adam, steps, cosine)

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """What a snapshot of the training holds."""
        return {
            "player": self.player,
            "average": self.average,
            "adam_g": self.adam,
            "schedule_g": self.schedule,
        }

    def follow(self, loss: Tensor, index: int) -> None:
        """Do the optimiser step `index`, 0-based."""
        self.adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        self.schedule.step()
        _average_into(self.average, self.player, min(self.decay, (index + 1) / (index + 10)))


def adam(network: nn.Module, lr: float, beta1: float) -> torch.optim.Adam:
    """Adam, fused where it can be."""
    weights = list(network.parameters())
    return torch.optim.Adam(weights, lr, (beta1, 0.999), fused=weights[0].device.type == "cuda")


def annealing(
    optimiser: torch.optim.Optimizer, steps: int, cosine: bool
) -> torch.optim.lr_scheduler.LRScheduler:
    """Half a cosine down to zero, or a fixed rate."""
    if cosine:
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    return torch.optim.lr_scheduler.ConstantLR(optimiser, 1.0)


def rounded(images: Tensor) -> Tensor:
    """Clip and round to 8 bits, with the gradient of the identity where nothing was clipped."""
    clipped = images.clamp(0, 1)
    return clipped + ((clipped * 255).round() / 255 - clipped).detach()


@torch.no_grad()
def _average_into(average: nn.Module, current: nn.Module, decay: float) -> None:
    state = current.state_dict()
    for name, value in average.state_dict().items():
        if value.is_floating_point():
            value.lerp_(state[name], 1 - decay)
        else:
            value.copy_(state[name])


@torch.no_grad()
def validated(attack: Any, report: FitReport, data: AdversarySet, context: FitContext) -> FitReport:
    """Round an attack's trained generator as it is stored, and see to validation images.

    Returns:
        The report with PSNR and each surrogate's TASR, or UASR of an untargeted attack, in percent.
    """
    if context.recipe.compact:
        round_as_stored(attack.generator)
    targeted, classes = attack.spec.targeted, len(data.classes)
    images = torch.from_numpy(data.images[data.validation]).to(context.device)
    labels = torch.from_numpy(data.labels[data.validation]).to(context.device)
    squared, hits, count = 0.0, dict.fromkeys(context.surrogates, 0), 0
    for chunk, sources in zip(torch.split(images, 8), torch.split(labels, 8), strict=True):
        for shift in range(1, classes) if targeted else [0]:
            targets = (sources + shift) % classes
            made = attack(chunk, targets)
            squared += float((made.float() - chunk.float()).square().mean((1, 2, 3)).sum())
            count += len(chunk)
            for name, surrogate in context.surrogates.items():
                found = surrogate(made / 255).argmax(1)
                hits[name] += int((found == targets if targeted else found != sources).sum())
    rate = "tasr" if targeted else "uasr"
    figures = {f"validation_{rate}_{name}_percent": 100 * n / count for name, n in hits.items()}
    figures["validation_psnr_db"] = 10 * math.log10(255**2 / max(squared / count, 1e-12))
    return replace(report, figures={**report.figures, **figures})
