"""ResNet-12, 18 and 34 (He et al. 2016) on residual, prediction-error and image space.

From timm's `ResNet` with basic blocks and the paper's stem (7 x 7 stride 2, max-pool). The paper
does not say what ResNet-12 is: here basic blocks (1, 1, 1, 2), twelve weighted layers with stem and
head.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from timm.models.resnet import BasicBlock, ResNet
from torch import nn

from bench.contract import VictimSpec
from bench.recipes import Recipe
from victims.convnet import ConvNetVictim
from victims.specs import budget

CHANNELS = (64, 128, 256, 512)


def build_resnet(
    blocks: tuple[int, ...], classes: int, width: float, in_channels: int = 3
) -> nn.Module:
    """A ResNet of basic blocks whose channels are the paper's times `width`."""
    channels = tuple(round(c * width) for c in CHANNELS)
    network = ResNet(
        BasicBlock, blocks, num_classes=classes, in_chans=in_channels, channels=channels
    )
    if channels[0] != CHANNELS[0]:  # timm fixes the stem at 64 channels
        network.conv1 = nn.Conv2d(in_channels, channels[0], 7, stride=2, padding=3, bias=False)
        network.bn1 = nn.BatchNorm2d(channels[0])
        network.layer1[0] = BasicBlock(channels[0], channels[0])
        network.init_weights(zero_init_last=True)
    return network  # type: ignore[no-any-return]


def make(
    spec: VictimSpec, *, classes: Sequence[str], recipe: Recipe, blocks: tuple[int, ...]
) -> ConvNetVictim:
    """The victim of a spec, untrained."""
    return ConvNetVictim(
        spec,
        classes=classes,
        recipe=recipe,
        budget=budget(spec, recipe.classifiers["resnet"]),
        build=partial(build_resnet, blocks, in_channels=9 if spec.front_end == "img-fd" else 3),
    )
