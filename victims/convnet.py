"""What convolutional victims share: input spaces in front of any backbone.

Andrews et al. (2020), sections 3.3 and 4.2. `img` sees the image, `pef` learns prediction-error
filters, `wdf` reads a wavelet noise residual: trained on true residuals, run on estimated ones.
Four more are from the second version of that paper (Cama, ECCV workshops 2020): `low` reads the
image without its residual, `img-fd` the image beside its finite differences, `fd` these alone,
`hpf` one map by a fixed high-pass filter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.contract import FitContext, Victim, VictimSpec
from bench.data import AdversarySet, ExaminerSet
from bench.nets.filters import ConstrainedConv2d, HighPass, beside_differences, differences
from bench.nets.johnson import channels_last
from bench.recipes import ClassifierRecipe, Recipe
from bench.training.classifier import fit_classifier
from bench.training.patches import open_stack
from bench.training.residual import true_residuals, without_residuals
from bench.types import FitReport

UNIT_LEVELS = 5.0
"""Residuals and prediction errors reach a backbone in units of this many grey levels."""
FILTERS: Mapping[str, Callable[[], Callable[[Tensor], Tensor]]] = {
    "pef": ConstrainedConv2d,
    "hpf": HighPass,
    "fd": lambda: differences,
}
"""What stands between an image in grey levels and a backbone."""


class ConvNetVictim(Victim):
    """A backbone behind one of the input spaces.

    Its spec's front-end is "wdf", "low", "img-fd", one of `FILTERS`, or else the image itself;
    `build` makes the backbone from (classes, width factor), and `budget` is how it is trained.
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
    def frontend_digest(self) -> str | None:
        """The residual estimator's digest: all wdf victims of one set share it."""
        return self._estimator_digest if self.spec.front_end == "wdf" else None

    def attach(self, residual_estimator: nn.Module, digest: str | None) -> None:
        """Receive the residual estimator."""
        self.estimator, self._estimator_digest = residual_estimator, digest

    def frontend(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> estimated residual in grey levels (wdf) or images."""
        if self.spec.residual is None:
            return images
        if self.estimator is None:
            raise RuntimeError(f"{self.spec.name}: no residual estimator attached")
        residual: Tensor = self.estimator(images)
        return residual if self.spec.front_end == "wdf" else images - residual / 255

    def backbone(self, features: Tensor) -> Tensor:
        """Residuals in grey levels (wdf) or images in [0, 1] -> (N, C) logits."""
        features = channels_last(features)
        if self.spec.front_end == "wdf":
            features = features / UNIT_LEVELS
        elif self.filters is not None:
            features = self.filters(features * (255 / UNIT_LEVELS))
        else:
            features = (features - 0.5) * 4
            if self.spec.front_end == "img-fd":
                features = beside_differences(features, 255 / UNIT_LEVELS / 4)
        out: Tensor = self.network(features)
        return out

    def fit(self, data: ExaminerSet | AdversarySet, context: FitContext) -> FitReport:
        """Train on patches; the wdf front-end is already trained and not touched."""
        device = context.device
        derived = {"wdf": true_residuals, "low": without_residuals}.get(self.spec.front_end)
        stack = open_stack(data.images if derived is None else derived(data, device), device)
        return fit_classifier(self.spec.name, _Backbone(self), stack, data, self.budget, context)


class _Backbone(nn.Module):
    """The trained part of a victim, as a network that a training loop can own."""

    def __init__(self, victim: ConvNetVictim) -> None:
        super().__init__()
        self.filters, self.network = victim.filters, victim.network
        self._run = victim.backbone

    def forward(self, features: Tensor) -> Tensor:
        return self._run(features)
