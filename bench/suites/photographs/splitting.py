"""Which photographs of a folder go into which set.

By device where at least two models have three devices: no physical camera is in two sets. Else by
image, which flatters victims and attacks alike, and is said in the note under every table. Where
names tell scenes, no scene is in two sets either.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from bench.store import digest
from bench.suites.layouts.naming import Photo, natural_key
from bench.suites.photographs.division import (
    LISTED,
    NEEDED,
    UNTOLD_NOTE,
    Devices,
    Division,
    Parts,
    Placed,
    device_note,
    enough,
    flat,
    image_note,
    inventory,
    others_note,
    scene_note,
)
from bench.suites.photographs.scene_homes import give_homes, held_out, scene_of
from bench.types import IN, OUT, SETS, CamobenchError
from bench.wording import near


def divide(
    photos: Iterable[Photo],
    *,
    classes: Sequence[str] | None = None,
    seed: int = 0,
    validation_fraction: float = 0.1,
    photos_c: int = 100,
    tells_devices: bool = True,
) -> Division:
    """Divide photographs into Set-A, Set-B and Set-C.

    Args:
        photos: Of all models.
        classes: The in-distribution models; by default all that have enough.
        seed: Chooses devices and validation photographs.
        validation_fraction: Of each class in Set-A and in Set-B, but one photograph at least.
        photos_c: Most photographs of a model in Set-C, the first of each device by shot.
        tells_devices: Whether it is known which photographs one physical camera took.

    Raises:
        CamobenchError: If fewer than two models can be classes, or one of `classes` cannot.
    """
    models = _by_model(photos)
    told = any(p.scene is not None for devices in models.values() for p in flat(devices))
    by_device = {name: _by_device(devices, seed) for name, devices in models.items()}
    by_image = {
        name: _by_scene(devices, seed) if told else _by_image(devices, seed)
        for name, devices in models.items()
    }
    if told:
        by_image = _scene_disjoint(by_image, list(by_image), seed)
    if classes is None:
        chosen = [name for name, parts in by_device.items() if parts]
        if told:
            by_device = _scene_disjoint(by_device, chosen, seed)
            chosen = [name for name in chosen if by_device[name]]
        if len(chosen) < 2:
            chosen = [name for name, parts in by_image.items() if parts]
        if len(chosen) < 2:
            raise CamobenchError(
                f"fewer than two camera models can be classes; found {inventory(models)}. A class "
                f"needs {sum(NEEDED.values())} photographs, and three devices for a split by "
                "device: add photographs or models"
            )
    else:
        chosen = _checked(classes, models, by_image)
        if told:
            by_device = _scene_disjoint(by_device, chosen, seed)
    parts = by_device if all(by_device[name] for name in chosen) else by_image
    others = [name for name in models if name not in chosen]
    placed = []
    for name in chosen:
        placed += _place(parts[name] or {}, seed, validation_fraction, photos_c)
    trained = {p.photo.scene for p in placed if p.set != "C"} - {None}
    for name in list(others):
        unseen = [photo for photo in flat(models[name]) if photo.scene not in trained]
        if not unseen:
            others.remove(name)
        outside = _first(unseen, photos_c)
        placed += [Placed(photo=p, set="C", split=OUT, partition="evaluation") for p in outside]
    if parts is by_device:
        note = device_note(chosen, placed)
    else:
        note = image_note(models, chosen, placed) if tells_devices else UNTOLD_NOTE
    if told:
        note += scene_note(models, [parts[name] or {} for name in chosen], trained)
    return Division(
        classes=tuple(chosen),
        others=tuple(others),
        placed=tuple(placed),
        note=note + others_note(models, others),
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
    shuffled = _shuffled(devices, seed)
    for order in (shuffled, sorted(shuffled, key=lambda name: -len(devices[name]))):
        given = {"A": order[:in_a], "B": order[in_a : count - in_c], "C": order[count - in_c :]}
        parts: Parts = {
            set_name: [photo for name in given[set_name] for photo in devices[name]]
            for set_name in SETS
        }
        if enough(parts):
            return parts
    return None


def _by_image(devices: Devices, seed: int) -> Parts | None:
    """Cut the photographs, device after device, so that neighbouring shots stay together."""
    order = [photo for name in _shuffled(devices, seed) for photo in devices[name]]
    if len(order) < sum(NEEDED.values()):
        return None
    share = max(NEEDED["A"], len(order) * 2 // 5)
    return {"A": order[:share], "B": order[share : 2 * share], "C": order[2 * share :]}


def _by_scene(devices: Devices, seed: int) -> Parts | None:
    """Offer all photographs to all sets: where the scenes are at home decides."""
    parts = _by_image(devices, seed)
    everything = [photo for photos in parts.values() for photo in photos] if parts else []
    return dict.fromkeys(SETS, everything) if parts else None


def _scene_disjoint(
    parts: Mapping[str, Parts | None], names: Iterable[str], seed: int
) -> dict[str, Parts | None]:
    """Leave photographs out until no scene is in two sets; `None` for who has too few then."""
    given = {name: part for name in names if (part := parts[name])}
    homes = give_homes(given.values(), seed)
    kept: dict[str, Parts | None] = dict.fromkeys(parts)
    for name, part in given.items():
        left: Parts = {
            s: [p for p in photos if homes[scene_of(p)] == s] for s, photos in part.items()
        }
        kept[name] = left if enough(left) else None
    return kept


def _place(parts: Parts, seed: int, validation_fraction: float, photos_c: int) -> list[Placed]:
    """Choose the validation photographs of a class and cap its Set-C."""
    placed = []
    for set_name, photos in parts.items():
        if set_name == "C":
            told = dict.fromkeys(_first(photos, photos_c), "evaluation")
        else:
            count = max(1, round(validation_fraction * len(photos)))
            validation = held_out(photos, count, seed, f"validation {set_name}")
            told = {p: "validation" if p.path.as_posix() in validation else "train" for p in photos}
        placed += [Placed(photo=p, set=set_name, split=IN, partition=s) for p, s in told.items()]
    return placed


def _first(photos: Sequence[Photo], count: int) -> list[Photo]:
    """Take `count` photographs, the first shots of each device alike."""
    rank: Counter[str] = Counter()
    turns: list[tuple[int, int]] = []
    for place, photo in enumerate(photos):
        turns.append((rank[photo.device], place))
        rank[photo.device] += 1
    return [photos[place] for place in sorted(place for _, place in sorted(turns)[:count])]


def _shuffled(devices: Iterable[str], seed: int) -> list[str]:
    """Shuffle by hash: the same on every platform, and an added device moves no other."""
    return sorted(devices, key=lambda name: digest([seed, "devices", name]))


def _checked(
    classes: Sequence[str], models: Mapping[str, Devices], by_image: Mapping[str, Parts | None]
) -> list[str]:
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise CamobenchError(
            f"expected two or more `classes`, each once, got {', '.join(classes) or 'none'}"
        )
    for name in classes:
        if name not in models:
            close = near(name, models) or list(models)[:LISTED]
            raise CamobenchError(f"no camera model {name!r} in the folder; has {', '.join(close)}")
        if not by_image[name]:
            raise CamobenchError(
                f"{name} has too few photographs for a class ({inventory({name: models[name]})}); "
                f"it needs {sum(NEEDED.values())}: add photographs or leave it out of `classes`"
            )
    return list(classes)
