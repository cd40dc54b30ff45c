"""What training is given beside its data."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from bench.recipes import Recipe
from bench.types import CamobenchError, FitReport, Progress, Silent

if TYPE_CHECKING:
    from bench.contract.victim import Victim


@dataclass(frozen=True, kw_only=True)
class Snapshots:
    """Where a training loop keeps its state, so that a killed run continues.

    Attributes:
        load: Returns the last saved state or `None`.
        save: Replaces it.
        every_s: Seconds between two saves.
    """

    load: Callable[[], dict[str, Any] | None] = lambda: None
    save: Callable[[dict[str, Any]], None] = lambda state: None
    every_s: float = 60.0


class ProbeDone(Exception):  # noqa: N818  # it ends a trial, nothing went wrong
    """Raised by a training loop that was only asked how long it would take.

    Args:
        steps: Optimiser steps in all.
        seconds_per_step: Of the steps that were tried.
    """

    def __init__(self, steps: int, seconds_per_step: float) -> None:
        super().__init__(f"{steps} steps of {seconds_per_step:.3g} s")
        self.steps, self.seconds_per_step = steps, seconds_per_step


def timed_fit(fit: Callable[[], FitReport]) -> FitReport:
    """Run an author's `fit`; its report states the time that it took, if it says less itself.

    Raises:
        CamobenchError: If it returns something else than a report.
    """
    began = time.monotonic()
    report = fit()
    if not isinstance(report, FitReport):
        raise CamobenchError(f"`fit` must return a FitReport, not a {type(report).__name__}")
    return replace(report, seconds=max(report.seconds, time.monotonic() - began))


@dataclass(frozen=True, kw_only=True)
class FitContext:
    """All that training may know beside its data.

    Attributes:
        surrogates: Frozen, differentiable victims trained on Set-B, by name, as the spec asks.
        label: What this training is called, if that says more than the name: the same network may
            be trained as a victim and as a surrogate.
        probe_steps: Do so many steps, raise `ProbeDone` and train nothing; 0 to train.
    """

    device: torch.device
    seed: int
    recipe: Recipe
    progress: Progress = field(default_factory=Silent)
    snapshots: Snapshots = field(default_factory=Snapshots)
    surrogates: Mapping[str, Victim] = field(default_factory=dict)
    label: str = ""
    probe_steps: int = 0
