"""Tables are recomputed from the files alone, in the paper's layout, and escape what they show."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from bench.records.load import load_run
from bench.report.tables.paper import build_table, write_tables
from bench.report.tables.render import render
from tests.conftest import CLASSES
from tests.records.test_load import change


def records(table):
    return {row["attack"]: row for row in csv.DictReader(io.StringIO(render(table, "csv")))}


def test_the_promised_files_are_written_and_nothing_else(run_dir):
    before = set(run_dir.iterdir())
    written = write_tables(load_run(run_dir))
    stems = ("table2", "table3", "victims", "claims")
    names = {f"{stem}.{suffix}" for stem in stems for suffix in ("md", "csv", "tex")}
    assert {path.name for path in written} == names | {"clean_accuracy.csv"}
    assert set(run_dir.iterdir()) - before == set(written)


def test_figures_follow_the_parquet(run_dir):
    before = records(build_table(load_run(run_dir), "in"))
    path = run_dir / "predictions.parquet"
    frame = pd.read_parquet(path)
    hit = frame["attack"] == "mislgan"
    frame.loc[hit, "predicted"] = frame.loc[hit, "target"]
    frame.to_parquet(path)
    after = records(build_table(load_run(run_dir), "in"))
    assert float(before["mislgan"]["tasr_mean_percent"]) < 100
    assert float(after["mislgan"]["tasr_mean_percent"]) == 100
    assert after["cgan-img"] == before["cgan-img"]


def test_cells_by_hand(tables, frames):
    row = records(tables["in"])["mislgan"]
    mine = frames[0][(frames[0]["split"] == "in") & (frames[0]["attack"] == "mislgan")]
    hit = (mine["predicted"] == mine["target"]).groupby(mine["victim"]).mean() * 100
    wdf, pef = hit[["wdf-resnet18", "wdf-densenet40"]], hit["pef-resnet18"]
    img = hit[["img-resnet18", "img-densenet40"]]
    means = [wdf.mean(), pef, img.mean()]
    assert float(row["tasr_wdf_std_percent"]) == pytest.approx(wdf.std(ddof=1), abs=1e-5)
    assert row["tasr_pef_std_percent"] == ""
    assert row["tasr_pef_architectures"] == "1"
    assert float(row["tasr_mean_percent"]) == pytest.approx(np.mean(means), abs=1e-5)
    assert float(row["tasr_mean_std_percent"]) == pytest.approx(np.std(means, ddof=1), abs=1e-5)
    low, high = float(row["tasr_mean_low_percent"]), float(row["tasr_mean_high_percent"])
    assert low < float(row["tasr_mean_percent"]) < high
    assert row["images_per_victim"] == "48"


def test_what_is_undefined_has_no_figure(tables):
    outside = tables["out"]
    assert not any("UASR" in column.group for column in outside.columns)
    for row in records(outside).values():
        assert {value for key, value in row.items() if "uasr" in key} == {""}
    assert any("UASR is n/a" in note for note in outside.notes)
    table = tables["in"]
    row = records(table)["jpeg-q85"]
    assert {row[key] for key in row if key.startswith("tasr")} == {""}
    assert float(row["uasr_mean_percent"]) > 0
    shown = next(row for row in table.rows if row.name == "jpeg-q85")
    assert shown.cells[:5] == ("n/a",) * 5


def test_one_unchanged_image_does_not_make_the_mean_infinite(run_dir):
    path = run_dir / "distortion.parquet"
    frame = pd.read_parquet(path)
    mine = frame.index[(frame["attack"] == "mislgan") & (frame["split"] == "in")]
    frame.loc[mine[:3], "psnr_db"] = np.inf
    frame.to_parquet(path)
    loaded = load_run(run_dir)
    table = build_table(loaded, "in")
    assert float(records(table)["mislgan"]["psnr_db"]) == pytest.approx(29.0)
    note = "mislgan: 3 of 48 images unchanged: PSNR is the mean over the others."
    assert [n for n in table.notes if "unchanged" in n] == [note]
    assert not any("unchanged" in n for n in build_table(loaded, "out").notes)


def _keep(run_dir, keep):
    path = run_dir / "predictions.parquet"
    frame = pd.read_parquet(path)
    frame[keep(frame)].to_parquet(path)


def test_a_hole_makes_the_mean_undefined_and_is_named(run_dir):
    _keep(run_dir, lambda f: ~((f["attack"] == "mislgan") & (f["victim"] == "pef-resnet18")))
    table = build_table(load_run(run_dir), "in")
    row = records(table)["mislgan"]
    assert (row["tasr_pef_percent"], row["tasr_mean_percent"]) == ("", "")
    assert (row["tasr_mean_low_percent"], row["tasr_wdf_architectures"]) == ("", "2")
    assert any(note.startswith("mislgan: no rows for pef-resnet18") for note in table.notes)


def test_victims_of_other_families_have_a_column_and_enter_no_mean(run_dir):
    plain = records(build_table(load_run(run_dir), "in"))["mislgan"]
    for path in run_dir.glob("entry-*.json"):
        victims = json.loads(path.read_text())["victims"]
        extra = {"name": "spam-svm", "key": "k-spam-svm", "family": "spam", "backbone": "svm"}
        extra |= {"digest": "0", "classes": list(CLASSES)}
        change(run_dir, path.name, victims=[*victims, extra])
    path = run_dir / "predictions.parquet"
    frame = pd.read_parquet(path)
    copy = frame[frame["victim"] == "wdf-resnet18"]
    copy = copy.assign(victim="spam-svm", victim_key="k-spam-svm", predicted="cam-a")
    pd.concat([frame, copy]).to_parquet(path)
    table = build_table(load_run(run_dir), "in")
    row = records(table)["mislgan"]
    assert {name: row[name] for name in plain} == plain
    mine = copy[(copy["split"] == "in") & (copy["attack"] == "mislgan")]
    rate = 100 * (mine["target"] == "cam-a").mean()
    assert float(row["tasr_spam_percent"]) == pytest.approx(rate, abs=1e-5)
    assert row["tasr_spam_architectures"] == "1"
    assert any("in no mean: spam-svm" in note for note in table.notes)
    headings = [(column.group, column.label) for column in table.columns]
    place = headings.index(("TASR↑", "spam"))
    assert headings[place - 1] == ("TASR↑", "95 %")
    for shown in table.rows:
        assert len(shown.cells) == len(table.columns) - 1
    cells = next(shown.cells for shown in table.rows if shown.laac == ("pef",))
    assert cells[place - 1] == f"{rate:.1f}"


def test_a_run_without_out_of_distribution_images(run_dir):
    _keep(run_dir, lambda f: f["split"] == "in")
    table = build_table(load_run(run_dir), "out")
    assert table.rows == ()
    for format in ("md", "tex", "csv", "json"):
        assert render(table, format)
    assert "no rows of the split 'out'" in render(table, "md")
