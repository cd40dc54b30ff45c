"""Figures of a run against a bootstrap that repeats its rows; those that the paper prints."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bench
from bench.records.participants import FAMILIES
from bench.report.claims.evidence import ROWS, Measured, Published, UnmeasuredError

from .worlds import entry_of, keeping, without, world

DRAWS = 40
"""As many of the run's draws are repeated by hand."""


@pytest.fixture(scope="module")
def run():
    return world(photographs=5)


@pytest.fixture(scope="module")
def measured(run):
    return Measured(run)


def by_hand(run, split, table, figure):
    """A figure of the split's rows, then for each draw, each scene as often as it is drawn."""
    frame = getattr(run, table)
    frame = frame[frame["split"] == split]
    mine = run.predictions[run.predictions["split"] == split]
    scenes = sorted(mine["scene"].unique())
    random, count = np.random.default_rng(0), len(scenes)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    for times in (np.ones(count, int), *drawn):
        often = frame["scene"].map(dict(zip(scenes, times, strict=True)))
        yield figure(frame.loc[frame.index.repeat(often)])


def rates(frame, row):
    rows = frame[frame["attack"] == f"a-{row}"]
    return (rows["predicted"] == rows["target"]).groupby(rows["victim"]).mean() * 100


def family_mean(frame, row, families=FAMILIES):
    by_victim = rates(frame, row)
    return by_victim.groupby(by_victim.index.str[0]).mean()[[f[0] for f in families]].mean()


@pytest.mark.parametrize("split", ["in", "out"])
@pytest.mark.parametrize(
    ("table", "ours", "figure"),
    [
        (
            "predictions",
            lambda m, s: m.mean("img+wdf+pef", s, FAMILIES) - m.mean("pef†", s, FAMILIES),
            lambda rows: family_mean(rows, "img+wdf+pef") - family_mean(rows, "pef†"),
        ),
        (
            "predictions",
            lambda m, s: m.mean("img", s, ("wdf", "pef")),
            lambda rows: family_mean(rows, "img", ("wdf", "pef")),
        ),
        (
            "distortion",
            lambda m, s: m.lpips("img", s),
            lambda rows: rows.loc[rows["attack"] == "a-img", "lpips"].mean(),
        ),
    ],
    ids=["paired difference", "mean of some families", "lpips"],
)
def test_figures_and_their_draws_by_hand(run, measured, split, table, ours, figure):
    found = ours(measured, split)[: 1 + DRAWS]
    np.testing.assert_allclose(found, list(by_hand(run, split, table, figure)), atol=1e-9)
    assert len(set(np.round(found, 6))) > 5


def test_splits_of_other_scenes_are_drawn_apart(run, measured):
    tables = ("predictions", "distortion")
    other = {
        name: getattr(run, name).assign(scene=lambda f: f["split"] + f["scene"]) for name in tables
    }
    apart = Measured(replace(run, **other))
    for split, same in (("in", True), ("out", False)):
        found, before = (one.mean("wdf", split, FAMILIES) for one in (apart, measured))
        assert (found[0], np.array_equal(found, before)) == (before[0], same)


def test_spread_is_that_of_victims_without_what_chance_adds():
    def spreads(chances):
        """Plain, and ours with its draws; means over eight rows alike."""
        run = world(dict.fromkeys(ROWS, chances), photographs=8)
        rows = run.predictions[run.predictions["split"] == "in"]
        found = np.array([Measured(run).spread(row, "in") for row in ROWS])
        plain = np.mean([rates(rows, row).std(ddof=1) for row in ROWS])
        return plain, found[:, 0].mean(), found[:, 1:].mean()

    plain, figure, drawn = spreads([0.5, 0.5, 0.5])
    assert max(figure, drawn) < 0.6 * plain
    assert spreads([0.1, 0.9, 0.9]) == pytest.approx([46.2] * 3, abs=2)  # on two victims each


def test_the_order_of_rows_moves_nothing(run, measured):
    mixed = {
        table: getattr(run, table).sample(frac=1, random_state=0)
        for table in ("predictions", "distortion")
    }
    again = Measured(replace(run, **mixed))
    np.testing.assert_allclose(again.spread("wdf", "in"), measured.spread("wdf", "in"), rtol=1e-9)
    np.testing.assert_allclose(again.lpips("img", "out"), measured.lpips("img", "out"), rtol=1e-9)


def test_victims_outside_the_families_move_nothing(run, measured):
    stranger = lambda one: one.model_copy(update={"family": "other"})  # noqa: E731
    other = Measured(replace(run, victims=tuple(map(stranger, run.victims))))
    np.testing.assert_array_equal(other.lpips("img", "in"), measured.lpips("img", "in"))
    spreads = []
    for last in ((), (stranger(run.victims[1]),)):
        victims = tuple(one for one in run.victims if one.name != "w34") + last
        there = run.predictions["victim"].isin([one.name for one in victims])
        few = replace(run, victims=victims, predictions=run.predictions[there])
        spreads.append(Measured(few).spread("img", "in"))
    np.testing.assert_array_equal(*spreads)


def keep_one_scene(run):
    return keeping(run, lambda f: (f["split"] == "in") & (f["photo_id"] == "cam-a-0"))


def no_family(run):
    victims = tuple(victim for victim in run.victims if victim.family != "img")
    kept = run.predictions[run.predictions["victim"] != "i18"]
    return replace(run, victims=victims, predictions=kept)


def a_hole(run):
    frame = run.predictions
    gone = (frame["attack"] == "a-img") & (frame["victim"] == "w34")
    return replace(run, predictions=frame[~gone | (frame["image_id"] != "cam-a-0-0")])


def twin(run, **more):
    return replace(run, entries=(*run.entries, entry_of("my-own", ROWS["img"], **more)))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: without(run, "img"), "^no row img$"),
        (lambda run: keeping(run, lambda f: f["split"] == "out"), "^no scene in dist"),
        (keep_one_scene, "^one scene in distribution, so no interval$"),
        (no_family, "^no victim of the family img$"),
        (a_hole, "^58 of 60 predictions of w34 on img in distribution$"),
        (twin, "^several rows are img: a-img, my-own$"),
    ],
)
def test_what_is_missing_is_named(run, spoil, message):
    with pytest.raises(UnmeasuredError, match=message):
        Measured(spoil(run)).mean("img", "in", FAMILIES)


@pytest.mark.parametrize("more", [{"paper_row": False}, {"control": True}, {"targeted": False}])
def test_what_is_no_row_of_the_tables_is_not_taken_for_one(run, measured, more):
    other = Measured(twin(run, **more))
    np.testing.assert_array_equal(
        other.mean("img", "in", FAMILIES), measured.mean("img", "in", FAMILIES)
    )


def printed(split, laac, scfa="no"):
    name = {"in": "table2_in_distribution.csv", "out": "table3_out_of_distribution.csv"}[split]
    rows = pd.read_csv(Path(bench.__file__).parent / "assets" / "published" / name).set_index(
        ["local_auxiliary_classifiers", "scfa"]
    )
    return rows.loc[(laac, scfa)]


def test_published_figures_are_those_of_the_cells():
    evidence = Published()
    expected = printed("in", "img+wdf+pef")[[f"tasr_{f}_percent" for f in FAMILIES]].mean()
    assert evidence.mean("img+wdf+pef", "in", FAMILIES) == pytest.approx([expected])
    expected = printed("in", "pef", "yes")[["tasr_wdf_percent", "tasr_pef_percent"]].mean()
    assert evidence.mean("pef†", "in", ("wdf", "pef")) == pytest.approx([expected])
    assert evidence.lpips("wdf†", "out") == [0.05]


def test_the_published_spread_is_that_of_fifteen_victims_with_the_printed_cells():
    row, five = printed("out", "img"), np.array([-2.0, -1, 0, 1, 2])
    victims = [
        row[f"tasr_{family}_percent"] + row[f"tasr_{family}_std_percent"] * five / five.std(ddof=1)
        for family in FAMILIES
    ]
    assert Published().spread("img", "out") == pytest.approx([np.std(victims, ddof=1)])
