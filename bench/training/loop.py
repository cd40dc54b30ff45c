"""The one loop under every training: progress, NaN checks, snapshots, resumption."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch

from bench.contract import FitContext
from bench.types import CamobenchError, FitReport


class Stateful(Protocol):
    """Anything that can be saved and restored."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed to continue."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Continue from `state_dict`."""


def seeded_generator(context: FitContext) -> torch.Generator:
    """A generator on the context's device, seeded by its seed."""
    return torch.Generator(context.device).manual_seed(context.seed * 1_000_003)


def _own_generator(device: torch.device) -> torch.Generator:
    if device.type != "cuda":
        return torch.default_generator
    return torch.cuda.default_generators[device.index or 0]


def run_steps(
    label: str,
    steps: int,
    step: Callable[[int], Mapping[str, torch.Tensor]],
    *,
    context: FitContext,
    parts: Mapping[str, Stateful],
    generator: torch.Generator,
    log_every: int = 20,
) -> FitReport:
    """Call `step(0 ... steps-1)`, which returns its losses, and keep their curves.

    The state of `parts`, of `generator` and of torch's own one is saved through `context.snapshots`
    from time to time; the same call then continues from there and ends with the same weights.

    Args:
        label: Shown with the progress, unless the context knows a better one.
        steps: Optimiser steps in all.
        step: Does one; returns named losses as scalars.
        context: Progress and snapshots.
        parts: Networks, optimisers and schedules that `step` changes.
        generator: What `step` draws from; layers such as dropout draw from torch's own.
        log_every: Steps averaged into one point of a curve.

    Raises:
        CamobenchError: If a loss is NaN or infinite; nothing further is saved then.
    """
    curves: dict[str, list[tuple[int, float]]] = {}
    first, spent, own = 0, 0.0, _own_generator(generator.device)
    saved = context.snapshots.load()
    # On another type of device, whose random numbers are others, it begins anew.
    if saved is not None and saved["generator"].shape == generator.get_state().shape:
        first, spent, curves = saved["step"], saved["seconds"], saved["curves"]
        generator.set_state(saved["generator"])
        own.set_state(saved.get("own", own.get_state()))
        for name, part in parts.items():
            part.load_state_dict(saved["parts"][name])
    label = context.label or label
    began = last_save = time.monotonic()
    sums: dict[str, torch.Tensor] = {}

    def save(next_step: int) -> None:
        context.snapshots.save(
            {
                "step": next_step,
                "seconds": spent + time.monotonic() - began,
                "curves": curves,
                "generator": generator.get_state(),
                "own": own.get_state(),
                "parts": {name: part.state_dict() for name, part in parts.items()},
            }
        )

    context.progress.start(label, steps, first)
    for index in range(first, steps):
        for name, value in step(index).items():
            sums[name] = sums.get(name, torch.zeros((), device=value.device)) + value.detach()
        if (index + 1) % log_every == 0 or index + 1 == steps:
            count = index % log_every + 1
            figures = {name: float(total) / count for name, total in sums.items()}
            _require_finite(figures, label, index)
            for name, figure in figures.items():
                curves.setdefault(name, []).append((index + 1, figure))
            sums = {}
            context.progress.advance(count, **figures)
            if time.monotonic() - last_save > context.snapshots.every_s and index + 1 < steps:
                save(index + 1)
                last_save = time.monotonic()
    context.progress.finish()
    return FitReport(
        figures={name: curve[-1][1] for name, curve in curves.items()},
        curves=curves,
        seconds=spent + time.monotonic() - began,
    )


def _require_finite(figures: Mapping[str, float], label: str, index: int) -> None:
    bad = [name for name, value in figures.items() if not abs(value) < float("inf")]
    if bad:
        raise CamobenchError(
            f"{label}: {', '.join(bad)} became NaN or infinite by step {index + 1}; "
            "lower the recipe's learning rate or try another --seed"
        )
