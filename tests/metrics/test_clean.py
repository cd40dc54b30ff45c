"""Untouched images: intervals, calibration against torchmetrics and by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from bench.metrics.clean import expected_calibration_error, originally_correct, reliability, share
from bench.metrics.resampling import wilson_interval
from bench.metrics.success import success_rates


def test_a_scene_counts_once_in_an_interval_however_many_tiles_it_gives():
    names = {"photo_id": list("0123"), "scene": list("0123")}
    rows = pd.DataFrame({"predicted": list("aaab"), "source": "a", **names})
    found = share("v", rows)
    assert 0 < found.low < 0.5 < 0.75 < found.high < 1
    assert replace(share("v", pd.concat([rows] * 3)), images=4) == found
    one, same = share("v", rows[:1]), share("v", rows.assign(scene="one"))
    assert (one.low, one.high) == wilson_interval(1, 1)
    assert (same.low, same.high) == wilson_interval(0.75, 1)


def test_scenes_that_give_more_tiles_than_others_make_the_interval_wider():
    """Of tiles that are right or wrong together, it holds the share in 95 of a hundred samples."""
    tiles, random = np.repeat(range(40), [1] * 20 + [4] * 20), np.random.default_rng(0)
    rows = pd.DataFrame({"source": True, "photo_id": tiles, "scene": tiles})
    samples = (random.random((500, 40)) < 0.8)[:, tiles]
    found = [share("v", rows.assign(predicted=right)) for right in samples]
    assert np.mean([one.low <= 0.8 <= one.high for one in found]) >= 0.94


def error(confidence, correct):
    return expected_calibration_error(reliability(confidence, correct))


@pytest.mark.parametrize(("images", "of_83", "of_97"), [(72, 10, 2), (1000, 3, 1)])
def test_victims_that_are_calibrated_have_an_error_too_as_cards_say(images, of_83, of_97):
    random, found = np.random.default_rng(0), []
    for confidence in (random.beta(5, 1, (200, images)), random.beta(33, 1, (200, images))):
        right = random.random(confidence.shape) < confidence
        found.append(100 * np.mean([error(*one) for one in zip(confidence, right, strict=True)]))
    assert found == pytest.approx([of_83, of_97], abs=0.5)


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
