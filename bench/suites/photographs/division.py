"""A division of photographs into sets, and what the reader of a table is told of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bench.suites.base import SPLIT_BY_IMAGE
from bench.suites.layouts.naming import Photo
from bench.types import SETS, SetName, Split
from bench.wording import listed, plural

LISTED = 12  # models named in a message
UNTOLD_NOTE = (
    f"WARNING, {SPLIT_BY_IMAGE}, not by device: the numbers are optimistic, as the files' names "
    "tell no physical camera and one may be in more than one set"
)

NEEDED: Mapping[SetName, int] = {"A": 2, "B": 2, "C": 1}  # training and validation; evaluation

Devices: TypeAlias = Mapping[str, Sequence[Photo]]  # the photographs of each device, in order
Parts: TypeAlias = dict[SetName, list[Photo]]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A photograph and the place it was given."""

    photo: Photo
    set: SetName
    split: Split
    partition: str


@dataclass(frozen=True, kw_only=True)
class Division:
    """Photographs divided into sets.

    Attributes:
        classes: The in-distribution models.
        others: The out-of-distribution models.
        placed: Models in that order, within a model set by set.
        note: How it was done, for the reader of a table.
    """

    classes: tuple[str, ...]
    others: tuple[str, ...]
    placed: tuple[Placed, ...]
    note: str


def flat(devices: Devices) -> list[Photo]:
    """All photographs, device after device."""
    return [photo for photos in devices.values() for photo in photos]


def enough(parts: Parts) -> bool:
    """Whether every set of a class has what it needs."""
    return all(len(parts[set_name]) >= NEEDED[set_name] for set_name in SETS)


def inventory(models: Mapping[str, Devices]) -> str:
    """Models with the number of photographs of each device."""
    told = (
        f"{name} ({plural(len(devices), 'device')}, photographs: "
        f"{' + '.join(str(len(photos)) for photos in devices.values())})"
        for name, devices in models.items()
    )
    return listed(told, LISTED)


def device_note(chosen: list[str], placed: list[Placed]) -> str:
    """Say how many devices of each class are in each set."""
    used = {(p.photo.model, p.set, p.photo.device) for p in placed}
    counts = Counter((model, set_name) for model, set_name, _ in used)
    told = [f"{name} {'/'.join(str(counts[name, s]) for s in SETS)}" for name in chosen]
    return f"split by device (devices in Set-A/B/C: {', '.join(told)})"


def image_note(models: Mapping[str, Devices], chosen: list[str], placed: list[Placed]) -> str:
    """Say loudly that devices are shared, and by which models."""
    sets: dict[str, set[str]] = defaultdict(set)
    for place in placed:
        sets[place.photo.device].add(place.set)
    shared = Counter(device.split("/")[0] for device, used in sets.items() if len(used) > 1)
    told = [f"{name} {shared[name]} of {plural(len(models[name]), 'device')}" for name in chosen]
    return (
        f"WARNING, {SPLIT_BY_IMAGE}, not by device: the numbers are optimistic, as physical "
        f"cameras are in more than one set ({', '.join(told)}). A split by device needs three "
        "devices a model, with photographs for every set"
    )


def scene_note(
    models: Mapping[str, Devices], given: Collection[Parts], trained: Collection[str | None]
) -> str:
    """Say how many photographs it costs that no scene is in two sets.

    Args:
        models: All photographs.
        given: What the sets of each class could have.
        trained: Scenes of Set-A and Set-B.
    """
    used = {photo.path for parts in given for photos in parts.values() for photo in photos}
    classes = {photo.model for parts in given for photos in parts.values() for photo in photos}
    lost = sum(
        photo.path not in used if name in classes else photo.scene in trained
        for name, devices in models.items()
        for photo in flat(devices)
    )
    cost = f": {lost} photographs of scenes of other sets left out" if lost else ""
    return f"; no scene is in two sets{cost}"


def others_note(models: Mapping[str, Devices], others: list[str]) -> str:
    """Say what is out of distribution."""
    if not others:
        return "; no model out of distribution"
    return f"; out of distribution: {inventory({name: models[name] for name in others})}"
