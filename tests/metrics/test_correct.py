import pandas as pd
import pytest

from bench.metrics.correct import originally_correct
from bench.metrics.success import success_rates
from tests.metrics.test_paired import rows


def test_rows_of_images_that_the_victim_missed_untouched_are_left_out():
    clean = rows("identity", 0, chance=0.3, targeted=False)
    attacked = rows("one", 1)
    frame = pd.concat([attacked, clean], ignore_index=True)
    kept = originally_correct(frame)
    right = {
        (image, victim)
        for image, victim, label in zip(
            clean["image_id"], clean["victim"], clean["predicted"], strict=True
        )
        if label == "a"
    }
    assert 0 < len(right) < len(clean)
    assert set(zip(kept["image_id"], kept["victim"], strict=True)) == right
    expected = attacked[[pair in right for pair in zip(attacked["image_id"], attacked["victim"],
                                                       strict=True)]]  # fmt: skip
    rates = success_rates(kept, "in").set_index(["attack", "victim"])
    mine = expected[expected["victim"] == "v1"]
    assert rates.loc[("one", "v1"), "tasr"] == (mine["predicted"] == mine["target"]).mean()
    assert (rates.loc["identity", "uasr"] == 0).all()  # by construction


def test_out_of_distribution_rows_and_order():
    frame = pd.concat(
        [rows("one", 1).assign(split="out"), rows("identity", 0, targeted=False)],
        ignore_index=True,
    )
    kept = originally_correct(frame)
    assert set(kept["split"]) == {"in"}
    assert kept.index.is_monotonic_increasing


def test_without_the_identity_control_nothing_is_known():
    with pytest.raises(ValueError, match="clean accuracy is unknown"):
        originally_correct(rows("one", 0))
