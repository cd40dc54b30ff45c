"""Which images a challenge for makers of victims holds, and which of them are scored."""

from __future__ import annotations

from collections.abc import Iterable

from bench.contract import ATTACKS
from bench.jobs.items import Item, items_of
from bench.runner.challenge.ids import Asked
from bench.suites.base import Suite


def asked_of_victims(suite: Suite, attacks: Iterable[str]) -> list[Asked]:
    """Every image that goes out: of a targeted attack, each image towards every target.

    The protocol leaves t = s out. Here it is not left out: the one target that an image lacks would
    tell its source, and lacking none that it is out of distribution.
    """
    names, classes = suite.manifest("C")["image_id"], suite.card.classes
    return [
        Asked(image_id=str(name), attack=attack, target=target)
        for attack in attacks
        for name in names
        for target in (classes if ATTACKS.get(attack).spec.targeted else (None,))
    ]


def scored_of_victims(suite: Suite, attack: str) -> dict[Asked, Item]:
    """Those images of one attack that the protocol scores, in the order of a run."""
    rows, classes = suite.manifest("C"), suite.card.classes
    names, targeted = rows["image_id"].to_numpy(), ATTACKS.get(attack).spec.targeted
    return {
        Asked(
            image_id=str(names[item.index]),
            attack=attack,
            target=None if item.target is None else classes[item.target],
        ): item
        for item in items_of(range(len(rows)), rows, classes, targeted=targeted)
    }
