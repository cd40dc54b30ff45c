from dataclasses import replace

import pytest

from bench.suites.audit.cameras import devices_across_sets, devices_of_a_class, outsiders
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
