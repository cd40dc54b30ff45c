from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from bench.suites.audit.manifest_checks import (
    chroma_subsampling,
    class_balance,
    copies_of_files,
    devices_across_sets,
    devices_of_a_class,
    jpeg_tables,
    named_percent,
    outsiders,
    photographs,
    scenes_across_sets,
)
from bench.suites.base import SHARED_SCENES, SuiteCard

CARD = SuiteCard(
    name="toy-v1",
    version=1,
    fingerprint="f" * 64,
    classes=("one", "two"),
    others=("three",),
    image_px=64,
)


def manifest():
    """Two devices of each class in each set, one of the outsider; a JPEG table for everything."""
    rows = []
    for set_name, model, device, shot in product("ABC", ("one", "two", "three"), (0, 1), (0, 1)):
        name = f"{set_name}-{model}-{device}-{shot}"
        trained = ("train", "validation")[shot]
        row = {
            "image_id": name,
            "photo_id": name,
            "model": model,
            "device": f"{model}-{set_name}{device}",
            "scene": f"{set_name}{device}{shot}",
            "set": set_name,
            "split": "out" if model == "three" else "in",
            "partition": "evaluation" if set_name == "C" else trained,
            "sha256": name,
            "jpeg_tables": "t",
            "jpeg_quality": 90,
            "jpeg_subsampling": "4:2:0",
        }
        if set_name == "C" or model != "three":
            rows.append(row)
    return pd.DataFrame(rows)


def spoilt(**cells):
    """The manifest with columns of single rows changed: `image_id__column=value` by keyword."""
    frame = manifest()
    for place, value in cells.items():
        name, column = place.split("__")
        rows = frame["image_id"] == name.replace("_", "-")
        assert rows.sum() == 1, name
        frame.loc[rows, column] = value
    return frame


NOTED = replace(CARD, note=f"WARNING, split by image, not by device; {SHARED_SCENES}")


def files(frame, _):
    return copies_of_files(frame)


def photos(frame, _):
    return photographs(frame)


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (devices_across_sets, "no device is in two sets (14 devices)"),
        (devices_of_a_class, "devices in Set-A/B/C: one 2/2/2, two 2/2/2"),
        (outsiders, "in Set-C alone: three"),
        (scenes_across_sets, "no scene is in two sets (12 scenes)"),
        (class_balance, "Set-A train 1.00, Set-A validation 1.00, Set-B train 1.00"),
        (photos, "(28 photographs)"),
        (files, "(28 files)"),
    ],
)
def test_a_clean_suite_passes_with_tiles_too(check, told):
    frame = manifest()
    found = check(frame, CARD)
    assert found.verdict == "pass"
    assert told in found.finding
    tiles = pd.concat([frame, frame.assign(image_id=frame["image_id"] + "-x16")])
    assert check(tiles, CARD).verdict == "pass"


@pytest.mark.parametrize(
    ("check", "cells", "told", "noted"),
    [
        (
            devices_across_sets,
            {"C_one_0_1__device": "one-A0", "B_one_0_0__device": "one-A0"},
            "1 of 14 devices in more than one set; one-A0 (A, B, C)",
            "warn",
        ),
        (outsiders, {"B_one_0_0__model": "three"}, "; three in Set-B as `in`", "fail"),
        (outsiders, {"C_three_0_0__split": "in"}, "; three in Set-C as `in`", "fail"),
        (outsiders, {"C_one_1_1__split": "out"}, "; one in Set-C as `out`", "fail"),
        (outsiders, {"C_three_0_0__model": "four"}, "; four in Set-C as `out`", "fail"),
        (
            scenes_across_sets,
            {"C_one_0_0__scene": "A00", "B_two_0_0__scene": "B11"},
            "1 of 12 scenes in more than one set; A00 (A, C)",
            "warn",
        ),
        (photos, {"C_one_0_0__photo_id": "A-one-0-0"}, "A-one-0-0 (A train, one one-A0, C", "fail"),
        (photos, {"A_one_0_1__photo_id": "A-one-0-0"}, "A validation, one one-A0)", "fail"),
        (photos, {"B_one_1_0__photo_id": "B-one-0-0"}, "two devices; B-one-0-0", "fail"),
        (photos, {"A_two_0_0__image_id": "A-one-0-0"}, "given twice; A-one-0-0", "fail"),
        (files, {"C_one_0_0__sha256": "A-one-0-0"}, "A train: A-one-0-0 = C: C-one-0-0", "fail"),
        (files, {"A_one_0_1__sha256": "A-one-0-0"}, "= A validation: A-one-0-1", "fail"),
        (files, {"B_two_0_0__sha256": "B-one-0-0"}, "= B train: B-two-0-0", "fail"),
        (files, {"C_three_0_0__sha256": "C-one-0-0"}, "= C: C-three-0-0", "fail"),
    ],
)
def test_what_is_on_two_sides_fails_unless_the_note_says_so(check, cells, told, noted):
    found = check(spoilt(**cells), CARD)
    assert found.verdict == "fail"
    assert told in found.finding
    assert check(spoilt(**cells), NOTED).verdict == noted


def without(frame, **values):
    chosen = pd.concat([frame[name] == value for name, value in values.items()], axis=1)
    return frame[~chosen.all(axis=1)]


@pytest.mark.parametrize(
    ("check", "gone", "verdict", "headline"),
    [
        (devices_of_a_class, {"device": "two-C1"}, "warn", "a single device of 1 of 2 classes in"),
        (devices_of_a_class, {"model": "two", "set": "B"}, "fail", "no device of two in Set-B"),
        (
            class_balance,
            {"set": "A", "model": "two", "partition": "validation"},
            "fail",
            "no image of two in Set-A validation",
        ),
        (class_balance, {"set": "C"}, "fail", "no image of one, two in Set-C, three in Set-C out"),
    ],
)
def test_what_is_missing_is_named(check, gone, verdict, headline):
    found = check(without(manifest(), **gone), CARD)
    assert found.verdict == verdict
    assert found.headline.startswith(headline)


def test_a_class_three_times_as_large_as_another_is_too_much():
    frame = manifest()
    extra = frame[(frame["model"] == "one") & (frame["set"] == "B")]
    assert class_balance(pd.concat([frame, extra]), CARD).verdict == "pass"
    assert class_balance(pd.concat([frame, extra, extra]), CARD).verdict == "warn"


def test_scenes_that_are_not_known():
    frame = manifest().assign(scene=None)
    assert scenes_across_sets(frame, CARD).verdict == "not recorded"
    assert scenes_across_sets(frame, NOTED).verdict == "warn"
    found = scenes_across_sets(spoilt(C_one_0_0__scene=None), CARD)
    assert (found.verdict, "known for 27 of 28 images" in found.finding) == ("pass", True)


def test_a_file_twice_in_one_place_is_a_warning():
    assert copies_of_files(spoilt(C_one_1_0__sha256="C-one-0-0")).verdict == "warn"


def test_tables_that_all_share_tell_nothing():
    found = jpeg_tables(manifest(), CARD)
    assert found.verdict == "pass"
    assert found.headline == (
        "JPEG tables alone name the class of 50 % of Set-C's 8 photographs (chance 50 %)"
    )
    assert "three: quality 90 100 %" in found.finding


def test_tables_of_ones_own_tell_the_class():
    frame = manifest()
    frame["jpeg_tables"] = "t-" + frame["model"]
    frame.loc[frame["image_id"] == "A-two-1-1", ["jpeg_tables", "jpeg_quality"]] = ["t-rare", 75]
    found = jpeg_tables(frame, CARD)
    assert found.verdict == "warn"
    assert "name the class of 100 %" in found.headline
    assert "one: quality 90 100 %; two: quality 90 92 %, quality 75 8 %" in found.finding
    frame.loc[frame["model"] == "two", "jpeg_subsampling"] = "4:2:2"
    frame.loc[frame["image_id"] == "C-two-0-0", "jpeg_subsampling"] = "4:2:0"
    found = chroma_subsampling(frame, CARD)
    assert "names the class of 88 % of Set-C's 8" in found.headline
    assert "one: 4:2:0 100 %; two: 4:2:2 92 %, 4:2:0 8 %" in found.finding


def test_the_accuracy_is_that_of_a_tree_that_knows_the_tables_alone():
    random = np.random.default_rng(0)
    model = random.integers(0, 3, 600)
    table = (model + random.integers(0, 3, 600) * random.integers(0, 2, 600)) % 7
    frame = pd.DataFrame({"model": model, "cue": table})
    learnt, asked = frame[:400], frame[400:]
    one_hot = np.eye(7)[table]
    tree = DecisionTreeClassifier(random_state=0).fit(one_hot[:400], model[:400])
    expected = 100 * tree.score(one_hot[400:], model[400:])
    assert 50 < expected < 99
    assert named_percent(learnt, asked, "cue") == pytest.approx(expected)


def test_tiles_of_one_photograph_count_once_and_no_jpeg_is_a_cue_too():
    frame = manifest()
    columns = ["jpeg_tables", "jpeg_quality", "jpeg_subsampling"]
    frame.loc[frame["model"] == "two", columns] = None
    frame.loc[frame["image_id"] == "C-one-0-0", columns] = None
    tiles = pd.concat([frame, *[frame[frame["image_id"] == "C-one-0-0"]] * 20])
    found = jpeg_tables(tiles, CARD)
    assert found.verdict == "warn"
    assert "the class of 88 % of Set-C's 8 photographs" in found.headline
    assert "two: no JPEG 100 %" in found.finding
    for check in (jpeg_tables, chroma_subsampling):
        found = check(frame.assign(**dict.fromkeys(columns)), CARD)
        assert (found.verdict, found.finding) == ("pass", "no file is a JPEG")
