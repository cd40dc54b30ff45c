"""Untouched images: intervals against SciPy, calibration against torchmetrics and by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from torchmetrics.functional.classification import multiclass_calibration_error

from bench.metrics.clean import (
    BINS,
    expected_calibration_error,
    originally_correct,
    reliability,
    share,
    shares_by,
    wilson_interval,
)
from bench.metrics.success import success_rates
from tests.metrics.test_paired import rows


@given(st.integers(1, 60), st.data())
def test_one_image_a_photograph_is_wilsons_interval(count, data):
    hits = data.draw(st.integers(0, count))
    expected = binomtest(hits, count).proportion_ci(method="wilson")
    found = wilson_interval(np.arange(count) < hits, pd.Series(range(count)).astype(str))
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_tiles_that_stand_and_fall_together_count_as_one():
    right = np.repeat([True, True, False, True, False, True, True, True], 4)
    photographs = pd.Series(np.repeat(np.arange(8), 4)).astype(str)
    low, high = wilson_interval(right, photographs)
    alone = binomtest(6, 8).proportion_ci(method="wilson")
    independent = binomtest(24, 32).proportion_ci(method="wilson")
    assert high - low > 1.5 * (independent.high - independent.low)
    assert (low, high) == pytest.approx((alone.low, alone.high), abs=1e-12)


def test_its_coverage_with_tiles_that_share_a_fate():
    random = np.random.default_rng(0)
    photographs = pd.Series(np.repeat(np.arange(40), 5))
    inside = 0
    for _ in range(400):
        chance = np.repeat(random.beta(4, 1, 40), 5)  # mean 0.8
        low, high = wilson_interval(random.random(200) < chance, photographs)
        inside += low <= 0.8 <= high
    assert inside / 400 >= 0.95


def test_shares_by_group():
    rows = pd.DataFrame(
        {
            "source": ["b", "b", "a", "a"],
            "predicted": ["b", "a", "a", "a"],
            "device": ["b-1", "b-2", "a-1", "a-1"],
            "photo_id": list("wxyz"),
        }
    )
    assert share("all", rows).accuracy == 0.75
    assert [(s.name, s.images, s.accuracy) for s in shares_by(rows, "source")] == [
        ("a", 2, 1.0),
        ("b", 2, 0.5),
    ]
    assert [(s.name, s.accuracy) for s in shares_by(rows, "device")] == [
        ("a-1", 1.0),
        ("b-1", 1.0),
        ("b-2", 0.0),
    ]


def error(confidence, correct, bins=BINS):
    return expected_calibration_error(reliability(confidence, correct, bins))


@pytest.mark.parametrize(("bins", "sharpness"), [(5, 3.0), (15, 0.5)])
def test_against_torchmetrics(bins, sharpness):
    generator = torch.Generator().manual_seed(bins)
    scores = (sharpness * torch.randn(400, 6, generator=generator)).softmax(1)
    labels = torch.randint(6, (400,), generator=generator)
    expected = multiclass_calibration_error(scores, labels, num_classes=6, n_bins=bins, norm="l1")
    top, predicted = scores.max(1)
    found = error(top.numpy(), (predicted == labels).numpy(), bins)
    assert found == pytest.approx(float(expected), abs=1e-6)


def test_by_hand():
    # bins of a fifth: (0.4, 0.6] holds 0.5 and 0.6, one right; (0.8, 1] holds 0.9 and 1, both right
    table = reliability([0.5, 0.6, 0.9, 1.0], [True, False, True, True], bins=5)
    assert table["n"].tolist() == [0, 0, 2, 0, 2]
    np.testing.assert_allclose(table["confidence"][[2, 4]], [0.55, 0.95])
    np.testing.assert_allclose(table["accuracy"][[2, 4]], [0.5, 1.0])
    assert table["accuracy"][[0, 1, 3]].isna().all()
    assert expected_calibration_error(table) == pytest.approx((2 * 0.05 + 2 * 0.05) / 4)


def test_edges_belong_to_the_bin_below_and_zero_to_the_first():
    table = reliability([0.0, 0.2, 0.2 + 1e-9, 1.0], [True] * 4, bins=5)
    assert table["n"].tolist() == [2, 1, 0, 0, 1]
    assert table["low"].tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert table["high"].iloc[-1] == 1


@pytest.mark.parametrize(
    ("confidence", "correct", "bins", "message"),
    [
        ([], [], 15, "at least one"),
        ([0.5], [True, False], 15, r"got shapes \(1,\) and \(2,\)"),
        ([float("nan")], [True], 15, r"in \[0, 1\]"),
        ([1.1], [True], 15, r"in \[0, 1\]"),
        ([0.5], [True], 0, "at least one bin"),
    ],
)
def test_what_is_no_confidence_is_refused(confidence, correct, bins, message):
    with pytest.raises(ValueError, match=message):
        reliability(confidence, correct, bins)


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
