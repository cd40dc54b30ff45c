import numpy as np
import pandas as pd
import pytest

from bench.metrics.agreement import compare_scorings


def scoring(count=2000, victims=("one", "other"), attack="fog"):
    """Rows in and out of distribution; labels go round."""
    labels = np.array(["cam-a", "cam-b", "cam-c"])
    frames = []
    for victim in victims:
        frame = pd.DataFrame(
            {
                "split": np.where(np.arange(count) % 4 == 0, "out", "in"),
                "image_id": [f"i{n:05d}" for n in range(count)],
                "source": np.where(
                    np.arange(count) % 4 == 0, "cam-x", labels[np.arange(count) % 3]
                ),
                "target": labels[(np.arange(count) + 1) % 3],
                "attack": attack,
                "victim": victim,
                "predicted": labels[(np.arange(count) + 1 + np.arange(count) % 2) % 3],
                "p_predicted": 0.9,
            }
        )
        frames.append(frame.astype({"target": "string"}))
    return pd.concat(frames, ignore_index=True)


def flipped(frame, rows):
    other = frame.copy()
    there = {"cam-a": "cam-b", "cam-b": "cam-c", "cam-c": "cam-a"}
    other.loc[rows, "predicted"] = other.loc[rows, "predicted"].map(there)
    return other


def test_flips_are_counted_by_victim_and_listed():
    frame = scoring()
    rows = [1, 5, 2001]
    (one, other), listed = compare_scorings(frame, flipped(frame, rows))
    assert (one.victim, one.flipped, other.flipped) == ("one", 2, 1)
    assert one.share == pytest.approx(1 - 2 / 2000)
    assert list(listed["image_id"]) == ["i00001", "i00005", "i00001"]
    assert (listed["predicted"] != listed["predicted_other"]).all()


def test_more_than_one_row_of_a_thousand_is_too_much():
    frame = scoring()
    spread_out = [4 * n + 1 for n in range(3)]
    assert not compare_scorings(frame, flipped(frame, spread_out))[0][0].agrees
    assert compare_scorings(frame, flipped(frame, spread_out[:2]))[0][0].agrees


def test_a_rate_may_move_by_two_rows_and_no_more():
    """Few rows in a cell: two of them are far more than 0.1 points."""
    frame = pd.concat([scoring(4000), scoring(40, attack="rare")], ignore_index=True)
    hits = frame.index[
        (frame["attack"] == "rare")
        & (frame["victim"] == "one")
        & (frame["split"] == "in")
        & (frame["predicted"] == frame["target"])
    ]
    assert compare_scorings(frame, flipped(frame, hits[:2]))[0][0].agrees
    found = compare_scorings(frame, flipped(frame, hits[:3]))[0][0]
    assert found.share > 0.999
    assert (found.moved, found.largest_in) == (1, "rare in TASR")
    assert found.largest == pytest.approx(0.1)
    assert not found.agrees


def test_other_rows_are_refused():
    frame = scoring(100)
    with pytest.raises(ValueError, match="expected the same rows twice, got 200 and 199"):
        compare_scorings(frame, frame.iloc[1:])
