"""What a training is given beside its data, and what its report must be."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from bench.recipes import Recipe
from bench.store import digest
from bench.types import SILENT, CamobenchError, FitReport, Progress

if TYPE_CHECKING:
    from bench.contract.participant import Victim


@dataclass(frozen=True, kw_only=True)
class Snapshots:
    """Where a training loop keeps its state, so that a killed run continues.

    Attributes:
        load: Returns the last saved state or `None`.
        save: Replaces it: tensors, numbers, text, and lists, sets and dicts of them.
        every_s: Seconds between two saves.
    """

    load: Callable[[], dict[str, Any] | None] = lambda: None
    save: Callable[[dict[str, Any]], None] = lambda state: None
    every_s: float = 60.0


@dataclass(frozen=True, kw_only=True)
class FitContext:
    """All that training may know beside its data.

    Attributes:
        surrogates: Frozen, differentiable victims trained on Set-B, by name, as the spec asks.
        label: What this training is called, if that says more than the name: the same network may
            be trained as a victim and as a surrogate.
    """

    device: torch.device
    seed: int
    recipe: Recipe
    progress: Progress = SILENT
    snapshots: Snapshots = field(default_factory=Snapshots)
    surrogates: Mapping[str, Victim] = field(default_factory=dict)
    label: str = ""


def timed_fit(fit: Callable[[], FitReport]) -> FitReport:
    """Run an author's `fit`; its report states the time that it took, if it says less itself.

    Raises:
        CamobenchError: If it returns something else than a report of finite numbers.
    """
    began = time.monotonic()
    report = fit()
    if not isinstance(report, FitReport):
        raise CamobenchError(f"`fit` must return a FitReport, not a {type(report).__name__}")
    try:
        figures = {name: _number(value) for name, value in report.figures.items()}
        curves = {
            name: [(_number(step), _number(value)) for step, value in curve]
            for name, curve in report.curves.items()
        }
        digest([figures, curves])
    except Exception as error:
        raise CamobenchError(
            "`fit` must report finite numbers: figures by name, curves as lists of (step, value) "
            f"({error})"
        ) from error
    seconds = max(float(report.seconds), time.monotonic() - began)
    return replace(report, figures=figures, curves=curves, seconds=seconds)


def _number(value: Any) -> float:
    return float(value.detach() if isinstance(value, Tensor) else value)
