"""Features that a small network learns of patches, and linear support vector machines on them.

Bondi, Baroffio, Güera, Bestagini, Delp & Tubaro, *First Steps Toward Camera Model Identification
with Convolutional Neural Networks*, IEEE Signal Processing Letters 24(3), 2017: four convolutions
of 4 x 4, 5 x 5, 5 x 5 and 5 x 5 with 32, 48, 64 and 128 channels, without activation, the first
three followed by max-pooling; a dense layer and its ReLU give 128 features of a patch of 64 x 64
pixels. The network is trained with a softmax layer behind them, the machines on what it then gives.

Deviations: one machine a class and the mean of its decisions over an image's patches, not one for
each pair and votes; grey levels are centred on 127.5, not on the mean patch; channels of the first
three convolutions times a recipe's width; trained by AdamW, in a recipe's steps for ResNets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from torch import Tensor, nn

from bench.contract import FitContext, VictimSpec
from bench.data import AdversarySet, ExaminerSet
from bench.recipes import Recipe
from bench.training.classifier import fit_classifier
from bench.training.patches import grid_patches, open_stack
from bench.types import FitReport, Json
from victims.specs import LINEAR_SVM, by_adamw
from victims.svm import SvmVictim

BLOCKS = ((32, 4), (48, 5), (64, 5))
"""Channels and side of the convolutions before the last."""
FEATURES = 128
SCALE = 255 * 0.0125


def build_network(width: float) -> nn.Module:
    """(N, 3, 64, 64) -> (N, 128): maps of 61, 31, 27, 14, 10, 5 and 1 pixels."""
    layers: list[nn.Module] = []
    channels = 3
    for paper_channels, side in BLOCKS:
        before, channels = channels, round(paper_channels * width)
        layers += [nn.Conv2d(before, channels, side), nn.MaxPool2d(2, 2, ceil_mode=True)]
    layers += [nn.Conv2d(channels, FEATURES, 5), nn.Flatten(), nn.Linear(FEATURES, FEATURES)]
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return nn.Sequential(*layers, nn.ReLU())


class BondiSvm(SvmVictim):
    """A machine a class on learnt features of each patch."""

    features: ClassVar[int] = FEATURES
    constants: ClassVar[Mapping[str, Json]] = LINEAR_SVM

    def __init__(self, spec: VictimSpec, *, classes: Sequence[str], recipe: Recipe) -> None:
        super().__init__(spec, classes=classes, recipe=recipe)
        self.budget = by_adamw(recipe.classifiers["resnet"])
        self.network = build_network(self.budget.width)
        self.softmax = nn.Linear(self.features, len(classes))

    def frontend(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> (N, P, 128) features of P patches."""
        patches = (grid_patches(images) - 0.5) * SCALE
        features: Tensor = self.network(patches)
        return features.float().reshape(len(images), -1, self.features)

    def fit(self, data: ExaminerSet | AdversarySet, context: FitContext) -> FitReport:
        """Train the network on patches of training images, then the machines on its features."""
        stack = open_stack(data.images, context.device)
        trained = fit_classifier(
            self.spec.name, _Classifier(self), stack, data, self.budget, context
        )
        fitted = super().fit(data, context)
        figures = {**fitted.figures, "loss": trained.figures["loss"]}
        seconds = trained.seconds + fitted.seconds
        return replace(fitted, figures=figures, curves=trained.curves, seconds=seconds)


class _Classifier(nn.Module):
    """The network with its softmax layer, as a training loop owns it."""

    def __init__(self, victim: BondiSvm) -> None:
        super().__init__()
        self.network, self.softmax = victim.network, victim.softmax
        self._features = victim.frontend

    def forward(self, patches: Tensor) -> Tensor:
        logits: Tensor = self.softmax(self._features(patches).mean(1))
        return logits
