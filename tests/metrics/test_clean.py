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
    expected_calibration_error,
    originally_correct,
    reliability,
    wilson_interval,
)
from bench.metrics.success import success_rates


@given(st.integers(1, 60), st.data())
def test_one_image_a_photograph_is_wilsons_interval(count, data):
    hits = data.draw(st.integers(0, count))
    expected = binomtest(hits, count).proportion_ci(method="wilson")
    found = wilson_interval(np.arange(count) < hits, pd.Series(range(count)).astype(str))
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)
    tiles = wilson_interval(np.arange(2 * count) // 2 < hits, pd.Series(range(2 * count)) // 2)
    assert tiles == found  # a photograph counts once


def error(confidence, correct):
    return expected_calibration_error(reliability(confidence, correct))


@pytest.mark.parametrize("sharpness", [3.0, 0.5])
def test_against_torchmetrics(sharpness):
    generator = torch.Generator().manual_seed(15)
    scores = (sharpness * torch.randn(400, 6, generator=generator)).softmax(1)
    labels = torch.randint(6, (400,), generator=generator)
    expected = multiclass_calibration_error(scores, labels, num_classes=6, n_bins=15, norm="l1")
    top, predicted = scores.max(1)
    found = error(top.numpy(), (predicted == labels).numpy())
    assert found == pytest.approx(float(expected), abs=1e-6)


def test_edges_belong_to_the_bin_below_and_zero_to_the_first():
    table = reliability([0.0, 0.2, 0.2 + 1e-9, 1.0], [True] * 4)
    assert table["n"].tolist() == [1, 0, 1, 1, *[0] * 10, 1]
    assert table["low"].tolist() == pytest.approx([place / 15 for place in range(15)])
    assert table["high"].iloc[-1] == 1


def test_rows_of_images_that_the_victim_missed_untouched_are_left_out(frames):
    inside = frames[0][frames[0]["split"] == "in"]
    clean = inside[inside["attack"] == "identity"]
    right = clean.loc[clean["predicted"] == clean["source"], ["image_id", "victim"]]
    assert 0 < len(right) < len(clean)
    kept = originally_correct(frames[0])
    known = pd.MultiIndex.from_frame(inside[["image_id", "victim"]])
    expected = inside[known.isin(pd.MultiIndex.from_frame(right))]
    pd.testing.assert_frame_equal(kept, expected.reset_index(drop=True))
    assert (success_rates(kept, "in").set_index("attack").loc["identity", "uasr"] == 0).all()


@pytest.mark.parametrize("confidence", [float("nan"), 1.1])
def test_what_is_no_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        reliability([0.5, confidence], [True, True])
