"""Any image classifier of timm (Wightman 2019) behind any input space, by name alone.

`timm:convnext_tiny/pef` is the victim `pef-timm-convnext-tiny`; other spaces than the paper's three
are `hpf` and `fd` (`victims.convnet`). Weights are drawn anew and trained
in a recipe's batches and steps, never downloaded. Networks with batch norm are trained as a
recipe's ResNets are; the others by AdamW, since SGD leaves them at chance (`convnext_atto`), and
where they read images their first kernels start without a response to flat areas: as timm draws
them, what tells cameras apart drowns in the scene (`test_convnext`, validation images of Set-B:
chance, against 98 %).
Before anything is trained a network is tried on images of several sizes, on torch's meta device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import ClassVar

import timm
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bench.checks import PATCH_PX
from bench.contract import Victim, VictimSpec
from bench.recipes import RESIDUAL_NAME, ClassifierRecipe, Recipe
from bench.registry import Entry, UnknownNameError
from bench.types import CamobenchError, Json, as_json
from bench.wording import unknown
from victims.convnet import ConvNetVictim
from victims.specs import FIXED_FRONT_ENDS, FRONT_ENDS, TIMM, by_adamw, longer

SIZES = ((PATCH_PX, PATCH_PX), (96, 160), (65, 97))
"""Heights and widths that a victim must take: a training patch, and images of any other size."""
GRID_PX = 32
FIRST_GAIN = 10.0
"""Texture is about that much fainter than the scene."""
OPTIONS: tuple[Mapping[str, bool], ...] = (
    {},
    {"dynamic_img_size": True, "dynamic_img_pad": True},  # vision transformers
    {"dynamic_img_size": True},
    {"strict_img_size": False},
)
"""What timm's networks are built with for images of any size; the first that works is taken."""


@dataclass(frozen=True, kw_only=True)
class Intake:
    """How a network takes images of any size, and what its optimiser must know of it.

    Attributes:
        options: For `timm.create_model`.
        grid_px: Sides are cut to multiples of it, at the right and at the bottom.
        batch_norm: Whether it has batch normalisation.
    """

    options: Mapping[str, bool]
    grid_px: int
    batch_norm: bool = True


class OnGrid(nn.Module):
    """A network that reads images cut to multiples of `grid_px` pixels."""

    def __init__(self, network: nn.Module, grid_px: int) -> None:
        super().__init__()
        self.network, self.grid_px = network, grid_px

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) -> what the network makes of it."""
        height, width = (side - side % self.grid_px for side in images.shape[-2:])
        out: Tensor = self.network(images[..., :height, :width])
        return out


class TimmVictim(ConvNetVictim):
    """A timm network, that of its spec's backbone, behind one of the input spaces.

    Raises:
        CamobenchError: If the network cannot take images of every size that a suite may have.
    """

    rewritable: ClassVar[tuple[str, ...]] = ()  # what a network does with sizes no graph may hold

    def __init__(self, spec: VictimSpec, *, classes: Sequence[str], recipe: Recipe) -> None:
        name = spec.backbone.removeprefix(TIMM)
        self.intake = intake = find_intake(name)
        maps = FIXED_FRONT_ENDS.get(spec.front_end, 3)
        super().__init__(
            spec,
            classes=classes,
            recipe=recipe,
            budget=budget(recipe, batch_norm=intake.batch_norm),
            build=lambda count, width: build(name, count, intake, maps),
        )
        self.sharpened = spec.front_end == "img" and not intake.batch_norm
        if self.sharpened:
            sharpen(self.network)

    @property
    def hyperparameters(self) -> Mapping[str, Json]:
        """The training budget; and timm's version, since timm's code is the network."""
        intake = self.intake
        return {
            "classifier": as_json(self.budget),
            "timm": timm.__version__,
            "pretrained": False,
            "options": dict(intake.options),
            "grid_px": intake.grid_px,
            **({"first_gain": FIRST_GAIN} if self.sharpened else {}),
        }


def budget(recipe: Recipe, *, batch_norm: bool) -> ClassifierRecipe:
    """The recipe's budget for a ResNet, at full width; without batch norm, AdamW and more steps."""
    like = recipe.classifiers["resnet"]
    return replace(like if batch_norm else by_adamw(longer(like)), width=1.0)


def build(name: str, classes: int, intake: Intake, maps: int = 3) -> nn.Module:
    """An untrained timm network with `classes` outputs for `maps` of any size."""
    options = {**intake.options, "num_classes": classes, "in_chans": maps}
    network = timm.create_model(name, pretrained=False, **options)
    return network if intake.grid_px == 1 else OnGrid(network, intake.grid_px)


@torch.no_grad()
def sharpen(network: nn.Module) -> None:
    """Take the mean from the kernels of the first convolution, and multiply what is left."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
            weight = module.weight
            weight.copy_(FIRST_GAIN * (weight - weight.mean((2, 3), keepdim=True)))
            return


@cache
def find_intake(name: str) -> Intake:
    """Find out how a network takes images of any size; neither memory nor random numbers are used.

    Raises:
        CamobenchError: If it does not; says why.
    """
    reasons: list[str] = []
    for grid_px, options in product((1, GRID_PX), OPTIONS):
        intake = Intake(options=options, grid_px=grid_px)
        try:
            network = _tried(name, intake)
        except Exception as error:  # whatever a library of a thousand networks may raise
            reasons.append(" ".join(str(error).split()) or type(error).__name__)
        else:
            batch_norm = any(isinstance(part, _BatchNorm) for part in network.modules())
            return replace(intake, batch_norm=batch_norm)
    raise CamobenchError(
        f"timm's {name} cannot be a victim, which must take patches of {PATCH_PX} x {PATCH_PX} "
        f"pixels and images of any other size, and give one logit a class; choose another "
        f"network (timm says: {reasons[0]})"
    )


def _tried(name: str, intake: Intake, classes: int = 7) -> nn.Module:
    with torch.device("meta"), torch.no_grad():
        network = build(name, classes, intake)
        for size in SIZES:
            out = network(torch.empty(2, 3, *size))
            if not isinstance(out, Tensor):
                raise TypeError(f"it gives a {type(out).__name__}, no tensor")
            if out.shape != (2, classes):
                raise ValueError(f"asked for {classes} classes it gives {tuple(out.shape)[1:]}")
    return network


@cache
def entry(backbone: str, front_end: str) -> Entry[VictimSpec, Victim]:
    """The entry of a network by timm's name and a front-end.

    Raises:
        UnknownNameError: If timm has no such network, or there is no such front-end.
    """
    known = (*FRONT_ENDS, *FIXED_FRONT_ENDS)
    if front_end not in known:
        raise UnknownNameError(
            f"unknown front-end {front_end!r}: a timm network stands behind {', '.join(known)}"
        )
    _require_known(backbone)
    spec = VictimSpec(
        name=f"{front_end}-timm-{backbone.replace('_', '-')}",
        front_end=front_end,
        backbone=f"{TIMM}{backbone}",
        residual=RESIDUAL_NAME if front_end == "wdf" else None,
        paper="timm (Wightman 2019); trained from scratch, without timm's pretrained weights",
        licence="Apache-2.0 (timm)",
        supplementary=True,
    )
    return Entry(spec=spec, builder=TimmVictim)


def _require_known(backbone: str) -> None:
    bare, _, weights = backbone.partition(".")
    if weights and timm.is_model(bare):
        raise UnknownNameError(
            f"{TIMM}{backbone}: .{weights} names weights, and victims are trained from scratch; "
            f"write {TIMM}{bare}"
        )
    if weights or not timm.is_model(backbone):
        network = f"network of timm {timm.__version__}"
        raise UnknownNameError(unknown(network, backbone, timm.list_models()))
