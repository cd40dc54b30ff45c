from dataclasses import replace

import pandas as pd
import pytest

from bench.suites.audit.leaks import copies_of_files, photographs, scenes_across_sets
from bench.suites.base import SHARED_SCENES
from tests.suites.audit.frames import CARD, manifest, spoilt


def test_a_clean_suite_passes():
    assert scenes_across_sets(manifest(), CARD).finding == "no scene is in two sets (12 scenes)"
    for found in (
        scenes_across_sets(manifest(), CARD),
        photographs(manifest()),
        copies_of_files(manifest()),
    ):
        assert found.verdict == "pass", found
    assert "(28 photographs)" in photographs(manifest()).finding
    assert "(28 files)" in copies_of_files(manifest()).finding


def test_a_shared_scene_fails_unless_the_note_says_so():
    frame = spoilt(C_one_0_0__scene="A00", B_two_0_0__scene="B11")
    found = scenes_across_sets(frame, CARD)
    assert found.verdict == "fail"
    assert found.finding == "1 of 12 scenes in more than one set; A00 (A, C)"
    found = scenes_across_sets(frame, replace(CARD, note=f"by device; {SHARED_SCENES} by design"))
    assert found.verdict == "warn"


def test_scenes_that_are_not_known():
    frame = manifest()
    frame["scene"] = None
    assert scenes_across_sets(frame, CARD).verdict == "not recorded"
    found = scenes_across_sets(frame, replace(CARD, note=f"Dresden; {SHARED_SCENES}"))
    assert found.verdict == "warn"
    assert "which ones is not recorded" in found.finding
    found = scenes_across_sets(spoilt(C_one_0_0__scene=None), CARD)
    assert found.verdict == "pass"
    assert "known for 27 of 28 images" in found.finding


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"C_one_0_0__photo_id": "A-one-0-0"}, "on two sides; A-one-0-0 (A train, C)"),
        ({"A_one_0_1__photo_id": "A-one-0-0"}, "A-one-0-0 (A train, A validation)"),
        ({"B_one_1_0__photo_id": "B-one-0-0"}, "two cameras; B-one-0-0 (one one-B0, one one-B1)"),
        ({"A_two_0_0__image_id": "A-one-0-0"}, "1 image name given twice; A-one-0-0"),
    ],
)
def test_photographs_on_two_sides_fail(cells, message):
    found = photographs(spoilt(**cells))
    assert found.verdict == "fail"
    assert message in found.finding


def test_tiles_of_one_photograph_on_one_side_are_as_they_should_be():
    frame = manifest()
    tiles = frame.assign(image_id=frame["image_id"] + "-x16")
    both = pd.concat([frame, tiles])
    assert photographs(both).verdict == "pass"
    assert copies_of_files(both).verdict == "pass"


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"C_one_0_0__sha256": "A-one-0-0"}, "A train: A-one-0-0 = C: C-one-0-0"),
        ({"A_one_0_1__sha256": "A-one-0-0"}, "A train: A-one-0-0 = A validation: A-one-0-1"),
        ({"B_two_0_0__sha256": "B-one-0-0"}, "B train: B-one-0-0 = B train: B-two-0-0"),
        ({"C_three_0_0__sha256": "C-one-0-0"}, "C: C-one-0-0 = C: C-three-0-0"),
    ],
)
def test_a_file_on_two_sides_or_of_two_classes_fails(cells, message):
    found = copies_of_files(spoilt(**cells))
    assert found.verdict == "fail"
    assert found.finding == f"1 file on two sides or of two camera models; {message}"


def test_a_file_twice_in_one_place_is_a_warning():
    found = copies_of_files(spoilt(C_one_1_0__sha256="C-one-0-0"))
    assert found.verdict == "warn"
    assert "more than once in one class of one set; C: C-one-0-0 = C: C-one-1-0" in found.finding
