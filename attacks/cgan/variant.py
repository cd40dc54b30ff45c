"""What the preliminary findings of Andrews et al. (2020) change in the networks of the cGAN.

The paper tells of them without a table (footnotes 10 and 12). Every row of its tables has the
default variant, which adds nothing to a row's key.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from attacks.cgan.networks import Discriminator, Generator
from attacks.cgan.recipe import CganRecipe, CganVariant


class PerTarget(nn.Module):
    """One network a class; each image goes through its label's.

    Args:
        networks: In the order of the classes; each takes images and labels.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """(N, 3, H, W) and (N,) labels -> what the labels' networks return, in the same order."""
        order, outputs = [], []
        for label, network in enumerate(self.networks):
            chosen = (labels == label).nonzero()[:, 0]
            if len(chosen):
                order.append(chosen)
                outputs.append(network(images[chosen], labels[chosen]))
        return torch.cat(outputs)[torch.cat(order).argsort()]


def build_generator(classes: int, budget: CganRecipe, variant: CganVariant) -> nn.Module:
    """The generator, or one a class."""
    make = partial(
        Generator,
        width=budget.generator_width,
        residual=budget.residual,
        resize=budget.resize,
        largest_change=budget.largest_change,
    )
    return PerTarget([make(0) for _ in range(classes)]) if variant.per_target else make(classes)


def build_discriminator(classes: int, budget: CganRecipe, variant: CganVariant) -> nn.Module:
    """The discriminator, or one a class.

    With one a class, Eq. 3 reads: class c's sees images of c as real, and as fake what its
    generator makes and real images of other classes.
    """
    make = partial(
        Discriminator,
        width=budget.discriminator_width,
        constrained=variant.constrained,
        differences=variant.differences,
        projected=budget.projected,
    )
    return PerTarget([make(0) for _ in range(classes)]) if variant.per_target else make(classes)
