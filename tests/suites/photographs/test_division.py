"""Whatever photographs there are, no camera, scene or photograph trains and evaluates."""

import re
from collections import Counter, defaultdict
from pathlib import PurePosixPath

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.suites.base import SPLIT_BY_IMAGE
from bench.suites.photographs.division import divide
from bench.suites.photographs.scan import Photo
from bench.types import CamobenchError


def photos_of(models, scenes=None):
    """Photographs by model and device; `scenes` says how many scenes they show by turns."""
    found = []
    for model, devices in models.items():
        for device, count in enumerate(devices):
            for shot in range(count):
                name = f"{model}/{device}/{shot}.jpg"
                scene = None if scenes is None else f"s{(shot + device) % scenes}"
                found.append(
                    Photo(
                        path=PurePosixPath(name),
                        model=model,
                        device=f"{model}/{device}",
                        shot=str(shot),
                        scene=scene,
                        sha256=name,
                        width=64,
                        height=64,
                    )
                )
    return found


def of_each_set(division, key, model=None):
    found = defaultdict(set)
    for place in division.placed:
        if model in (None, place.photo.model):
            found[place.set].add(key(place.photo))
    return found


def disjoint(sets):
    return sum(map(len, sets.values())) == len(set().union(*sets.values()))


MODELS = st.dictionaries(
    st.sampled_from(["ace", "bee", "cat", "dog"]),
    st.lists(st.integers(1, 7), min_size=1, max_size=6),
    min_size=1,
)


@pytest.mark.parametrize("classes", [None, ("ace", "bee")])
def test_photographs_of_one_scene_are_no_three_sets(classes):
    with pytest.raises(CamobenchError, match="of a scene for each set"):
        divide(photos_of({"ace": [9], "bee": [9]}, 1), classes=classes)


@given(MODELS, st.none() | st.integers(1, 9))
def test_a_division_keeps_the_sides_apart(models, scenes):
    photos = photos_of(models, scenes)
    if scenes is None and sum(sum(devices) >= 5 for devices in models.values()) < 2:
        with pytest.raises(CamobenchError, match="fewer than two camera models can be classes"):
            divide(photos)
        return
    try:
        division = divide(photos)
    except CamobenchError:
        assume(scenes is None)  # too few photographs are left where no scene may be shared
        raise
    assert divide(photos[::-1]) == division
    assert not set(division.classes) & set(division.others)
    assert disjoint(of_each_set(division, lambda photo: photo.path))
    assert len(division.placed) == len({place.photo.path for place in division.placed})
    by_device = division.note.startswith("split by device")
    assert by_device == (SPLIT_BY_IMAGE not in division.note)
    if by_device:
        assert disjoint(of_each_set(division, lambda photo: photo.device))
    if scenes is not None:
        assert disjoint(homes := of_each_set(division, lambda photo: photo.scene))
        for name in "AB":
            sides = defaultdict(set)
            for place in division.placed:
                if place.set == name:
                    sides[place.photo.model, place.photo.scene].add(place.partition)
            several = Counter(model for model, _ in sides)
            for (model, _), partitions in sides.items():
                assert len(partitions) == 1 or several[model] == 1
        placed = {place.photo for place in division.placed}
        others = [p for p in photos if p.model not in division.classes and p not in placed]
        assert {p.scene for p in others} <= homes["A"] | homes["B"]
        lost = re.search(r"no scene is in two sets: (\d+) photographs", division.note)
        assert len(photos) - len(division.placed) == (int(lost[1]) if lost else 0)
    parts = Counter((p.photo.model, p.set, p.partition) for p in division.placed)
    for place in division.placed:
        inside = place.photo.model in division.classes
        assert place.split == ("in" if inside else "out")
        assert inside or place.set == "C"
        assert (place.partition == "evaluation") == (place.set == "C")
    for model in division.classes:
        for name in "AB":
            assert min(parts[model, name, part] for part in ("train", "validation")) > 0
        assert parts[model, "C", "evaluation"] > 0
    assert all(parts[model, "C", "evaluation"] > 0 for model in division.others)


def test_of_five_devices_two_are_for_each_side_and_one_is_for_evaluation():
    models = {"eight": [7] * 8, "five": [2] * 5, "four": [2] * 4, "three": [3] * 3, "two": [2]}
    division, known = divide(photos_of(models)), {"five": [2, 2, 1], "four": [2, 1, 1]}
    assert (division.classes, division.others) == (("eight", "five", "four", "three"), ("two",))
    for model, expected in (known | {"eight": [4, 3, 1], "three": [1, 1, 1]}).items():
        devices = of_each_set(division, lambda photo: photo.device, model)
        assert [len(devices[name]) for name in "ABC"] == expected
    assert "eight 4/3/1, five 2/2/1, four 2/1/1, three 1/1/1" in division.note
    assert "out of distribution: two (1 device, photographs: 2)" in division.note
    held_out = Counter(
        (p.photo.model, p.set) for p in division.placed if p.partition == "validation"
    )
    assert [held_out["eight", name] for name in "AB"] == [3, 2]  # of 28 and 21
    assert [held_out["five", name] for name in "AB"] == [1, 1]  # of 4 and 4


@pytest.mark.parametrize("counts", [[1, 3, 3], [3, 1, 3], [3, 3, 1]])
def test_the_device_with_fewest_photographs_is_for_evaluation(counts):
    division = divide(photos_of({"ace": counts, "bee": counts}))
    assert division.note.startswith("split by device")


def test_without_enough_devices_the_note_warns_and_counts_those_shared():
    division = divide(photos_of({"one": [3, 3], "two": [4, 6], "few": [1]}))
    devices = of_each_set(division, lambda photo: photo.device)
    shared = {d for x, y in ("AB", "AC", "BC") for d in devices[x] & devices[y]}
    assert division.note.startswith("WARNING, split by image, not by device")
    for name in division.classes:
        count = sum(device.startswith(f"{name}/") for device in shared)
        assert f"{name} {count} of 2 devices" in division.note
    taken = defaultdict(list)
    for place in division.placed:
        if place.photo.model == "two":
            taken[place.photo.device].append(int(place.photo.shot))
    assert all(shots == sorted(shots) for shots in taken.values())  # neighbours stay together


def test_set_c_is_capped_alike_for_all_devices():
    models = {"ace": [80] * 10, "bee": [80] * 10, "rest": [120, 1]}
    division = divide(photos_of(models))
    for model in models:
        placed = [p.photo.device for p in division.placed if (p.photo.model, p.set) == (model, "C")]
        assert sorted(Counter(placed).values()) == ([1, 99] if model == "rest" else [50, 50])


def test_chosen_classes_keep_their_order_and_are_checked():
    photos = photos_of({"five": [2] * 5, "four": [2] * 4, "three": [3] * 3, "two": [2, 1]})
    division = divide(photos, classes=["three", "five"])
    assert (division.classes, division.others) == (("three", "five"), ("four", "two"))
    for classes, message in (
        (["fife", "four"], "unknown camera model 'fife': did you mean five"),
        (["two", "four"], r"two cannot be a class .*2 \+ 1\).*needs 5"),
        (["four", "four"], "two or more `classes`, each once, got four, four"),
    ):
        with pytest.raises(CamobenchError, match=message):
            divide(photos, classes=classes)
    one = photos_of({"ace": [2, 2, 2], "bee": [2, 2, 2], "one": [6]})
    assert divide(one).others == ("one",)
    assert "one 1 of 1 device)" in divide(one, classes=["ace", "one"]).note
