"""Scenes that several cameras photographed: one set each, so that no content is in two sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from bench.store import digest
from bench.suites.layouts.naming import Photo
from bench.types import SetName

SHARE: Mapping[SetName, int] = {"A": 2, "B": 2, "C": 1}  # of every five scenes


def scene_of(photo: Photo) -> str:
    """Its scene; a photograph without one is a scene of its own."""
    return photo.path.as_posix() if photo.scene is None else photo.scene


def give_homes(
    parts: Iterable[Mapping[SetName, Sequence[Photo]]], seed: int
) -> Mapping[str, SetName]:
    """Give each scene to one of the sets that its photographs are in.

    Args:
        parts: For each class, the photographs that each set could have.
        seed: Chooses.

    Returns:
        The one set that has photographs of a scene, by scene.
    """
    possible: dict[str, set[SetName]] = defaultdict(set)
    for part in parts:
        for set_name, photos in part.items():
            for photo in photos:
                possible[scene_of(photo)].add(set_name)
    homes: dict[str, SetName] = {s: min(sets) for s, sets in possible.items() if len(sets) == 1}
    given = dict.fromkeys(SHARE, 0)
    shared = [scene for scene, sets in possible.items() if len(sets) > 1]
    for scene in sorted(shared, key=lambda scene: digest([seed, "scenes", scene])):
        home = min(possible[scene], key=lambda name: (given[name] / SHARE[name], name))
        homes[scene] = home
        given[home] += 1
    return homes


def held_out(photos: Sequence[Photo], count: int, seed: int, purpose: str) -> set[str]:
    """Choose `count` photographs or more for validation, all of a scene together.

    Scenes are tried in the same order for all models; how many are taken depends on `count`. One
    scene at least is left to train on, unless there is but one.

    Returns:
        The paths of the photographs.
    """
    by_scene: dict[str, list[str]] = defaultdict(list)
    for photo in photos:
        by_scene[scene_of(photo)].append(photo.path.as_posix())
    if len(by_scene) == 1:
        by_scene = {path: [path] for path in next(iter(by_scene.values()))}
    chosen: set[str] = set()
    for scene in sorted(by_scene, key=lambda scene: digest([seed, purpose, scene]))[:-1]:
        if len(chosen) >= count:
            break
        chosen.update(by_scene[scene])
    return chosen
