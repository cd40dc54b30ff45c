"""Hyper-parameters of the cGAN attacks, one set a recipe; all eight rows share it.

Methods that other papers describe have weights of losses of their own (`reweighted`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from bench.types import CamobenchError, Json, as_json


@dataclass(frozen=True, kw_only=True)
class CganRecipe:
    """Budget and loss weights.

    Attributes:
        generator_width: Channels of the generator's first convolution (64 in the paper).
        discriminator_width: Channels of the discriminator's first unconstrained one (64).
        residual: The generator adds to its input and starts as the identity, instead of Tanh.
        resize: Its decoder repeats pixels and convolves, instead of transposed convolutions.
        projected: The discriminator's labels enter at its last convolution, not its first.
        largest_change: Of a [-1, 1] pixel by a residual generator; a small one keeps early steps
            near the identity.
        epochs: Passes over the training patches; `None` if `steps` is given.
        steps: Optimiser steps; `None` if `epochs` is given.
        lambda_adv: Weight of the adversarial loss (Eq. 7).
        lambda_cnt: Weight of the L1 content loss.
        lambda_aux: Weight of each auxiliary classification loss.
        generator_lr: Adam's learning rate.
        discriminator_lr: Adam's learning rate.
        cosine: Anneal both rates to zero; fixed otherwise.
        average: Decay of the generator's weight average; 0 keeps the last weights.
        rounded: Let discriminator and LAACs see 8-bit images (straight-through gradient).
        symmetries: Each LAAC sees each image under a random symmetry of the square, as it did in
            training: what shows in one orientation alone fools that LAAC and no other network.
    """

    generator_width: int = 64
    discriminator_width: int = 64
    residual: bool = False
    resize: bool = False
    projected: bool = False
    largest_change: float = 1.0
    batch: int = 32
    epochs: int | None = None
    steps: int | None = None
    lambda_adv: float = 0.01
    lambda_cnt: float = 1.0
    lambda_aux: float = 0.01
    generator_lr: float = 2e-4
    discriminator_lr: float = 2e-4
    beta1: float = 0.5
    cosine: bool = False
    average: float = 0.0
    rounded: bool = False
    symmetries: bool = False


_MINI = CganRecipe(
    generator_width=16,
    discriminator_width=16,
    residual=True,
    resize=True,
    projected=True,
    largest_change=0.25,
    batch=16,
    steps=1600,
    lambda_adv=1.0,
    lambda_cnt=3.0,
    lambda_aux=0.02,
    generator_lr=1e-3,
    discriminator_lr=2e-3,
    cosine=True,
    average=0.995,
    rounded=True,
    symmetries=True,
)

CGAN_RECIPES: Mapping[str, CganRecipe] = {
    "paper": CganRecipe(epochs=200),
    "fast": replace(
        _MINI,
        generator_width=64,
        discriminator_width=64,
        batch=32,
        steps=1500,
        generator_lr=2e-4,
        discriminator_lr=4e-4,
    ),
    "mini": _MINI,
    "long": replace(_MINI, steps=2400),
    "wide": replace(_MINI, generator_width=32, discriminator_width=32, steps=3200, lambda_cnt=10.0),
    "smoke": CganRecipe(
        generator_width=4, discriminator_width=4, residual=True, batch=2, steps=2, rounded=True
    ),
}


def reweighted(adv: float, cnt: float, aux: float) -> Mapping[str, CganRecipe]:
    """Every recipe with other weights of the three losses."""
    return {
        name: replace(one, lambda_adv=adv, lambda_cnt=cnt, lambda_aux=aux)
        for name, one in CGAN_RECIPES.items()
    }


def cgan_recipe(name: str, recipes: Mapping[str, CganRecipe] = CGAN_RECIPES) -> CganRecipe:
    """Return the hyper-parameters that go with the recipe called `name`.

    Raises:
        CamobenchError: If the cGAN has none.
    """
    if name not in recipes:
        raise CamobenchError(
            f"the cGAN attacks have no recipe {name!r}; they have {', '.join(recipes)}"
        )
    return recipes[name]


@dataclass(frozen=True, kw_only=True)
class CganVariant:
    """How the networks differ from those of the paper's tables.

    Attributes:
        constrained: The discriminator's first layer is a constrained convolution.
        differences: It reads the image beside its third-order finite differences instead.
        per_target: One unconditioned generator and discriminator a target class, instead of one
            pair that is told the class. Each pair has the budget that the one pair has.
    """

    constrained: bool = True
    differences: bool = False
    per_target: bool = False

    def identity(self) -> dict[str, Json]:
        """What differs from the default, by name; empty for the rows of the paper's tables."""
        return {
            field.name: as_json(getattr(self, field.name))
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }


def cgan_hyperparameters(budget: CganRecipe, variant: CganVariant) -> dict[str, Json]:
    """Loss weights, widths and budget, and what the variant changes if it does."""
    changed = variant.identity()
    return {"cgan": as_json(budget), **({"variant": changed} if changed else {})}
