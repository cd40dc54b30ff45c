"""MISLnet (Bayar & Stamm 2018), the constrained network of its authors' laboratory.

*Constrained Convolutional Neural Networks: A New Approach Towards General Purpose Image
Manipulation Detection*, IEEE Transactions on Information Forensics and Security 13(11): three
constrained filters of 5 x 5 on the green plane, convolutions of 7 x 7 (stride 2), 5 x 5, 5 x 5 and
1 x 1 with 96, 64, 64 and 128 channels, each with batch norm, tanh and pooling of 3 x 3 at stride 2
(the last by the mean, the others by the maximum), two dense layers of 200 with tanh, one of logits.

Deviations: an image is cut into patches of 64 pixels, not 256, whose logits are averaged, so that
the pooled maps are one pixel wide before the dense layers, not seven; channels and dense layers
times a recipe's width; trained as a recipe's ResNets are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn

from bench.contract import VictimSpec
from bench.nets.filters import ConstrainedConv2d
from bench.recipes import Recipe
from bench.training.patches import grid_patches
from victims.convnet import UNIT_LEVELS, ConvNetVictim

CONSTRAINED = 3
BLOCKS = ((96, 7, 2), (64, 5, 1), (64, 5, 1), (128, 1, 1))
"""Channels, side and stride of the convolutions behind the constrained one."""
DENSE = 200


def build_mislnet(classes: int, width: float) -> nn.Module:
    """(N, 1, 64, 64) patches of the green plane -> logits."""
    layers: list[nn.Module] = [ConstrainedConv2d(1, CONSTRAINED, 5)]
    channels = CONSTRAINED
    for paper_channels, side, stride in BLOCKS:
        before, channels = channels, round(paper_channels * width)
        layers += [
            nn.Conv2d(before, channels, side, stride=stride, padding=side // 2),
            nn.BatchNorm2d(channels),
            nn.Tanh(),
            nn.AvgPool2d(3, 2) if side == 1 else nn.MaxPool2d(3, 2),
        ]
    dense = round(DENSE * width)
    layers += [nn.Flatten(), nn.Linear(channels, dense), nn.Tanh(), nn.Linear(dense, dense)]
    return nn.Sequential(*layers, nn.Tanh(), nn.Linear(dense, classes))


class Mislnet(ConvNetVictim):
    """The mean of the logits of an image's patches."""

    rewritable: ClassVar[tuple[str, ...]] = ()  # its logits are of patches, whose margins differ

    def __init__(self, spec: VictimSpec, *, classes: Sequence[str], recipe: Recipe) -> None:
        super().__init__(
            spec,
            classes=classes,
            recipe=recipe,
            budget=recipe.classifiers["resnet"],
            build=build_mislnet,
        )

    def backbone(self, features: Tensor) -> Tensor:
        """(N, 3, H, W) images in [0, 1] -> (N, C) logits."""
        patches = grid_patches(features[:, 1:2]) * (255 / UNIT_LEVELS)  # N * P, 1, 64, 64
        logits: Tensor = self.network(patches)
        return logits.reshape(len(features), -1, len(self.classes)).mean(1)
