"""A metric is one file: tables, schema, boards and checks learn of it from the registry."""

import json
import shutil
from dataclasses import replace

import pytest

from bench.records.entry import parse_entry
from bench.records.frames import distortion_problems, table_columns
from bench.records.load import load_run
from bench.records.metric import METRICS, MetricSpec, headline, image_metrics, views
from bench.registry import Entry
from bench.report.comparison.contenders import contenders_of
from bench.report.comparison.pairs import pairs_table
from bench.report.leaderboard.board_tables import board_table
from bench.report.leaderboard.standing import build_standings
from bench.report.pages.board_pages import cells_csv
from bench.report.tables.paper import build_table
from bench.report.verification.folder import verify_folder
from bench.types import CamobenchError
from tests.report.leaderboard.folders import boards_of, write_folder
from tests.toy_run import edit_json, make_entry, rewrite

DETECTABLE = Entry(
    spec=MetricSpec(
        name="detectable",
        title="Detectable",
        needs="images",
        higher_is_better=False,
        digits=2,
        highest=2.0,
    ),
    builder=lambda originals, anonymised: (originals != anonymised).float().mean((1, 2, 3)),
    origin="a file",
)
SURE = Entry(
    spec=MetricSpec(name="sure", title="Sure", needs="target", meaning="chance of the target"),
    builder=lambda rows: rows["p_target"].astype("float64"),
    origin="a file",
)


@pytest.fixture
def more_metrics():
    with METRICS.during(DETECTABLE), METRICS.during(SURE):
        yield


@pytest.fixture
def measured(run_dir, more_metrics):
    rewrite(run_dir, "distortion", lambda f: f.assign(detectable=0.25 * (f["psnr_db"] < 99)))
    return run_dir


def test_the_built_in_ones():
    assert [m.name for m in image_metrics()] == ["lpips", "psnr_db", "ssim"]
    assert [f"{split} {m.title}" for split, m in views()] == [
        *("in TASR", "in UASR", "out TASR", "real TASR")
    ]
    assert headline().title == "TASR"


def test_tables_have_its_column_its_direction_and_its_figure(measured):
    run = load_run(measured)
    table = build_table(run, "out")
    assert table.headings[-1] == "Detectable↓"
    assert table.headings.index("Sure↑ Mean") > table.headings.index("TASR↑ Mean")
    record = next(one for one in table.records if one["attack"] == "mislgan")
    assert record["detectable"] == 0.25
    mine = run.predictions.query("split == 'out' and attack == 'mislgan'")
    pef = mine.loc[mine["victim"] == "pef-resnet18", "p_target"].mean()
    assert record["sure_pef_percent"] == pytest.approx(100 * pef)
    assert "Sure: chance of the target; n/a for untargeted attacks" in table.notes[1]


def test_a_run_from_before_it_has_no_such_column(run_dir, more_metrics):
    headings = build_table(load_run(run_dir), "in").headings
    assert ("Detectable↓" in headings, "Sure↑ Mean" in headings) == (False, True)
    names = table_columns("distortion")
    assert ("detectable" in names, "lpips" in names) == (False, True)


def test_boards_show_it(measured):
    standings = build_standings(boards_of(measured)[0])
    assert "sure_percent" in cells_csv(standings).partition("\n")[0]
    record = board_table(standings, "in").records[0]
    assert {"sure_rank", "sure_mean_percent", "detectable"} <= set(record)


def test_what_was_not_measured_alike_is_on_other_boards(measured, tmp_path):
    bare = write_folder(tmp_path / "bare", ["identity", "mislgan"], rename={"mislgan": "mine"})
    edited = shutil.copytree(measured, tmp_path / "edited")
    by = {"metrics": {"detectable": [1, "other code"]}}
    for path in edited.glob("entry-*.json"):
        edit_json(path, lambda entry: entry["attack"].update(digest="another") or entry.update(by))
    for other in (bare, edited):
        found = boards_of(measured, other)
        assert len(found) == 2
        assert found[0].apart[0][1].startswith("metrics ")


def test_a_figure_that_is_no_number_is_not_ranked(run_dir):
    nothing = replace(SURE, builder=lambda rows: rows["p_target"].astype("float64") * float("nan"))
    with METRICS.during(nothing):
        record = board_table(build_standings(boards_of(run_dir)[0]), "in").records[0]
    assert (record["sure_rank"], record["tasr_rank"]) == (None, 1)


@pytest.mark.parametrize(
    "builder",
    [
        lambda rows: 300 * rows["p_target"],
        lambda rows: rows["p_target"].iloc[:5],
        lambda rows: rows["p_target"].reset_index(drop=True),
    ],
)
def test_figures_beyond_its_bounds_or_of_other_rows_are_refused(run_dir, builder):
    rule = pytest.raises(CamobenchError, match="metric sure: expected a Series of numbers from 0")
    with METRICS.during(replace(SURE, builder=builder)), rule:
        build_table(load_run(run_dir), "out")


def test_attacks_are_compared_by_it_but_for_mcnemars_test(run_dir, more_metrics):
    two = contenders_of(run_dir, ["mislgan", "cgan-img"])
    table = pairs_table(two, victim="pef-resnet18", target="cam-a")
    sure = [record for record in table.records if record["measure"] == "sure"]
    assert {record["mcnemar_p_holm"] for record in sure} == {None}
    assert all(0 <= record["p_holm"] <= 1 for record in sure)


def test_without_any_what_to_do_is_said(monkeypatch):
    monkeypatch.setattr("bench.records.metric.METRICS", ())
    with pytest.raises(CamobenchError, match="install camobench again"):
        headline()


def test_checks_know_its_range(measured, frames):
    assert all(one.verdict != "fail" for one in verify_folder(measured))
    rows = frames[1][frames[1]["attack"] == "mislgan"].assign(detectable=3.0)
    entry = parse_entry(json.dumps(make_entry("mislgan")))
    assert "`detectable` is NaN or outside [0, 2]" in distortion_problems(rows, entry)[0]


def test_names_are_those_of_columns():
    with pytest.raises(ValueError, match="must be of letters"):
        MetricSpec(name="not a column", title="x", needs="images")
    with pytest.raises(TypeError, match="an `Entry` with a `MetricSpec`"):
        METRICS.add(object())
