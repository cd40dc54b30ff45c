from dataclasses import replace

import pandas as pd
import pytest

from bench.suites.audit.devices import (
    class_balance,
    devices_across_sets,
    devices_of_a_class,
    outsiders,
)
from tests.suites.audit.frames import CARD, manifest, spoilt


def test_a_clean_suite_passes():
    found = devices_across_sets(manifest(), CARD)
    assert (found.verdict, found.finding) == ("pass", "no device is in two sets (14 devices)")
    found = devices_of_a_class(manifest(), CARD)
    assert found.verdict == "pass"
    assert "devices in Set-A/B/C: one 2/2/2, two 2/2/2" in found.finding
    found = outsiders(manifest(), CARD)
    assert (found.verdict, found.finding) == ("pass", "in Set-C alone: three")


def test_a_device_in_two_sets_fails_unless_the_note_says_so():
    frame = spoilt(C_one_0_1__device="one-A0", B_one_0_0__device="one-A0")
    found = devices_across_sets(frame, CARD)
    assert found.verdict == "fail"
    assert found.finding == "1 of 14 devices in more than one set; one-A0 (A, B, C)"
    noted = replace(CARD, note="WARNING, split by image, not by device: optimistic")
    found = devices_across_sets(frame, noted)
    assert found.verdict == "warn"
    assert found.headline == "1 of 14 devices in more than one set, as the suite's note says"
    assert devices_across_sets(manifest(), noted).verdict == "pass"


def test_a_device_of_two_models_fails_whatever_the_note_says():
    frame = spoilt(A_two_0_0__device="one-A0")
    found = devices_across_sets(frame, replace(CARD, note="split by image"))
    assert found.verdict == "fail"
    assert found.finding == "1 device of two camera models; one-A0 (one, two)"


def test_a_single_device_of_a_class_is_reported():
    frame = manifest()
    frame = frame[frame["device"] != "two-C1"]
    found = devices_of_a_class(frame, CARD)
    assert found.verdict == "warn"
    assert found.headline == "a single device of 1 of 2 classes in Set-C"
    assert "one 2/2/2, two 2/2/1" in found.finding


def test_a_class_without_devices_in_a_set_fails():
    frame = manifest()
    frame = frame[~((frame["model"] == "two") & (frame["set"] == "B"))]
    found = devices_of_a_class(frame, CARD)
    assert (found.verdict, found.headline) == ("fail", "no device of two in Set-B")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"B_one_0_0__model": "three"}, "models in Set-A or Set-B that are no classes: three"),
        ({"C_three_0_0__split": "in"}, "wrong split: C-three-0-0"),
        ({"C_one_1_1__split": "out"}, "wrong split: C-one-1-1"),
        ({"C_three_0_0__model": "four"}, "models that the suite does not name: four"),
    ],
)
def test_models_that_are_where_they_do_not_belong(cells, message):
    found = outsiders(spoilt(**cells), CARD)
    assert found.verdict == "fail"
    assert message in found.finding


def test_a_suite_without_outsiders():
    frame = manifest()
    found = outsiders(frame[frame["model"] != "three"], replace(CARD, others=()))
    assert (found.verdict, found.finding) == ("pass", "in Set-C alone: none in this suite")


def test_a_balanced_suite_passes():
    found = class_balance(manifest(), CARD)
    assert found.verdict == "pass"
    for part in ("Set-A train", "Set-B validation", "Set-C", "Set-C out of distribution"):
        assert f"{part} 1.00" in found.finding


def test_the_ratio_of_the_largest_to_the_smallest_class():
    frame = manifest()
    extra = frame[(frame["model"] == "one") & (frame["set"] == "B")]
    twice = class_balance(pd.concat([frame, extra]), CARD)
    assert twice.verdict == "pass"
    assert "Set-B train 2.00" in twice.finding
    thrice = class_balance(pd.concat([frame, extra, extra]), CARD)
    assert thrice.verdict == "warn"
    assert thrice.headline == "the largest class has up to 3.00 times the smallest's images"


def test_a_class_without_validation_images_fails():
    frame = manifest()
    bare = (frame["set"] == "A") & (frame["model"] == "two") & (frame["partition"] == "validation")
    found = class_balance(frame[~bare], CARD)
    assert (found.verdict, found.headline) == ("fail", "no image of two in Set-A validation")


def test_empty_parts_fail():
    frame = manifest()
    found = class_balance(frame[(frame["set"] != "C") & (frame["model"] != "one")], CARD)
    assert found.verdict == "fail"
    for part in ("one in Set-A train", "one, two in Set-C", "three in Set-C out of distribution"):
        assert part in found.finding
