"""ConvNeXt (Liu et al. 2022) on prediction errors: a modern backbone, made for small patches.

From timm's `ConvNeXt`: stages of 1, 1, 3 and 1 blocks with the channels of ConvNeXt-T times a
recipe's width. Deviations: the stem takes squares of 2 pixels, not 4; residual branches start at
full strength, not at a millionth (layer scale); weights are drawn by their number of inputs, as
torch draws them, since timm's constant deviation of 0.02 starts narrow networks near zero. With
the last and half the rate, 400 steps on Set-A of `simcam-mini-v2` reached the loss of 700.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from timm.models.convnext import ConvNeXt
from torch import nn

from bench.contract import VictimSpec
from bench.recipes import Recipe
from victims.convnet import ConvNetVictim
from victims.specs import by_adamw

BLOCKS = (1, 1, 3, 1)
CHANNELS = (96, 192, 384, 768)


def build_convnext(classes: int, width: float) -> nn.Module:
    """A ConvNeXt whose channels are those of ConvNeXt-T times `width`."""
    network = ConvNeXt(
        num_classes=classes,
        depths=BLOCKS,
        dims=tuple(round(c * width) for c in CHANNELS),
        patch_size=2,
        ls_init_value=None,
        conv_mlp=True,
    )
    for part in network.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.reset_parameters()
    return network  # type: ignore[no-any-return]


class ConvNextVictim(ConvNetVictim):
    """A ConvNeXt behind an input space."""

    rewritable: ClassVar[
        tuple[str, ...]
    ] = ()  # it has no batch norm to fold, and bf16 is not measured

    def __init__(self, spec: VictimSpec, *, classes: Sequence[str], recipe: Recipe) -> None:
        super().__init__(
            spec,
            classes=classes,
            recipe=recipe,
            budget=by_adamw(recipe.classifiers["resnet"]),
            build=build_convnext,
        )
