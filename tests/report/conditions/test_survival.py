"""Success under conditions from files alone: a table that follows the Parquet, and refusals."""

import numpy as np
import pandas as pd
import pytest

from bench.records.load import CONDITIONS, TABLES, load_run
from bench.records.metric import METRICS, MetricSpec
from bench.registry import Entry
from bench.report.conditions.survival import survival_table
from bench.report.verification.folder import verify_folder
from tests.report.leaderboard.folders import in_part
from tests.toy_run import ATTACKS, CLASSES, edit_json, missed, over_families, rewrite, under

CHANCE = {(0.5, None): 0.4, (1.0, 90): 0.7, (1.0, 70): 0.2}
FILE, ROWS = "conditions.parquet", "rows under conditions"


def weakened(frame, condition):
    """Each success is undone with a chance of the condition's."""
    random = np.random.default_rng(list(CHANCE).index(condition))
    undone = random.random(len(frame)) > CHANCE[condition]
    lost = undone & (frame["split"] == "in") & (frame["predicted"] != frame["source"])
    return under(missed(frame, lost), *condition)


def survived(folder):
    """A run's folder, now with rows under three conditions."""
    frame, far = (pd.read_parquet(folder / f"{name}.parquet") for name in TABLES)
    pd.concat([weakened(frame, one) for one in CHANCE]).to_parquet(folder / FILE)
    under(far, 0.5).to_parquet(folder / "conditions-distortion.parquet")
    return folder


@pytest.fixture
def survived_dir(run_dir):
    return survived(run_dir)


def change(folder, edit):
    rewrite(folder, "conditions", edit)


def rate(frame, attack="mislgan"):
    mine = frame[(frame["split"] == "in") & (frame["attack"] == attack)]
    if attack == "identity":  # asked for every other class
        others = pd.Series(CLASSES, name="target")
        mine = mine.drop(columns="target").merge(others, how="cross")
        mine = mine[mine["target"] != mine["source"]]
    return over_families(mine["predicted"] == mine["target"], mine["victim"])


def figures(folder):
    records = survival_table(load_run(folder)).records
    return {(r["attack"], r["split"], r["measure"], r["quality_percent"]): r for r in records}


def test_figures_are_those_of_the_rows(survived_dir):
    run, found = load_run(survived_dir), figures(survived_dir)
    (note,) = [one for one in survival_table(run).notes if "alone (identity), TASR in" in one]
    for condition in ((1.0, 90), (1.0, 70)):
        row = found["mislgan", "in", "tasr", condition[1]]
        frames = run.predictions, weakened(run.predictions, condition)
        before, then = (rate(frame) for frame in frames)
        nothing, saved = (rate(frame, "identity") for frame in frames)
        left = 100 * (then - saved) / (before - nothing)
        assert f"{saved:.0f} % at {condition[1]}" in note
        shares = [row[f"{name}_percent"] for name in ("before", "after", "left")]
        assert shares == pytest.approx([before, then, left])
        assert row["left_low_percent"] < left < row["left_high_percent"]
        assert row["images"] == 24
    there = {key[:3] for key in found}
    assert ("mislgan", "out", "tasr") in there
    assert not {("mislgan", "out", "uasr"), ("identity", "in", "tasr")} & there


def test_nothing_is_left_of_what_was_not_won(survived_dir):
    """The JPEG control misses the source a little more often than untouched images do."""

    def rarely(rows):  # succeeds on the tiles of one scene
        lost = (rows["attack"] == "jpeg-q85") & (rows["split"] == "in")
        return missed(rows, lost & (rows["photo_id"] != "cam-a-p0"))

    rewrite(survived_dir, "predictions", rarely)
    found = figures(survived_dir)
    left = {name: found[name, "in", "uasr", 90]["left_percent"] for name in ATTACKS}
    assert (left["jpeg-q85"], left["identity"]) == (None, None)
    assert left["mislgan"] is not None


def test_what_is_left_needs_the_untouched_images_after_the_same_save(survived_dir):
    mine = [("mislgan", "in", "tasr", quality) for quality in (90, 70)]
    before = [figures(survived_dir)[key]["left_percent"] for key in mine]
    change(survived_dir, lambda f: f[(f["attack"] != "identity") | (f["quality_percent"] != 70)])
    assert None not in before
    assert [figures(survived_dir)[key]["left_percent"] for key in mine] == [before[0], None]
    assert "or these were not scored" in survival_table(load_run(survived_dir)).notes[-1]


def test_the_table_goes_from_the_best_quality_on(survived_dir):
    table = survival_table(load_run(survived_dir))
    groups = list(dict.fromkeys(column.group for column in table.columns))
    assert groups == ["", "JPEG 90", "JPEG 70"]
    shown = {row.name: row.cells[0] for row in table.rows if row.kind != "section"}
    assert (shown["mislgan"], shown["jpeg-q85"]) == ("TASR", "UASR")


def test_an_attack_in_part_says_so(survived_dir):
    edit_json(survived_dir / "entry-mislgan.json", in_part("mislgan", 48, 96))
    names = [row.name for row in survival_table(load_run(survived_dir)).rows]
    assert "mislgan (partial)" in names
    assert "mislgan" not in names


def test_rates_of_one_attack_have_rows_of_their_own(survived_dir):
    """Also where it is the only one, so that they follow each other."""
    for path in survived_dir.glob("entry-*.json"):
        if path.stem not in ("entry-mislgan", "entry-identity"):
            path.unlink()
    for name in (*TABLES, *CONDITIONS):
        rewrite(survived_dir, name, lambda f: f[f["attack"].isin(["mislgan", "identity"])])
    sure = MetricSpec(name="sure", title="Sure", needs="target")
    with METRICS.during(Entry(spec=sure, builder=lambda rows: rows["p_target"], origin="a file")):
        table = survival_table(load_run(survived_dir))
    shown = [row.cells[0] for row in table.rows if row.name == "mislgan"]
    assert shown == ["TASR", "Sure"] * 2
    assert not any("n/a %" in note for note in table.notes)  # nobody asked for a probability


@pytest.mark.parametrize(
    ("column", "value"), [("attack_key", "k-else"), ("victim_key", "k-else"), ("predicted", None)]
)
def test_rows_of_another_run_are_refused(survived_dir, column, value):
    change(survived_dir, lambda f: f.assign(**{column: [value, *f[column][1:]]}))
    with pytest.raises(ValueError, match=f"{column.removesuffix('_key')}.*again|anew"):
        load_run(survived_dir)
    assert [v for v in verify_folder(survived_dir) if v.verdict == "fail"]


def verdict(folder):
    return {one.check: one for one in verify_folder(folder)}[ROWS]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda f: f.iloc[1:], "1 row missing ("),
        (lambda f: f.assign(p_predicted=f["p_predicted"] * 0.1), "likelier than `predicted`"),
        (lambda f: f[f["victim"] != "img-resnet18"], "(img-resnet18 after JPEG 70)"),
    ],
)
def test_rows_that_no_scorer_writes_fail(survived_dir, edit, said):
    change(survived_dir, edit)
    found = verdict(survived_dir)
    assert found.verdict == "fail"
    assert said in found.finding


@pytest.mark.parametrize("column", ["device", "scene"])
def test_rows_of_other_images_fail(survived_dir, column):
    change(survived_dir, lambda f: f.assign(**{column: "another"}))
    found = {one.check: one for one in verify_folder(survived_dir)}["images"]
    assert found.verdict == "fail"
    assert "split change" in found.finding
