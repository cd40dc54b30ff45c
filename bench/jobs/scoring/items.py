"""What is asked of an attack, what of it is scored, and where anonymised images come from.

What an attack is handed tells nothing of a source but what the pixels tell: every image comes with
every target, its own camera too, no batch holds an image twice, and the order mixes cameras. Rows
whose target is the image's own camera are dropped afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import pandas as pd
import torch
from torch import Tensor

from bench.contract import Attack

BATCH = 32
LARGEST = 256
AUTO = 0
CPU_BATCH_PIXELS = 2**19
"""32 images of 128 x 128, 2 of 512 x 512: on processors larger batches gain nothing and their
activations leave the caches (`camobench perf` shows it)."""
ORDER_VERSION = 1
"""Raise it when attacks are asked for other images, or in another order: part of a row's key."""


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
        return True

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """Their (N, 3, H, W) uint8 versions, given N items and `originals` of that shape."""


class AttackSource(ImageSource):
    """The images of an attack that runs here: on the scorer's device, in evaluation mode."""

    def __init__(self, attack: Attack) -> None:
        self.attack = attack

    @property
    def targeted(self) -> bool:
        """As the attack's spec says."""
        return self.attack.spec.targeted

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """Run the attack, which checks, clips and rounds."""
        targets = None
        if self.targeted:
            targets = torch.tensor([item.target for item in items], device=originals.device)
        return self.attack(originals, targets)


class GivenImages(Attack):
    """An attack of which only images are known: an `ImageSource`, which transforms nothing."""


def source_of(attack: Attack) -> ImageSource:
    """Where an attack's images come from."""
    return cast("Any", attack) if isinstance(attack, GivenImages) else AttackSource(attack)


def mixed(manifest: pd.DataFrame, indices: Iterable[int] | None = None) -> list[int]:
    """Places in Set-C, all by default, in an order that has nothing to do with cameras.

    It follows from a digest of each image's name and of the SHA-256 of its photograph's file.
    """
    named = [f"{name} {file}" for name, file in manifest[["image_id", "sha256"]].to_numpy()]
    turns = [hashlib.sha256(text.encode()).digest() for text in named]
    chosen = range(len(turns)) if indices is None else indices
    return sorted(chosen, key=lambda index: turns[index])


def asked_of(indices: Sequence[int], classes: int, *, targeted: bool) -> list[Item]:
    """Every image with every target; as many neighbours as there are images hold none twice.

    In every round each image comes once, and the next target of each is another one.
    """
    if not targeted:
        return [Item(index=index, target=None) for index in indices]
    return [
        Item(index=index, target=(place + turn) % classes)
        for turn in range(classes)
        for place, index in enumerate(indices)
    ]


def items_of(
    indices: Iterable[int], manifest: pd.DataFrame, classes: Sequence[str], *, targeted: bool
) -> list[Item]:
    """Which targets of each image are scored.

    In distribution every t other than s; out of distribution every t; untargeted attacks once.
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


def batch_for(height: int, width: int, *, processor: bool = True) -> int:
    """How many images of this size suit a device; what does not fit its memory is halved."""
    return max(1, min(BATCH, CPU_BATCH_PIXELS // (height * width))) if processor else LARGEST


def batches_of(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Cut what `asked_of` returns into batches that hold no image twice."""
    size = max(1, min(BATCH, len({item.index for item in items})))
    for start in range(0, len(items), size):
        yield items[start : start + size]
