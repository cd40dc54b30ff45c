"""Cards are recomputed from the identity rows; what the run did not record stays open."""

import csv
import io

import pytest

from bench.records.load import load_run
from bench.report.cards import build_cards, victims_table
from bench.report.tables.column import targets_table
from bench.report.tables.render import render
from tests.conftest import CLASSES, VICTIMS
from tests.records.test_networks import network_record, write_networks


def cards_of(folder):
    return {card.victim.name: card for card in build_cards(load_run(folder))}


def test_clean_figures_are_those_of_the_identity_rows(run, run_dir):
    rows = run.predictions
    rows = rows[(rows["attack"] == "identity") & (rows["split"] == "in")]
    for name, card in cards_of(run_dir).items():
        mine = rows[rows["victim"] == name]
        right = mine["predicted"] == mine["source"]
        assert card.clean.overall.accuracy == pytest.approx(right.mean())
        assert card.clean.overall.images == len(mine)
        error = 100 * abs(0.8 - right.mean())  # all confidences are 0.8
        assert card.clean.ece_percent == pytest.approx(error)
        by_device = right.groupby(mine["device"]).mean()
        assert {s.name: s.accuracy for s in card.clean.devices} == pytest.approx(dict(by_device))
        by_model = right.groupby(mine["source"]).mean()
        assert {s.name: s.accuracy for s in card.clean.models} == pytest.approx(dict(by_model))


def test_the_bias_is_what_untouched_images_of_other_cameras_are_taken_for(run, run_dir):
    rows = run.predictions
    rows = rows[(rows["attack"] == "identity") & (rows["split"] == "out")]
    for name, card in cards_of(run_dir).items():
        said = rows.loc[rows["victim"] == name, "predicted"].value_counts(normalize=True)
        assert card.bias == {"out": pytest.approx({c: 100 * said.get(c, 0) for c in CLASSES})}
    found = records(victims_table(run))["pef-resnet18"]
    assert sum(float(found[f"named_out_{name}_percent"]) for name in CLASSES) == pytest.approx(100)
    assert "real" not in [column.label for column in victims_table(run).columns]


def test_success_by_target_is_that_of_the_rows(run):
    table = targets_table(run)
    rows = run.predictions
    rows = rows[(rows["split"] == "in") & (rows["victim"] == "pef-resnet18")]
    found = {
        (r["attack"], r["target"]): r
        for r in table.records
        if r["split"] == "in" and r["victim"] == "pef-resnet18"
    }
    assert {attack for attack, _ in found} == {
        "cgan-img-wdf-pef",
        "mislgan",
        "cgan-img",
        "identity",
    }
    mine = rows[(rows["attack"] == "mislgan") & (rows["target"] == "cam-b")]
    assert found["mislgan", "cam-b"]["tasr_percent"] == pytest.approx(
        100 * (mine["predicted"] == "cam-b").mean()
    )
    others = rows[(rows["attack"] == "identity") & (rows["source"] != "cam-b")]
    assert found["identity", "cam-b"]["images"] == len(others)
    assert found["identity", "cam-b"]["tasr_percent"] == pytest.approx(
        100 * (others["predicted"] == "cam-b").mean()
    )
    assert all(len(row.cells) == len(table.columns) - 1 for row in table.rows)


def records(table):
    return {r["victim"]: r for r in csv.DictReader(io.StringIO(render(table, "csv")))}


def test_the_table_has_every_figure(run_dir):
    write_networks(run_dir)
    table = victims_table(load_run(run_dir))
    assert [row.name for row in table.rows] == [name for name, _, _ in VICTIMS]
    assert all(len(row.cells) == len(table.columns) - 1 for row in table.rows)
    found = records(table)["wdf-resnet18"]
    assert (found["family"], found["backbone"], found["images"]) == ("wdf", "resnet18", "24")
    assert found["parameters"] == "702708"
    assert float(found["gflop_per_image"]) == pytest.approx(0.095847)
    assert float(found["frontend_gflop_per_image"]) == pytest.approx(0.731677)
    assert float(found["validation_accuracy_percent"]) == 97.5
    assert float(found["published_minimum_percent"]) == 99.8
    low, share, high = (float(found[f"accuracy_{what}percent"]) for what in ("low_", "", "high_"))
    assert low < share <= high
    assert not any("Not recorded" in note for note in table.notes)
    cells = dict(zip([c.label for c in table.columns[1:]], table.rows[0].cells, strict=True))
    assert cells["GFLOP an image"] == "0.0958 + 0.732"
    assert cells["Parameters (M)"] == "0.703 + 0.122"
    assert cells["Seconds"] == "150"


def test_what_was_not_recorded_is_empty_and_said(run_dir):
    write_networks(run_dir, [network_record("img-resnet18", flops_per_image=None)])
    table = victims_table(load_run(run_dir))
    found = records(table)
    assert found["pef-resnet18"]["parameters"] == found["img-resnet18"]["gflop_per_image"] == ""
    (note,) = [note for note in table.notes if "Not recorded" in note]
    assert "pef-resnet18" in note
    assert "img-resnet18" not in note
