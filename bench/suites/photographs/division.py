"""Which photographs of a folder go into which set.

By device where at least two models have three devices: no physical camera is in two sets. Else by
image, which flatters victims and attacks alike, and is said in the note under every table. No scene
is in two sets either, where names tell scenes.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from bench.store import digest
from bench.suites.base import SPLIT_BY_IMAGE
from bench.suites.photographs.layouts import natural_key
from bench.suites.photographs.scan import Photo
from bench.types import IN, OUT, SETS, CamobenchError, SetName, Split
from bench.wording import listed, plural, unknown

NEEDED: Mapping[SetName, int] = {"A": 2, "B": 2, "C": 1}  # training and validation; evaluation
SHARE: Mapping[SetName, int] = {"A": 2, "B": 2, "C": 1}  # of every five scenes
SEED = 0  # of devices, scenes and validation photographs
VALIDATION_FRACTION = 0.1  # of each class in Set-A and in Set-B, but one photograph at least
PHOTOS_C = 100  # of a model in Set-C at most, the first of each device by shot
_LISTED = 12  # models named in a message
_NEEDS = f"needs {sum(NEEDED.values())} photographs, of a scene for each set where names tell them"
_OPTIMISTIC = f"WARNING, {SPLIT_BY_IMAGE}, not by device: the numbers are optimistic, as"
_UNTOLD = (
    f"{_OPTIMISTIC} the files' names tell no physical camera and one may be in more than one set"
)

Devices: TypeAlias = Mapping[str, Sequence[Photo]]  # the photographs of each device, in order
Parts: TypeAlias = Mapping[SetName, Sequence[Photo]]  # what each set may have


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A photograph and the place it was given."""

    photo: Photo
    set: SetName
    split: Split
    partition: str


@dataclass(frozen=True)
class Division:
    """In-distribution models, others, their photographs in that order, and a note for people."""

    classes: tuple[str, ...]
    others: tuple[str, ...]
    placed: tuple[Placed, ...]
    note: str


def divide(
    photos: Iterable[Photo],
    *,
    classes: Sequence[str] | None = None,
    tells_devices: bool = True,
) -> Division:
    """Divide photographs into Set-A, Set-B and Set-C.

    Args:
        photos: Of all models.
        classes: The in-distribution models; by default all that have enough.
        tells_devices: Whether it is known which photographs one physical camera took.

    Raises:
        CamobenchError: If fewer than two models can be classes, or one of `classes` cannot.
    """
    photos = list(photos)
    models = _by_model(photos)
    told = any(photo.scene is not None for photo in photos)
    by_device = _apart(models, classes or list(models), _whole_devices)
    by_image = _apart(models, list(models), _any_scene if told else _neighbours)
    if classes is None:
        parts = by_device if len(by_device) >= 2 else by_image
        chosen = list(parts)
    else:
        _require_possible(classes, models, by_image)
        chosen = list(classes)
        parts = by_device if len(by_device) == len(chosen) else by_image
    if len(chosen) < 2:
        raise CamobenchError(
            f"fewer than two camera models can be classes; found {_inventory(models)}. A class "
            f"{_NEEDS}, and three devices for a split by device: add photographs or models"
        )
    placed = [p for name in chosen for p in _place(parts[name])]
    trained = {place.photo.scene for place in placed if place.set != "C"} - {None}
    unseen = {
        name: [photo for photo in _flat(devices) if photo.scene not in trained]
        for name, devices in models.items()
        if name not in chosen
    }
    others = [name for name, photos in unseen.items() if photos]
    placed += [
        Placed(photo=photo, set="C", split=OUT, partition="evaluation")
        for name in others
        for photo in _first(unseen[name])
    ]
    note = _UNTOLD
    if tells_devices or parts is by_device:
        note = _devices_note(models, chosen, placed, parts is by_device)
    if told:
        kept = {p.path for name in chosen for photos in parts[name].values() for p in photos}
        kept |= {photo.path for name in unseen for photo in unseen[name]}
        lost = sum(photo.path not in kept for photo in photos)
        cost = f": {lost} photographs of scenes of other sets left out" if lost else ""
        note += f"; no scene is in two sets{cost}"
    outside = _inventory({name: models[name] for name in others})
    note += f"; out of distribution: {outside}" if others else "; no model out of distribution"
    return Division(tuple(chosen), tuple(others), tuple(placed), note)


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


def _flat(devices: Devices) -> list[Photo]:
    return [photo for photos in devices.values() for photo in photos]


def _shuffled(devices: Iterable[str]) -> list[str]:
    """Shuffle by hash: the same on every platform, and an added device moves no other."""
    return sorted(devices, key=lambda name: digest([SEED, "devices", name]))


def _enough(parts: Parts) -> bool:
    return all(len(parts.get(set_name, ())) >= NEEDED[set_name] for set_name in SETS)


def _whole_devices(devices: Devices) -> Parts:
    """Give whole devices to the sets: of 5 two to A and B, of 4 two to A, of 3 one to each."""
    count = len(devices)
    in_c = max(1, count // 5)
    in_a = math.ceil((count - in_c) / 2)
    order = _shuffled(devices)
    for names in (order, sorted(order, key=lambda name: -len(devices[name]))):
        given = (names[:in_a], names[in_a : count - in_c], names[count - in_c :])
        parts: Parts = {
            set_name: [photo for name in some for photo in devices[name]]
            for set_name, some in zip(SETS, given, strict=True)
        }
        if count >= 3 and _enough(parts):
            return parts
    return {}


def _neighbours(devices: Devices) -> Parts:
    """Cut the photographs, device after device, so that neighbouring shots stay together."""
    order = _flat({name: devices[name] for name in _shuffled(devices)})
    share = max(NEEDED["A"], len(order) * 2 // 5)
    return {"A": order[:share], "B": order[share : 2 * share], "C": order[2 * share :]}


def _any_scene(devices: Devices) -> Parts:
    """Offer all photographs to all sets: where the scenes are at home decides."""
    order = _flat({name: devices[name] for name in _shuffled(devices)})
    return dict.fromkeys(SETS, order) if len(order) >= sum(NEEDED.values()) else {}


def _apart(
    models: Mapping[str, Devices],
    names: Iterable[str],
    cut: Callable[[Devices], Parts],
) -> dict[str, Parts]:
    """The parts of each of the named models that has enough when no scene is in two sets."""
    offered = {name: parts for name in names if _enough(parts := cut(models.get(name, {})))}
    homes = _give_homes(offered.values())
    kept: dict[str, Parts] = {
        name: {s: [p for p in photos if homes[_scene_of(p)] == s] for s, photos in parts.items()}
        for name, parts in offered.items()
    }
    return {name: parts for name, parts in kept.items() if _enough(parts)}


def _scene_of(photo: Photo) -> str:
    """Its scene; a photograph without one is a scene of its own."""
    return photo.path.as_posix() if photo.scene is None else photo.scene


def _give_homes(offered: Iterable[Parts]) -> Mapping[str, SetName]:
    """Give each scene to one of the sets that its photographs may be in."""
    possible: dict[str, set[SetName]] = defaultdict(set)
    for parts in offered:
        for set_name, photos in parts.items():
            for photo in photos:
                possible[_scene_of(photo)].add(set_name)
    homes: dict[str, SetName] = {s: min(sets) for s, sets in possible.items() if len(sets) == 1}
    given: Counter[SetName] = Counter()
    for scene in sorted(possible.keys() - homes, key=lambda s: digest([SEED, "scenes", s])):
        home = min(possible[scene], key=lambda name: (given[name] / SHARE[name], name))
        homes[scene] = home
        given[home] += 1
    return homes


def _place(parts: Parts) -> list[Placed]:
    """Choose the validation photographs of a class and cap its Set-C."""
    placed = []
    for set_name, photos in parts.items():
        if set_name == "C":
            told = dict.fromkeys(_first(photos), "evaluation")
        else:
            count = max(1, round(VALIDATION_FRACTION * len(photos)))
            held_out = _held_out(photos, count, f"validation {set_name}")
            told = {photo: "validation" if photo in held_out else "train" for photo in photos}
        placed += [Placed(photo=p, set=set_name, split=IN, partition=s) for p, s in told.items()]
    return placed


def _held_out(photos: Sequence[Photo], count: int, purpose: str) -> set[Photo]:
    """Choose `count` photographs or more for validation, all of a scene together.

    Scenes are tried in the same order for all models; how many are taken depends on `count`. One
    scene at least is left to train on, unless there is but one.
    """
    by_scene: dict[str, list[Photo]] = defaultdict(list)
    for photo in photos:
        by_scene[_scene_of(photo)].append(photo)
    if len(by_scene) == 1:
        by_scene = {photo.path.as_posix(): [photo] for photo in photos}
    chosen: set[Photo] = set()
    for scene in sorted(by_scene, key=lambda scene: digest([SEED, purpose, scene]))[:-1]:
        if len(chosen) < count:
            chosen.update(by_scene[scene])
    return chosen


def _first(photos: Sequence[Photo]) -> list[Photo]:
    """Take `PHOTOS_C` photographs, the first shots of each device alike."""
    devices = pd.Series([photo.device for photo in photos])
    turns = devices.groupby(devices).cumcount().sort_values(kind="stable")
    return [photos[place] for place in sorted(turns.index[:PHOTOS_C])]


def _require_possible(
    classes: Sequence[str], models: Mapping[str, Devices], by_image: Mapping[str, Parts]
) -> None:
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise CamobenchError(
            f"expected two or more `classes`, each once, got {', '.join(classes) or 'none'}"
        )
    for name in classes:
        if name not in models:
            raise CamobenchError(unknown("camera model", name, models))
        if name not in by_image:
            raise CamobenchError(
                f"{name} cannot be a class ({_inventory({name: models[name]})}): it {_NEEDS}; "
                "add photographs or leave it out of `classes`"
            )


def _inventory(models: Mapping[str, Devices]) -> str:
    """Models with the number of photographs of each device."""
    told = (
        f"{name} ({plural(len(devices), 'device')}, photographs: "
        f"{' + '.join(str(len(photos)) for photos in devices.values())})"
        for name, devices in models.items()
    )
    return listed(told, _LISTED)


def _devices_note(
    models: Mapping[str, Devices], chosen: list[str], placed: list[Placed], by_device: bool
) -> str:
    """Say how many devices of each class are in each set; or loudly, how many are shared."""
    used = {(p.photo.model, p.photo.device, p.set) for p in placed}
    if by_device:
        counts = Counter((model, set_name) for model, _, set_name in used)
        told = [f"{name} {'/'.join(str(counts[name, s]) for s in SETS)}" for name in chosen]
        return f"split by device (devices in Set-A/B/C: {', '.join(told)})"
    sets = Counter((model, device) for model, device, _ in used)
    shared = Counter(model for (model, _), count in sets.items() if count > 1)
    told = [f"{name} {shared[name]} of {plural(len(models[name]), 'device')}" for name in chosen]
    return (
        f"{_OPTIMISTIC} physical cameras are in more than one set ({listed(told, _LISTED)}). A "
        "split by device needs three devices a model, with photographs for every set"
    )
