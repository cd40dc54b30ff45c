"""DenseNet-BC-40 and 100 with growth rate 12 (Huang et al. 2017) on the three input spaces.

From timm's `DenseNet`: three blocks of (depth - 4) / 6 layers, 24 initial features, compression
0.5, bottleneck 4 k, the ImageNet stem (7 x 7 stride 2, max-pool) as in the authors' later code.
"""

from __future__ import annotations

from functools import partial

from timm.models.densenet import DenseNet
from torch import nn

from victims.convnet import entries

GROWTH_RATE = 12
DEPTHS = {"densenet40": 40, "densenet100": 100}


def build_densenet(depth: int, classes: int, width: float) -> nn.Module:
    """A DenseNet-BC of three blocks whose growth rate is 12 times `width`."""
    layers = (depth - 4) // 6
    return DenseNet(  # type: ignore[no-any-return]
        growth_rate=round(GROWTH_RATE * width), block_config=(layers,) * 3, num_classes=classes
    )


ENTRIES = entries(
    {name: partial(build_densenet, depth) for name, depth in DEPTHS.items()}, "densenet"
)
