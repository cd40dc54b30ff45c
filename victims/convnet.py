"""What convolutional victims share: input spaces in front of any backbone.

Andrews et al. (2020), sections 3.3 and 4.2. `img` sees the image, `pef` learns prediction-error
filters, `wdf` reads a wavelet noise residual: trained on true residuals, run on estimated ones.
Two further ones are of the authors' second version (Cama, ECCV workshops 2020): `hpf` is one map by
a fixed high-pass filter, `fd` six maps of finite differences (`bench.nets.fixed_filters`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.contract import FitContext, Victim, VictimSpec
from bench.data import AdversarySet, ExaminerSet
from bench.nets.constrained import ConstrainedConv2d
from bench.nets.fixed_filters import FiniteDifferences, HighPass
from bench.nets.johnson import channels_last
from bench.recipes import ClassifierRecipe, Recipe
from bench.training.classifier import fit_classifier
from bench.training.patches import open_stack
from bench.training.residual import true_residuals
from bench.types import FitReport, Json, as_json

UNIT_LEVELS = 5.0
"""Residuals and prediction errors reach a backbone in units of this many grey levels."""
FILTERS: Mapping[str, Callable[[], nn.Module]] = {
    "pef": ConstrainedConv2d,
    "hpf": HighPass,
    "fd": FiniteDifferences,
}
"""What stands between an image in grey levels and a backbone."""


class ConvNetVictim(Victim):
    """A backbone behind one of the input spaces.

    Args:
        spec: Its front-end is "wdf", one of `FILTERS`, or else the image itself.
        classes: Camera models by name.
        recipe: Training budget.
        budget: How the recipe trains such a backbone.
        build: Makes the backbone from (classes, width factor).
    """

    shared_prefixes: ClassVar[tuple[str, ...]] = ("estimator.",)
    rewritable: ClassVar[tuple[str, ...]] = ("network",)

    def __init__(
        self,
        spec: VictimSpec,
        *,
        classes: Sequence[str],
        recipe: Recipe,
        budget: ClassifierRecipe,
        build: Callable[[int, float], nn.Module],
    ) -> None:
        super().__init__(spec, classes=classes, recipe=recipe)
        self.budget = budget
        self.filters = FILTERS[spec.front_end]() if spec.front_end in FILTERS else None
        self.network = build(len(classes), budget.width)
        self.to(memory_format=torch.channels_last)
        self.estimator: nn.Module | None = None
        self._estimator_digest: str | None = None

    @property
    def hyperparameters(self) -> Mapping[str, Json]:
        """The classifier's training budget."""
        return {"classifier": as_json(self.budget)}

    @property
    def frontend_digest(self) -> str | None:
        """The residual estimator's digest: all wdf victims of one set share it."""
        return self._estimator_digest

    def attach(self, residual_estimator: nn.Module, digest: str | None) -> None:
        """Receive the residual estimator."""
        self.estimator, self._estimator_digest = residual_estimator, digest

    def frontend(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> estimated residual in grey levels (wdf) or the images."""
        if self.spec.residual is None:
            return images
        if self.estimator is None:
            raise RuntimeError(f"{self.spec.name}: no residual estimator attached")
        out: Tensor = self.estimator(images)
        return out

    def backbone(self, features: Tensor) -> Tensor:
        """Residuals in grey levels (wdf) or images in [0, 1] -> (N, C) logits."""
        features = channels_last(features)
        if self.spec.residual is not None:
            features = features / UNIT_LEVELS
        elif self.filters is not None:
            features = self.filters(features * (255 / UNIT_LEVELS))
        else:
            features = (features - 0.5) * 4
        out: Tensor = self.network(features)
        return out

    def fit(self, data: ExaminerSet | AdversarySet, context: FitContext) -> FitReport:
        """Train on patches; the wdf front-end is already trained and not touched."""
        device = context.device
        array = data.images if self.spec.residual is None else true_residuals(data, device)
        stack = open_stack(array, device)
        return fit_classifier(self.spec.name, _Backbone(self), stack, data, self.budget, context)


class _Backbone(nn.Module):
    """The trained part of a victim, as a network that a training loop can own."""

    def __init__(self, victim: ConvNetVictim) -> None:
        super().__init__()
        self.filters, self.network = victim.filters, victim.network
        self._run = victim.backbone

    def forward(self, features: Tensor) -> Tensor:
        return self._run(features)
