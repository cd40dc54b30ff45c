"""Tables are recomputed from the files alone, in the paper's layout."""

import json

import numpy as np
import pandas as pd
import pytest

from bench.records.load import load_run
from bench.report.tables.paper import build_table, correct_only_table, write_tables
from bench.report.tables.render import render
from tests.records.test_load import change
from tests.toy_run import CLASSES, over_families, rewrite


def records(table):
    return {record["attack"]: record for record in table.records}


def rewritten(folder, edit, table="predictions"):
    """The run, once a function has changed the rows of one of its tables."""
    rewrite(folder, table, edit)
    return load_run(folder)


def test_the_promised_files_are_written_and_nothing_else(run_dir):
    before = set(run_dir.iterdir())
    written = write_tables(load_run(run_dir))
    stems = ("table2", "table3", "victims", "claims")
    names = {f"{stem}.{suffix}" for stem in stems for suffix in ("md", "csv", "tex")}
    assert {path.name for path in written} == names | {"clean_accuracy.csv"}
    assert set(run_dir.iterdir()) - before == set(written)


def test_cells_by_hand(tables, frames):
    row = records(tables["in"])["mislgan"]
    mine = frames[0][(frames[0]["split"] == "in") & (frames[0]["attack"] == "mislgan")]
    hit = (mine["predicted"] == mine["target"]).groupby(mine["victim"]).mean() * 100
    wdf, pef = hit[["wdf-resnet18", "wdf-densenet40"]], hit["pef-resnet18"]
    means = [wdf.mean(), pef, hit[["img-resnet18", "img-densenet40"]].mean()]
    assert row["tasr_wdf_std_percent"] == pytest.approx(wdf.std(ddof=1))
    assert (row["tasr_pef_std_percent"], row["tasr_pef_architectures"]) == (None, 1)
    assert row["tasr_mean_percent"] == pytest.approx(np.mean(means))
    assert row["tasr_mean_std_percent"] == pytest.approx(np.std(means, ddof=1))
    assert row["tasr_mean_low_percent"] < row["tasr_mean_percent"] < row["tasr_mean_high_percent"]
    assert row["images_per_victim"] == 48


def test_originally_correct_leaves_out_what_was_won_before(run):
    found = records(correct_only_table(run))
    rows = dict(iter(run.predictions[run.predictions["split"] == "in"].groupby("attack")))
    clean = rows["identity"]
    right = clean.loc[clean["predicted"] == clean["source"], ["image_id", "victim"]]
    mine = rows["jpeg-q85"].merge(right)
    assert len(mine) < len(rows["jpeg-q85"])
    expected = over_families(mine["predicted"] != mine["source"], mine["victim"])
    assert found["jpeg-q85"]["uasr_mean_percent"] == pytest.approx(expected)
    assert found["identity"]["uasr_mean_percent"] == 0


def test_originally_correct_says_how_many_scenes_are_left(run_dir):
    def mistaken(rows):
        lost = (rows["attack"] == "identity") & (rows["photo_id"] == "cam-a-p0")
        return rows.assign(predicted=rows["predicted"].mask(lost, "cam-b"))

    notes = correct_only_table(rewritten(run_dir, mistaken)).notes
    assert any("(11, a photograph each)" in note for note in notes)


def test_what_is_undefined_has_no_figure(tables):
    outside, inside = tables["out"], tables["in"]
    assert not any("UASR" in column.group for column in outside.columns)
    for row in records(outside).values():
        assert {value for key, value in row.items() if "uasr" in key} == {None}
    assert any("UASR is n/a" in note for note in outside.notes)
    row = records(inside)["jpeg-q85"]
    assert {row[key] for key in row if key.startswith("tasr")} == {None}
    assert row["uasr_mean_percent"] > 0
    shown = next(row for row in inside.rows if row.name == "jpeg-q85")
    assert shown.cells[:5] == ("n/a",) * 5


def test_one_unchanged_image_does_not_make_the_mean_infinite(run_dir):
    def unchanged(rows):
        mine = rows.index[(rows["attack"] == "mislgan") & (rows["split"] == "in")]
        rows.loc[mine[:3], "psnr_db"] = np.inf
        return rows

    run = rewritten(run_dir, unchanged, "distortion")
    table = build_table(run, "in")
    assert records(table)["mislgan"]["psnr_db"] == pytest.approx(29.0)
    note = "mislgan: 3 of 48 images unchanged: PSNR is the mean over the others."
    assert [n for n in table.notes if "unchanged" in n] == [note]
    assert not any("unchanged" in n for n in build_table(run, "out").notes)


def test_a_hole_makes_the_mean_undefined_and_is_named(run_dir):
    hole = "attack == 'mislgan' and victim == 'pef-resnet18'"
    table = build_table(rewritten(run_dir, lambda rows: rows.query(f"not ({hole})")), "in")
    row = records(table)["mislgan"]
    figures = ("tasr_pef_percent", "tasr_mean_percent", "tasr_mean_low_percent")
    assert {row[figure] for figure in figures} == {None}
    assert row["tasr_wdf_architectures"] == 2
    assert any(note.startswith("mislgan: no rows for pef-resnet18") for note in table.notes)


def test_victims_of_other_families_have_a_column_and_enter_no_mean(run_dir):
    plain = records(build_table(load_run(run_dir), "in"))["mislgan"]
    for path in run_dir.glob("entry-*.json"):
        victims = json.loads(path.read_text())["victims"]
        extra = {"name": "spam-svm", "key": "k-spam-svm", "family": "spam", "backbone": "svm"}
        extra |= {"digest": "0", "classes": list(CLASSES)}
        change(run_dir, path.name, victims=[*victims, extra])

    def with_spam(rows):
        copy = rows[rows["victim"] == "wdf-resnet18"]
        copy = copy.assign(victim="spam-svm", victim_key="k-spam-svm", predicted="cam-a")
        return pd.concat([rows, copy])

    run = rewritten(run_dir, with_spam)
    table = build_table(run, "in")
    row = records(table)["mislgan"]
    assert {name: row[name] for name in plain} == plain
    mine = run.predictions.query("split == 'in' and attack == 'mislgan' and victim == 'spam-svm'")
    rate = 100 * (mine["target"] == "cam-a").mean()
    assert row["tasr_spam_percent"] == pytest.approx(rate)
    assert any("in no mean: spam-svm" in note for note in table.notes)
    place = table.headings.index("TASR↑ spam")
    assert table.headings[place - 1] == "TASR↑ 95 %"
    assert {len(shown.cells) for shown in table.rows} == {len(table.columns) - 1}
    cells = next(shown.cells for shown in table.rows if shown.laac == ("pef",))
    assert cells[place - 1] == f"{rate:.1f}"


def test_a_run_without_out_of_distribution_images(run_dir):
    table = build_table(rewritten(run_dir, lambda rows: rows.query("split == 'in'")), "out")
    assert table.rows == ()
    for format in ("md", "tex", "csv", "json"):
        assert render(table, format)
    assert "no rows of the split 'out'" in render(table, "md")
