"""Rows that no honest scorer writes are named."""

import json

import numpy as np
import pandas as pd
import pytest

from bench.records.entry import parse_entry
from bench.records.frames import (
    by_condition,
    check_predictions,
    distortion_problems,
    prediction_problems,
    type_problems,
)
from bench.records.participants import NO_NETWORK
from tests.toy_run import make_entry


@pytest.fixture
def scored(frames):
    """Entry, predictions and distortion of one attack."""
    mine = (frame[frame["attack"] == "cgan-img"].reset_index(drop=True) for frame in frames)
    return parse_entry(json.dumps(make_entry("cgan-img"))), *mine


def test_honest_rows_have_no_problem(frames, scored):
    entry, predictions, distortion = scored
    assert prediction_problems(predictions, entry) == []
    assert distortion_problems(distortion, entry) == []
    check_predictions(frames[0])


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("suite", "else-v1", "the suite is another"),
        ("attack_key", "0", "attack_key is not the entry's"),
        ("victim_key", "0", "victim_key is not the entry's"),
        ("predicted", "cam-z", "`predicted` is no class of its victim"),
        ("p_predicted", np.nan, "`p_predicted` is NaN"),
        ("p_predicted", 1.5, "`p_predicted` is outside [0, 1]"),
        ("p_predicted", 0.3, "`p_predicted` is below one in all classes"),
        ("p_target", 0.99, "the target is likelier than `predicted`"),
    ],
)
def test_a_changed_row_is_named(scored, column, value, named):
    entry, predictions, _ = scored
    predictions.loc[0, column] = value
    found = [text for text in prediction_problems(predictions, entry) if named in text]
    assert len(found) == 1
    assert predictions.loc[0, "image_id"] in found[0]


def test_probabilities_that_no_classifier_gives(scored):
    entry, rows, _ = scored
    other = np.where(rows["predicted"] == rows["source"], "p_target", "p_source")[0]
    outside = rows.index[rows["split"] == "out"][0]
    for where, column, named in (
        (0, other, "probabilities add up to more than 1"),
        (outside, "p_source", "`p_source` is not defined here"),
    ):
        spoilt = rows.copy()
        spoilt.loc[where, column] = 0.3
        assert [text.partition(" in 1 of")[0] for text in prediction_problems(spoilt, entry)] == [
            named
        ]


def test_a_label_changed_alone_contradicts_its_probabilities(scored):
    entry, rows, _ = scored
    rows["predicted"] = rows["target"]
    found = prediction_problems(rows, entry)
    assert any("`predicted` is the target, with another probability" in text for text in found)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("psnr_db", np.nan),
        ("psnr_db", -1.0),
        ("psnr_db", np.inf),  # of an image that the others call changed
        ("ssim", 1.2),
        ("lpips", np.nan),
        ("lpips", -0.1),
        ("lpips", np.inf),
        ("lpips", 0.0),  # of an image that PSNR calls changed
    ],
)
def test_a_distortion_that_cannot_be(scored, column, value):
    entry, _, distortion = scored
    distortion.loc[0, column] = value
    (*_, found) = distortion_problems(distortion, entry)
    assert "1 of" in found


def test_rows_of_what_has_no_network(scored):
    entry, predictions, distortion = scored
    victims = [one.model_copy(update={"digest": NO_NETWORK}) for one in entry.victims]
    attack = entry.attack.model_copy(update={"digest": NO_NETWORK})
    lost = entry.model_copy(update={"attack": attack, "victims": tuple(victims)})
    assert "victim has no network" in prediction_problems(predictions, lost)[0]
    assert "attack has no network" in distortion_problems(distortion, lost)[0]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"split": "elsewhere"}, "`split` is none of"),
        ({"predicted": None}, "`predicted` is missing"),
        ({"p_target": np.nan}, "`p_target` is NaN"),
        ({"p_source": 2.0}, "`p_source` is outside"),
        ({"p_target": -0.1}, "`p_target` is outside"),
        (dict.fromkeys(("p_predicted", "p_source", "p_target")), "`p_predicted` is NaN"),
        ({"target": "cam-a"}, "the target is the source"),
    ],
)
def test_what_no_run_can_have_written_is_refused(frames, change, named):
    rows = frames[0].copy()
    first = rows.index[(rows["attack"] == "mislgan") & (rows["source"] == "cam-a")][0]
    for column, value in change.items():
        rows.loc[first, column] = value
    with pytest.raises(ValueError, match=named):
        check_predictions(rows)
    twice = pd.concat([frames[0], frames[0].head(1)], ignore_index=True)
    with pytest.raises(ValueError, match="the cell is there twice"):
        check_predictions(twice)


def test_columns_of_the_wrong_type_or_with_holes(frames):
    predictions, distortion = frames
    assert type_problems(predictions, "predictions") == []
    assert type_problems(distortion.assign(survival=1.0), "distortion") == []
    spoilt = predictions.assign(p_predicted="0.8", predicted=None, image_id=7)
    assert [text.split(",")[0] for text in type_problems(spoilt, "predictions")] == [
        "column `image_id`: expected text",
        "column `predicted`: expected no null",
        "column `p_predicted`: expected number",
    ]


@pytest.mark.parametrize(
    ("strength", "quality", "named"),
    [
        (0.0, None, "`strength`"),
        (1.5, None, "`strength`"),
        (1.0, 0, "`quality_percent`"),
        (1.0, 90.5, "`quality_percent`"),
        (1.0, None, "under no condition"),
    ],
)
def test_conditions_that_no_run_can_have(frames, strength, quality, named):
    rows = frames[0].assign(
        strength=0.5, quality_percent=pd.array([None] * len(frames[0]), "Float64")
    )
    assert type_problems(rows, "conditions") == []
    rows.loc[0, ["strength", "quality_percent"]] = strength, quality
    (found,) = type_problems(rows, "conditions")
    assert named in found


def test_strengths_that_are_called_alike_are_the_same():
    rows = pd.DataFrame({"strength": [0.3, np.float32(0.3)], "quality_percent": None})
    assert by_condition(rows)["strength"].tolist() == [0.3, 0.3]
