"""Expected calibration error against torchmetrics and by hand."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_calibration_error as torch_binary
from torchmetrics.functional.classification import (
    multiclass_calibration_error as torch_multiclass,
)

from bench.metrics.calibration import BINS, expected_calibration_error, reliability


def error(confidence, correct, bins=BINS):
    return expected_calibration_error(reliability(confidence, correct, bins))


@pytest.mark.parametrize("bins", [5, 15])
@pytest.mark.parametrize("sharpness", [0.5, 3.0])
def test_against_torchmetrics(bins, sharpness):
    generator = torch.Generator().manual_seed(bins)
    scores = (sharpness * torch.randn(400, 6, generator=generator)).softmax(1)
    labels = torch.randint(6, (400,), generator=generator)
    expected = torch_multiclass(scores, labels, num_classes=6, n_bins=bins, norm="l1")
    top, predicted = scores.max(1)
    right = predicted == labels
    assert error(top.numpy(), right.numpy(), bins) == pytest.approx(float(expected), abs=1e-6)
    # the top label's probability against whether it is right is the binary case
    expected = torch_binary(top, right.int(), n_bins=bins, norm="l1")
    assert error(top.numpy(), right.numpy(), bins) == pytest.approx(float(expected), abs=1e-6)


def test_by_hand():
    # bins of a fifth: (0.4, 0.6] holds 0.5 and 0.6, one right; (0.8, 1] holds 0.9 and 1, both right
    table = reliability([0.5, 0.6, 0.9, 1.0], [True, False, True, True], bins=5)
    assert table["n"].tolist() == [0, 0, 2, 0, 2]
    np.testing.assert_allclose(table["confidence"][[2, 4]], [0.55, 0.95])
    np.testing.assert_allclose(table["accuracy"][[2, 4]], [0.5, 1.0])
    assert table["accuracy"][[0, 1, 3]].isna().all()
    assert expected_calibration_error(table) == pytest.approx((2 * 0.05 + 2 * 0.05) / 4)


def test_its_extremes():
    assert error([1.0] * 4, [True] * 4) == 0
    assert error([1.0] * 4, [False] * 4) == 1
    assert error([0.75] * 4, [True, True, True, False]) == pytest.approx(0)


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
def test_what_is_refused(confidence, correct, bins, message):
    with pytest.raises(ValueError, match=message):
        reliability(confidence, correct, bins)
