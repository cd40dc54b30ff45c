"""Generator and discriminator of Andrews et al. (2020), section 4.2.

What its preliminary findings (footnotes 10 and 12) change in them is a `CganVariant`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attacks.cgan.recipe import CganRecipe, CganVariant
from bench.nets.filters import ConstrainedConv2d, beside_differences
from bench.nets.johnson import JohnsonNet

ERROR_UNIT = 127.5 / 5
"""Brings prediction errors of [-1, 1] images to units of five grey levels."""


class Generator(nn.Module):
    """g(x, t): a Johnson network that sees the image and one plane a class, the target's filled.

    Args:
        classes: Number of classes C; 0 for a network that is told none.
        width: Channels of the first convolution.
        residual: Add the network's output to its input, starting from zero.
        resize: See `JohnsonNet`.
        largest_change: Of a [-1, 1] pixel, where `residual`.
    """

    def __init__(
        self,
        classes: int,
        width: int,
        *,
        residual: bool = False,
        resize: bool = False,
        largest_change: float = 1.0,
    ) -> None:
        super().__init__()
        self.classes, self.residual, self.largest_change = classes, residual, largest_change
        self.network = JohnsonNet(3 + classes, width=width, skip=residual, resize=resize)
        if residual:
            nn.init.zeros_(self.network.last.weight)
            nn.init.zeros_(self.network.last.bias)  # type: ignore[arg-type]

    def forward(self, images: Tensor, targets: Tensor) -> Tensor:
        """(N, 3, H, W) in [-1, 1] and (N,) targets -> (N, 3, H, W)."""
        change = torch.tanh(self.network(with_label_planes(images, targets, self.classes)))
        return images + self.largest_change * change if self.residual else change


class Discriminator(nn.Module):
    """d(x, t): a 34 x 34 PatchGAN (Isola et al. 2017) behind a constrained convolution.

    34 pixels at the constrained layer's output, 38 in the image. Labels enter after the first
    unconstrained convolution, or, with `projected`, choose among maps of the last one (Miyato &
    Koyama 2018, with an embedding a class): planes had told a narrow network nothing after 400
    steps. No sigmoid: the loss is least squares.

    Args:
        classes: Number of classes C; 0 for a network that is told none.
        width: Channels of the first convolution after the constrained one.
        constrained: Without, a free convolution of the same size reads the image itself.
        differences: Without either, it reads the image beside its finite differences.
        projected: Whether labels enter last.
    """

    def __init__(
        self,
        classes: int,
        width: int,
        *,
        constrained: bool = True,
        differences: bool = False,
        projected: bool = False,
    ) -> None:
        super().__init__()
        self.projected = projected and classes > 0
        self.planes = 0 if self.projected else classes
        self.unit = 1.0
        self.filters: nn.Module
        if differences:
            self.filters = _BesideDifferences()
        elif constrained:
            self.filters, self.unit = ConstrainedConv2d(3, 3, 5), ERROR_UNIT
        else:
            self.filters = nn.Conv2d(3, 3, 5, padding=2, padding_mode="reflect")
        channels = 9 if differences else 3
        self.first = nn.Sequential(nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2))
        self.rest = nn.Sequential(
            nn.Conv2d(width + self.planes, 2 * width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * width, 4 * width, 4, 1, 1, bias=False),
            nn.BatchNorm2d(4 * width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(4 * width, 1 + classes * self.projected, 4, 1, 1),
        )

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """(N, 3, H, W) in [-1, 1] and (N,) labels -> (N, 1, h, w), 1 for real and matching."""
        features = self.first(self.filters(images) * self.unit)
        out: Tensor = self.rest(with_label_planes(features, labels, self.planes))
        if not self.projected:
            return out
        shared, own = out[:, :1], out[:, 1:]
        return shared + own[torch.arange(len(own), device=own.device), labels].unsqueeze(1)


class _BesideDifferences(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return beside_differences(images, ERROR_UNIT)


def with_label_planes(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Append C planes (none for 0) to (N, K, H, W): ones in the label's, zeros in the others."""
    if classes == 0:
        return features
    one_hot = F.one_hot(labels, classes).to(features.dtype)[:, :, None, None]
    planes = one_hot.expand(-1, -1, *features.shape[-2:])
    return torch.cat((features, planes), dim=1)


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
