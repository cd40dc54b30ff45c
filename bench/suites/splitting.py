"""Which photographs of a folder go into which set.

By device where at least two models have three devices: no physical camera is in two sets. Else by
image, which flatters victims and attacks alike, and is said in the note under every table.
"""

from __future__ import annotations

import difflib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from bench.store import digest
from bench.suites.naming import natural_key
from bench.suites.scan import Photo
from bench.types import IN, OUT, CamobenchError, SetName, Split

SETS: tuple[SetName, ...] = ("A", "B", "C")
NEEDED: Mapping[SetName, int] = {"A": 2, "B": 2, "C": 1}  # training and validation; evaluation
_LISTED = 12  # models named in a message

Devices: TypeAlias = Mapping[str, Sequence[Photo]]  # the photographs of each device, in order
Parts: TypeAlias = dict[SetName, list[Photo]]
T = TypeVar("T")


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


def divide(
    photos: Iterable[Photo],
    *,
    classes: Sequence[str] | None = None,
    seed: int = 0,
    validation_fraction: float = 0.1,
    photos_c: int = 100,
) -> Division:
    """Divide photographs into Set-A, Set-B and Set-C.

    Args:
        photos: Of all models.
        classes: The in-distribution models; by default all that have enough.
        seed: Chooses devices and validation photographs.
        validation_fraction: Of each class in Set-A and in Set-B, but one photograph at least.
        photos_c: Most photographs of a model in Set-C, the first of each device by shot.

    Raises:
        CamobenchError: If fewer than two models can be classes, or one of `classes` cannot.
    """
    models = _by_model(photos)
    by_device = {name: _by_device(devices, seed) for name, devices in models.items()}
    by_image = {name: _by_image(devices, seed) for name, devices in models.items()}
    if classes is None:
        chosen = [name for name, parts in by_device.items() if parts]
        if len(chosen) < 2:
            chosen = [name for name, parts in by_image.items() if parts]
        if len(chosen) < 2:
            raise CamobenchError(
                f"fewer than two camera models can be classes; found {_inventory(models)}. A class "
                f"needs {sum(NEEDED.values())} photographs, and three devices for a split by "
                "device: add photographs or models"
            )
    else:
        chosen = _checked(classes, models, by_image)
    parts = by_device if all(by_device[name] for name in chosen) else by_image
    others = [name for name in models if name not in chosen]
    placed = []
    for name in chosen:
        placed += _place(name, parts[name] or {}, seed, validation_fraction, photos_c)
    for name in others:
        outside = _first(_flat(models[name]), photos_c)
        placed += [Placed(photo=p, set="C", split=OUT, partition="evaluation") for p in outside]
    device_note = _device_note if parts is by_device else _image_note
    return Division(
        classes=tuple(chosen),
        others=tuple(others),
        placed=tuple(placed),
        note=device_note(models, chosen, placed) + _others_note(models, others),
    )


def _by_model(photos: Iterable[Photo]) -> dict[str, Devices]:
    grouped: dict[str, dict[str, list[Photo]]] = defaultdict(lambda: defaultdict(list))
    for photo in photos:
        grouped[photo.model][photo.device].append(photo)
    return {
        model: {
            device: sorted(devices[device], key=lambda photo: (natural_key(photo.shot), photo.path))
            for device in sorted(devices, key=natural_key)
        }
        for model, devices in sorted(grouped.items())
    }


def _by_device(devices: Devices, seed: int) -> Parts | None:
    """Give whole devices to the sets: of 5 two to A and B, of 4 two to A, of 3 one to each."""
    count = len(devices)
    if count < 3:
        return None
    in_c = max(1, count // 5)
    in_a = math.ceil((count - in_c) / 2)
    shuffled = _shuffled(devices, str, seed, "devices")
    for order in (shuffled, sorted(shuffled, key=lambda name: -len(devices[name]))):
        given = {"A": order[:in_a], "B": order[in_a : count - in_c], "C": order[count - in_c :]}
        parts: Parts = {
            set_name: [photo for name in given[set_name] for photo in devices[name]]
            for set_name in SETS
        }
        if all(len(parts[set_name]) >= NEEDED[set_name] for set_name in SETS):
            return parts
    return None


def _by_image(devices: Devices, seed: int) -> Parts | None:
    """Cut the photographs, device after device, so that neighbouring shots stay together."""
    order = [p for name in _shuffled(devices, str, seed, "devices") for p in devices[name]]
    if len(order) < sum(NEEDED.values()):
        return None
    share = max(NEEDED["A"], len(order) * 2 // 5)
    return {"A": order[:share], "B": order[share : 2 * share], "C": order[2 * share :]}


def _place(
    model: str, parts: Parts, seed: int, validation_fraction: float, photos_c: int
) -> list[Placed]:
    """Choose the validation photographs of a class and cap its Set-C."""
    placed = []
    for set_name, photos in parts.items():
        if set_name == "C":
            placed += [
                Placed(photo=photo, set="C", split=IN, partition="evaluation")
                for photo in _first(photos, photos_c)
            ]
            continue
        held_out = max(1, round(validation_fraction * len(photos)))
        drawn = _shuffled(photos, lambda p: p.path.as_posix(), seed, f"validation {set_name}")
        validation = {photo.path for photo in drawn[:held_out]}
        placed += [
            Placed(
                photo=photo,
                set=set_name,
                split=IN,
                partition="validation" if photo.path in validation else "train",
            )
            for photo in photos
        ]
    return placed


def _first(photos: Sequence[Photo], count: int) -> list[Photo]:
    """Take `count` photographs, the first shots of each device alike."""
    rank: Counter[str] = Counter()
    turns: list[tuple[int, int]] = []
    for photo in photos:
        turns.append((rank[photo.device], len(turns)))
        rank[photo.device] += 1
    kept = sorted(place for _, place in sorted(turns)[:count])
    return [photos[place] for place in kept]


def _shuffled(items: Iterable[T], key: Callable[[T], str], seed: int, purpose: str) -> list[T]:
    """Shuffle by hash: the same on every platform, and an added item moves no other."""
    return sorted(items, key=lambda item: digest([seed, purpose, key(item)]))


def _checked(
    classes: Sequence[str], models: Mapping[str, Devices], by_image: Mapping[str, Parts | None]
) -> list[str]:
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise CamobenchError(
            f"expected two or more `classes`, each once, got {', '.join(classes) or 'none'}"
        )
    for name in classes:
        if name not in models:
            close = difflib.get_close_matches(name, models) or list(models)[:_LISTED]
            raise CamobenchError(f"no camera model {name!r} in the folder; has {', '.join(close)}")
        if not by_image[name]:
            raise CamobenchError(
                f"{name} has too few photographs for a class ({_inventory({name: models[name]})}); "
                f"it needs {sum(NEEDED.values())}: add photographs or leave it out of `classes`"
            )
    return list(classes)


def _flat(devices: Devices) -> list[Photo]:
    return [photo for photos in devices.values() for photo in photos]


def _inventory(models: Mapping[str, Devices]) -> str:
    """Models with the number of photographs of each device."""
    listed = []
    for name, devices in list(models.items())[:_LISTED]:
        counts = " + ".join(str(len(photos)) for photos in devices.values())
        listed.append(f"{name} ({_devices(len(devices))}, photographs: {counts})")
    more = f" and {len(models) - _LISTED} more" if len(models) > _LISTED else ""
    return ", ".join(listed) + more


def _device_note(models: Mapping[str, Devices], chosen: list[str], placed: list[Placed]) -> str:
    """Say how many devices of each class are in each set."""
    used = {(p.photo.model, p.set, p.photo.device) for p in placed}
    counts = Counter((model, set_name) for model, set_name, _ in used)
    listed = [f"{name} {'/'.join(str(counts[name, s]) for s in SETS)}" for name in chosen]
    return f"split by device (devices in Set-A/B/C: {', '.join(listed)})"


def _image_note(models: Mapping[str, Devices], chosen: list[str], placed: list[Placed]) -> str:
    """Say loudly that devices are shared, and by which models."""
    sets: dict[str, set[str]] = defaultdict(set)
    for place in placed:
        sets[place.photo.device].add(place.set)
    shared = Counter(device.split("/")[0] for device, used in sets.items() if len(used) > 1)
    listed = [f"{name} {shared[name]} of {_devices(len(models[name]))}" for name in chosen]
    return (
        "WARNING, split by image, not by device: the numbers are optimistic, as physical cameras "
        f"are in more than one set ({', '.join(listed)}). A split by device needs three devices a "
        "model, with photographs for every set"
    )


def _devices(count: int) -> str:
    return f"{count} device{'' if count == 1 else 's'}"


def _others_note(models: Mapping[str, Devices], others: list[str]) -> str:
    if not others:
        return "; no model out of distribution"
    return f"; out of distribution: {_inventory({name: models[name] for name in others})}"
