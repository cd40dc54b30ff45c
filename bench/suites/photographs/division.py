"""A division of photographs into sets, and what the reader of a table is told of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bench.suites.base import SPLIT_BY_IMAGE
from bench.suites.layouts.naming import Photo
from bench.types import SETS, SetName, Split

LISTED = 12  # models named in a message
UNTOLD_NOTE = (
    f"WARNING, {SPLIT_BY_IMAGE}, not by device: the numbers are optimistic, as the files' names "
    "tell no physical camera and one may be in more than one set"
)

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


def inventory(models: Mapping[str, Devices]) -> str:
    """Models with the number of photographs of each device."""
    listed = []
    for name, devices in list(models.items())[:LISTED]:
        counts = " + ".join(str(len(photos)) for photos in devices.values())
        listed.append(f"{name} ({_devices(len(devices))}, photographs: {counts})")
    more = f" and {len(models) - LISTED} more" if len(models) > LISTED else ""
    return ", ".join(listed) + more


def device_note(chosen: list[str], placed: list[Placed]) -> str:
    """Say how many devices of each class are in each set."""
    used = {(p.photo.model, p.set, p.photo.device) for p in placed}
    counts = Counter((model, set_name) for model, set_name, _ in used)
    listed = [f"{name} {'/'.join(str(counts[name, s]) for s in SETS)}" for name in chosen]
    return f"split by device (devices in Set-A/B/C: {', '.join(listed)})"


def image_note(models: Mapping[str, Devices], chosen: list[str], placed: list[Placed]) -> str:
    """Say loudly that devices are shared, and by which models."""
    sets: dict[str, set[str]] = defaultdict(set)
    for place in placed:
        sets[place.photo.device].add(place.set)
    shared = Counter(device.split("/")[0] for device, used in sets.items() if len(used) > 1)
    listed = [f"{name} {shared[name]} of {_devices(len(models[name]))}" for name in chosen]
    return (
        f"WARNING, {SPLIT_BY_IMAGE}, not by device: the numbers are optimistic, as physical "
        f"cameras are in more than one set ({', '.join(listed)}). A split by device needs three "
        "devices a model, with photographs for every set"
    )


def scene_note(
    models: Mapping[str, Devices],
    chosen: list[str],
    parts: Mapping[str, Parts | None],
    trained: set[str | None],
) -> str:
    """Say how many photographs it costs that no scene is in two sets."""
    given = sum(len(photos) for name in chosen for photos in (parts[name] or {}).values())
    lost = sum(len(flat(models[name])) for name in chosen) - given
    for name in models:
        if name not in chosen:
            lost += sum(photo.scene in trained for photo in flat(models[name]))
    cost = f": {lost} photographs of scenes of other sets left out" if lost else ""
    return f"; no scene is in two sets{cost}"


def _devices(count: int) -> str:
    return f"{count} device{'' if count == 1 else 's'}"


def others_note(models: Mapping[str, Devices], others: list[str]) -> str:
    """Say what is out of distribution."""
    if not others:
        return "; no model out of distribution"
    return f"; out of distribution: {inventory({name: models[name] for name in others})}"
