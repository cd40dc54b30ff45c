"""What is scored: images of Set-C with their targets, and where anonymised ones come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd
import torch
from torch import Tensor

from bench.contract import Attack


@dataclass(frozen=True, kw_only=True)
class Item:
    """One image of Set-C with one target; `target` is `None` for an untargeted attack."""

    index: int
    target: int | None


class ImageSource(Protocol):
    """Gives the anonymised versions of items: an attack that runs, or images that are kept."""

    @property
    def targeted(self) -> bool:
        """Whether every image has a version for each target."""

    def has(self, item: Item) -> bool:
        """Whether there is one for this item; the others are left out."""

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """Anonymise.

        Args:
            items: N of them.
            originals: Their images, (N, 3, H, W) uint8 on the device of the scorer.

        Returns:
            (N, 3, H, W) uint8 on the same device.
        """


class AttackSource:
    """The images of an attack that runs here.

    Args:
        attack: On the scorer's device, in evaluation mode.
    """

    def __init__(self, attack: Attack) -> None:
        self.attack = attack

    @property
    def targeted(self) -> bool:
        """As the attack's spec says."""
        return self.attack.spec.targeted

    def has(self, item: Item) -> bool:
        """An attack anonymises anything."""
        return True

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """Run the attack, which checks, clips and rounds."""
        targets = None
        if self.targeted:
            targets = torch.tensor([item.target for item in items], device=originals.device)
        return self.attack(originals, targets)


class GivenImages(Attack):
    """An attack of which only images are known: it is their source, and transforms nothing."""

    @property
    def targeted(self) -> bool:
        """As the spec says."""
        return self.spec.targeted

    def has(self, item: Item) -> bool:
        """Whether this image is known."""
        raise NotImplementedError

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """The known images; see `ImageSource`."""
        raise NotImplementedError


def source_of(attack: Attack) -> ImageSource:
    """Where an attack's images come from."""
    return attack if isinstance(attack, GivenImages) else AttackSource(attack)


def shards(count: int, size: int) -> list[range]:
    """Cut `count` images into ranges of at most `size`."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def items_of(
    indices: Sequence[int], manifest: pd.DataFrame, classes: Sequence[str], *, targeted: bool
) -> list[Item]:
    """Which targets each image is sent to.

    In distribution every t other than s; out of distribution every t; untargeted attacks run once.
    """
    if not targeted:
        return [Item(index=i, target=None) for i in indices]
    models = manifest["model"].to_numpy()
    return [
        Item(index=i, target=t)
        for i in indices
        for t, name in enumerate(classes)
        if name != models[i]
    ]
