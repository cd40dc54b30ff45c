import pandas as pd

from bench.suites.audit.cameras import class_balance
from tests.suites.audit.frames import CARD, manifest


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
