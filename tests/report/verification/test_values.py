import json

import numpy as np
import pandas as pd
import pytest

from bench.report.verification.values import distortion_problems, prediction_problems


@pytest.fixture
def scored(smoke):
    """Entry, predictions and distortion of one attack, as a real run wrote them."""
    entry = json.loads((smoke.out / "entry-cgan-img.json").read_text())
    frames = [
        pd.read_parquet(smoke.out / f"{name}.parquet") for name in ("predictions", "distortion")
    ]
    return entry, *(frame[frame["attack"] == "cgan-img"].reset_index(drop=True) for frame in frames)


def test_honest_rows_have_no_problem(scored):
    entry, predictions, distortion = scored
    assert list(prediction_problems(predictions, entry)) == []
    assert list(distortion_problems(distortion, entry)) == []


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("suite", "else-v1", "the suite is another"),
        ("attack_key", "0", "attack_key is not the entry's"),
        ("victim_key", "0", "victim_key is not the entry's"),
        ("predicted", "simcam-99", "`predicted` is no class of its victim"),
        ("p_predicted", np.nan, "`p_predicted` is NaN"),
        ("p_predicted", 1.5, r"`p_predicted` is outside [0, 1]"),
        ("p_predicted", 0.1, "`p_predicted` is below one in all classes"),
        ("p_target", 0.99, "the target is likelier than `predicted`"),
    ],
)
def test_a_changed_row_is_named(scored, column, value, message):
    entry, predictions, _ = scored
    predictions.loc[0, column] = value
    found = [text for text in prediction_problems(predictions, entry) if message in text]
    assert found
    assert predictions.loc[0, "image_id"] in found[0]


def test_a_label_changed_alone_contradicts_its_probabilities(scored):
    entry, predictions, _ = scored
    lost = predictions[predictions["predicted"] != predictions["target"]].index[0]
    predictions.loc[lost, "predicted"] = predictions.loc[lost, "target"]
    found = list(prediction_problems(predictions, entry))
    assert any("`predicted` is the target, with another probability" in text for text in found)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("psnr_db", np.nan, "`psnr_db` is NaN or negative"),
        ("ssim", 1.2, "`ssim` is no similarity"),
        ("psnr_db", np.inf, "an unchanged image is not like its original"),
        ("lpips", np.nan, "`lpips` is NaN or negative"),
    ],
)
def test_a_distortion_that_cannot_be(scored, column, value, message):
    entry, _, distortion = scored
    distortion.loc[0, column] = value
    assert any(message in text for text in distortion_problems(distortion, entry))
