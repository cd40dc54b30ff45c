import pandas as pd
import pytest

from bench.metrics.agreement import compare_scorings
from tests.toy_run import CLASSES, make_frames

VICTIM = "img-resnet18"


@pytest.fixture(scope="module")
def scored():
    """960 rows of each targeted attack in distribution by each victim, 8160 of all."""
    rows = make_frames()[0]
    return pd.concat(
        [rows.assign(image_id=rows["image_id"] + f"-{n}") for n in range(20)], ignore_index=True
    )


def flipped(rows, which):
    """The label is now another one than source and target, so that no other rate moves."""
    other = rows.copy()
    for place in which:
        known = set(rows.loc[place, ["source", "target", "predicted"]])
        other.loc[place, "predicted"] = next(iter(sorted({*CLASSES, "cam-d"} - known)))
    return other


def agreement(rows, which):
    found, _ = compare_scorings(rows, flipped(rows, which))
    return next(one for one in found if one.victim == VICTIM)


def test_flips_are_counted_by_victim_and_listed(scored):
    which = [scored.index[scored["victim"] == name][5] for name in (VICTIM, "pef-resnet18")]
    found, listed = compare_scorings(scored, flipped(scored, which))
    assert {one.victim: one.flipped for one in found if one.flipped} == {
        VICTIM: 1,
        "pef-resnet18": 1,
    }
    assert agreement(scored, which).share == pytest.approx(1 - 1 / 8160)
    assert set(listed["image_id"]) == set(scored.loc[which, "image_id"])
    assert (listed["predicted"] != listed["predicted_other"]).all()


def test_more_than_one_row_of_a_thousand_is_too_much(scored):
    mine = scored[scored["victim"] == VICTIM]
    spread_out = mine.groupby(["attack", "split"]).head(1).index
    assert agreement(scored, spread_out[:8]).agrees
    assert not agreement(scored, spread_out[:9]).agrees


def test_a_rate_may_move_by_two_rows_and_no_more(scored):
    """A cell of a thousand rows: two of them are more than 0.1 points."""
    mine = scored[(scored["victim"] == VICTIM) & (scored["split"] == "in")]
    hits = mine.index[(mine["attack"] == "mislgan") & (mine["predicted"] == mine["target"])]
    assert agreement(scored, hits[:2]).agrees
    found = agreement(scored, hits[:3])
    assert found.share > 0.999
    assert (found.moved, found.largest_in) == (1, "mislgan in TASR")
    assert found.largest == pytest.approx(3 / 960)
    assert found.cells == 3 + 6 + 3  # TASR and UASR in distribution, TASR out of it
    assert not found.agrees


def test_other_rows_are_refused(scored):
    with pytest.raises(ValueError, match="expected the same rows twice, got 40800 and 40799"):
        compare_scorings(scored, scored.iloc[1:])
