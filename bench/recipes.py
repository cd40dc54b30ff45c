"""Training budgets. A recipe is part of every key and every entry.

`paper` holds the numbers of Andrews et al. (2020), section 4.3. `fast` trains the paper's networks
on one GPU in a fraction of the paper's steps, with a one-cycle schedule. `mini` trains narrow
networks, each for minutes on a CPU core; `long` the same for longer, as six cameras ask for; `wide`
full ones, and a generator of half the width.
`smoke` only proves that every stage runs.
Attacks keep their own hyper-parameters per recipe name beside their code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bench.types import CamobenchError
from bench.wording import unknown

RESIDUAL_NAME, RESIDUAL_VERSION = "wdf-v1", 1
"""The residual that estimators learn; the version rises when their training changes results."""
AWARE_VERSION = 1
"""Of what aware defenders are trained on; it rises when noise or targets change."""


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe:
    """How a convolutional classifier is trained.

    Attributes:
        width: Multiplies the channels of the paper's network.
        batch: Patches a step.
        epochs: Passes over the patches of the training partition; `None` if `steps` is given.
        steps: Optimiser steps; `None` if `epochs` is given.
        lr: Peak learning rate of SGD.
        schedule: "step" divides by 10 at 60, 77 and 90 %; "one-cycle" warms up and anneals.
        precision: Of the backbone's products in training; weights, their updates, front-ends, the
            first convolution, the loss and everything after training stay in fp32.
    """

    width: float = 1.0
    batch: int
    epochs: int | None = None
    steps: int | None = None
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Literal["step", "one-cycle"] = "step"
    precision: Literal["fp32", "bf16"] = "fp32"


@dataclass(frozen=True, kw_only=True)
class AdamWRecipe(ClassifierRecipe):
    """The same with AdamW (Loshchilov & Hutter 2019), which networks without batch norm ask for.

    Attributes:
        lr: Its peak.
        momentum: Decay of the first moment.
        weight_decay: Decoupled; of kernels alone, not of biases and norms.
    """

    lr: float = 1e-3
    weight_decay: float = 0.05
    optimiser: Literal["adamw"] = "adamw"


@dataclass(frozen=True, kw_only=True)
class EstimatorRecipe:
    """How the residual estimator is trained: Adam on the squared error of Eq. 6.

    Attributes:
        width: Channels of the first convolution.
        clip_norm: Longest gradient, for a squared error in grey levels; `None` does not clip.
        unrolled: Train an `UnrolledShrinkage` of `width` hidden units, which suits a small budget,
            not the paper's Johnson network.
    """

    width: int = 64
    unrolled: bool = False
    batch: int = 128
    epochs: int | None = None
    steps: int | None = None
    lr: float = 1e-4
    weight_decay: float = 5e-4
    clip_norm: float | None = None
    schedule: Literal["fixed", "one-cycle"] = "fixed"


@dataclass(frozen=True, kw_only=True)
class DeepEstimatorRecipe(EstimatorRecipe):
    """Unrolled over more levels of the transform than two: the third matters on larger images.

    Attributes:
        levels: Of the wavelet transform; `wdf-v1` has four.
    """

    levels: int = 3


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named training budget.

    Attributes:
        purpose: What it is for, in a few words.
        classifiers: One `ClassifierRecipe` a backbone family.
        compact: Store checkpoints with inner convolutions in fp16; what runs is what was stored.
    """

    name: str
    purpose: str
    classifiers: Mapping[str, ClassifierRecipe]
    estimator: EstimatorRecipe
    compact: bool = False


PAPER = Recipe(
    name="paper",
    purpose="every number of the paper; days on one GPU",
    classifiers=dict(
        resnet=ClassifierRecipe(batch=128, epochs=30),
        densenet=ClassifierRecipe(batch=64, epochs=90),
    ),
    estimator=EstimatorRecipe(epochs=30),
)
_UNROLLED = EstimatorRecipe(
    width=16,
    unrolled=True,
    batch=16,
    steps=400,
    lr=0.02,
    weight_decay=0,
    clip_norm=100,
    schedule="one-cycle",
)
_NARROW = AdamWRecipe(
    width=0.25, batch=64, steps=1200, lr=3e-3, weight_decay=0.01, schedule="one-cycle"
)
_NARROW_DENSE = replace(_NARROW, width=0.5, batch=32)
MINI = Recipe(
    name="mini",
    purpose="narrow networks, minutes each on a CPU core; the demo",
    classifiers=dict(resnet=_NARROW, densenet=_NARROW_DENSE),
    estimator=_UNROLLED,
    compact=True,
)
LONG = replace(
    MINI,
    name="long",
    purpose="networks of mini, classifiers in four times its steps: for more cameras than three",
    classifiers=dict(
        resnet=replace(_NARROW, steps=4800), densenet=replace(_NARROW_DENSE, steps=4800)
    ),
)
_WIDE = replace(_NARROW, width=1.0, lr=1e-3, steps=1600)
WIDE = Recipe(
    name="wide",
    purpose="the paper's classifiers, ResNets in bf16, half its generator; hours on a CPU",
    classifiers=dict(
        resnet=replace(_WIDE, precision="bf16"),
        densenet=replace(_WIDE, batch=32, steps=3600),
    ),
    estimator=DeepEstimatorRecipe(
        width=48,
        unrolled=True,
        batch=16,
        steps=800,
        lr=0.02,
        weight_decay=0,
        clip_norm=100,
        schedule="one-cycle",
    ),
)
FAST = Recipe(
    name="fast",
    purpose="the paper's networks in a fraction of its steps, for one GPU; not yet measured",
    classifiers=dict(
        resnet=ClassifierRecipe(batch=128, steps=2400, schedule="one-cycle", precision="bf16"),
        densenet=ClassifierRecipe(batch=64, steps=2400, schedule="one-cycle", precision="bf16"),
    ),
    estimator=EstimatorRecipe(
        batch=64, steps=2000, lr=1e-3, weight_decay=0, clip_norm=100, schedule="one-cycle"
    ),
)
SMOKE = Recipe(
    name="smoke",
    purpose="two steps a network: proves that every stage runs, no more",
    classifiers=dict(
        resnet=ClassifierRecipe(width=0.125, batch=8, steps=2, schedule="one-cycle"),
        densenet=ClassifierRecipe(width=0.25, batch=4, steps=2, schedule="one-cycle"),
    ),
    estimator=EstimatorRecipe(width=4, unrolled=True, batch=4, steps=2, lr=1e-3, weight_decay=0),
    compact=True,
)
RECIPES: Mapping[str, Recipe] = {r.name: r for r in (MINI, LONG, WIDE, FAST, PAPER, SMOKE)}


def get_recipe(name: str) -> Recipe:
    """Return the recipe called `name`.

    Raises:
        CamobenchError: If there is none; lists close matches.
    """
    if name in RECIPES:
        return RECIPES[name]
    raise CamobenchError(unknown("recipe", name, RECIPES))
