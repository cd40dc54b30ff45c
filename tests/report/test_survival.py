"""Survival from files alone: a table that follows the Parquet, and refusals."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from bench.records.load import load_run
from bench.report.render import render
from bench.report.survival import SURVIVAL_SCHEMA, SurvivalFiles, survival_table
from bench.report.survival_chart import survival_chart, write_survival
from bench.report.verification.folder import verify_folder

QUALITIES = (90, 70)
CHANCE = {90: 0.7, 70: 0.2}


def weakened(frame, quality, seed=0):
    """Each success is undone with a chance that grows with compression."""
    random = np.random.default_rng(seed + quality)
    frame = frame.copy()
    undone = random.random(len(frame)) > CHANCE[quality]
    lost = undone & (frame["split"] == "in") & (frame["predicted"] != frame["source"])
    frame.loc[lost, "predicted"] = frame["source"]
    frame.loc[lost, ["p_source", "p_predicted"]] = 0.5
    frame.loc[lost & frame["target"].notna(), "p_target"] = 0.1
    return frame.assign(quality_percent=quality)


@pytest.fixture
def survived_dir(run_dir):
    """A run's folder with survival at two qualities."""
    frame = pd.read_parquet(run_dir / "predictions.parquet")
    files = SurvivalFiles(run_dir)
    pd.concat([weakened(frame, q) for q in QUALITIES]).to_parquet(files.rows)
    card = {"schema": SURVIVAL_SCHEMA, "suite_fingerprint": "f" * 64}
    files.card.write_text(json.dumps(card))
    return run_dir


def records(run_dir):
    text = render(survival_table(load_run(run_dir)), "csv")
    keys = ("attack", "split", "measure", "quality_percent")
    return {tuple(row[k] for k in keys): row for row in csv.DictReader(io.StringIO(text))}


def rate(frame, attack):
    mine = frame[(frame["split"] == "in") & (frame["attack"] == attack)]
    hit = (mine["predicted"] == mine["target"]).groupby(mine["victim"]).mean() * 100
    families = hit.groupby([name.partition("-")[0] for name in hit.index]).mean()
    return families.mean()


def test_figures_are_those_of_the_rows(survived_dir):
    frame = pd.read_parquet(survived_dir / "predictions.parquet")
    after = pd.read_parquet(survived_dir / "survival.parquet")
    found = records(survived_dir)
    for quality in QUALITIES:
        row = found["mislgan", "in", "tasr", str(quality)]
        before, then = (
            rate(frame, "mislgan"),
            rate(after[after["quality_percent"] == quality], "mislgan"),
        )
        assert float(row["before_percent"]) == pytest.approx(before, abs=1e-5)
        assert float(row["after_percent"]) == pytest.approx(then, abs=1e-5)
        assert float(row["left_percent"]) == pytest.approx(100 * then / before, abs=1e-5)
        low, high = float(row["left_low_percent"]), float(row["left_high_percent"])
        assert low < float(row["left_percent"]) < high
        assert row["images"] == "24"


def test_what_is_undefined_is_not_there(survived_dir):
    found = {key[:3] for key in records(survived_dir)}
    assert ("mislgan", "in", "uasr") in found
    assert ("mislgan", "out", "tasr") in found
    assert ("mislgan", "out", "uasr") not in found
    assert ("identity", "in", "tasr") not in found
    assert ("identity", "in", "uasr") in found


def test_the_table_shows_each_quality_best_first(survived_dir):
    table = survival_table(load_run(survived_dir))
    assert [c.group for c in table.columns][2:] == ["PNG", *["JPEG 90"] * 2, *["JPEG 70"] * 2]
    assert all(len(row.cells) == len(table.columns) - 1 for row in table.rows)
    shown = {row.name: row.cells[0] for row in table.rows if row.kind != "section"}
    assert shown["mislgan"] == "TASR"
    assert shown["jpeg-q85"] == "UASR"
    assert any("Re-compression alone (identity)" in note for note in table.notes)
    for format in ("md", "tex", "json"):
        assert "mislgan" in render(table, format)


def test_files_are_written_and_verified(survived_dir):
    written = write_survival(load_run(survived_dir))
    names = {path.name for path in written}
    assert names == {"survival.md", "survival.csv", "survival.tex", "survival.svg"}
    verdicts = {v.check: v for v in verify_folder(survived_dir)}
    assert verdicts["survival.csv"].verdict == "ok"
    assert "surplus files" not in verdicts
    path = survived_dir / "survival.csv"
    path.write_text(
        path.read_text().replace(
            "mislgan,k-mislgan,no,tasr,90,24,", "mislgan,k-mislgan,no,tasr,90,25,"
        )
    )
    verdicts = {v.check: v for v in verify_folder(survived_dir)}
    assert verdicts["survival.csv"].verdict == "fail"


def test_the_chart_is_the_same_twice_and_names_every_attack(survived_dir):
    run = load_run(survived_dir)
    chart = survival_chart(run)
    assert chart == survival_chart(run)
    for name in ("mislgan", "identity", "TASR, in distribution", "UASR, in distribution"):
        assert name in chart


def test_a_run_without_it_says_how_to_get_it(run_dir):
    with pytest.raises(ValueError, match=r"holds no survival\.parquet .*run --recompress 70,80"):
        survival_table(load_run(run_dir))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("attack_key", "k-else", "has attack '.*' under a key that no entry states"),
        ("victim_key", "k-else", "has victim '.*' under a key that no entry states"),
        ("predicted", None, "predicted"),
    ],
)
def test_rows_of_another_run_are_refused(survived_dir, column, value, message):
    path = survived_dir / "survival.parquet"
    frame = pd.read_parquet(path)
    frame.loc[frame.index[:1], column] = value
    frame.to_parquet(path)
    with pytest.raises(ValueError, match=message):
        survival_table(load_run(survived_dir))


@pytest.mark.parametrize(
    "card", [{"schema": 99, "suite_fingerprint": "f" * 64}, {"schema": 1, "suite_fingerprint": "e"}]
)
def test_a_card_of_another_suite_or_version_is_refused(survived_dir, card):
    (survived_dir / "survival.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="is of another suite or version than the run"):
        survival_table(load_run(survived_dir))


def verdict(run_dir):
    return {one.check: one for one in verify_folder(run_dir)}["survival.parquet"]


def test_rows_are_checked_against_those_of_the_run(survived_dir):
    assert verdict(survived_dir).verdict == "ok"
    assert verdict(survived_dir).finding.endswith("rows at JPEG quality 70, 90")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.iloc[1:], "1 row missing of"),
        (lambda f: f.assign(p_predicted=f["p_predicted"] * 0.1), "likelier than `predicted`"),
        (lambda f: f.assign(predicted="phone"), "`predicted` is no class of its victim"),
        (lambda f: f[f["victim"] != "img-resnet18"], "on img-resnet18 at quality 70"),
        (
            lambda f: f[(f["attack"] != "mislgan") | (f["quality_percent"] != 70)],
            "of mislgan on img-densenet40 at quality 70",
        ),
        (lambda f: f.assign(device="d9"), "images that the run has otherwise"),
    ],
)
def test_rows_that_no_scorer_writes_fail(survived_dir, change, said):
    path = SurvivalFiles(survived_dir).rows
    change(pd.read_parquet(path)).to_parquet(path)
    found = verdict(survived_dir)
    assert found.verdict == "fail"
    assert said in found.finding


def test_what_failed_may_be_missing_where_its_entry_says_so(survived_dir):
    files = SurvivalFiles(survived_dir)
    frame = pd.read_parquet(files.rows)
    lost = (frame["victim"] == "img-resnet18") & (frame["quality_percent"] == 70)
    lost &= frame["attack"] == "mislgan"
    frame[~lost].to_parquet(files.rows)
    assert verdict(survived_dir).verdict == "fail"
    path = survived_dir / "entry-mislgan.json"
    entry = json.loads(path.read_text())
    failure = {"who": "victim img-resnet18", "reason": "x", "log": "failures/x.log"}
    entry["unmeasured"] = [{"what": "img-resnet18 after JPEG 70", **failure}]
    path.write_text(json.dumps(entry))
    assert verdict(survived_dir).verdict == "ok"
