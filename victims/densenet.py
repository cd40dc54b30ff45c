"""DenseNet-BC-40 and 100 with growth rate 12 (Huang et al. 2017) on the three input spaces.

From timm's `DenseNet`: three blocks of (depth - 4) / 6 layers, 24 initial features, compression
0.5, bottleneck 4 k, the ImageNet stem (7 x 7 stride 2, max-pool) as in the authors' later code.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from timm.models.densenet import DenseNet
from torch import nn

from bench.contract import VictimSpec
from bench.recipes import Recipe
from victims.convnet import ConvNetVictim

GROWTH_RATE = 12


def build_densenet(depth: int, classes: int, width: float) -> nn.Module:
    """A DenseNet-BC of three blocks whose growth rate is 12 times `width`."""
    layers = (depth - 4) // 6
    return DenseNet(  # type: ignore[no-any-return]
        growth_rate=round(GROWTH_RATE * width), block_config=(layers,) * 3, num_classes=classes
    )


def make(spec: VictimSpec, *, classes: Sequence[str], recipe: Recipe, depth: int) -> ConvNetVictim:
    """The victim of a spec, untrained."""
    return ConvNetVictim(
        spec,
        classes=classes,
        recipe=recipe,
        budget=recipe.classifiers["densenet"],
        build=partial(build_densenet, depth),
    )
