"""Cards are recomputed from the identity rows; what the run did not record stays open."""

from dataclasses import replace

import pytest

from bench.records.load import load_run
from bench.report.cards import build_cards, clean_accuracy_table, victims_table
from bench.report.statistics import bias_of
from bench.report.tables.column import column_table, targets_table
from tests.records.test_networks import network_record, write_networks
from tests.toy_run import CLASSES, VICTIMS


def records(table):
    return {record["victim"]: record for record in table.records}


def test_clean_figures_and_bias_are_those_of_the_identity_rows(run):
    rows = run.predictions[run.predictions["attack"] == "identity"]
    for card in build_cards(run):
        mine = rows[(rows["victim"] == card.victim.name) & (rows["split"] == "in")]
        right = mine["predicted"] == mine["source"]
        assert card.clean.overall.accuracy == pytest.approx(right.mean())
        assert card.clean.overall.images == len(mine)
        error = 100 * abs(0.8 - right.mean())  # all confidences are 0.8
        assert card.clean.ece_percent == pytest.approx(error)
        for shares, by in ((card.clean.devices, "device"), (card.clean.models, "source")):
            expected = dict(right.groupby(mine[by]).mean())
            assert {one.name: one.accuracy for one in shares} == pytest.approx(expected)
        outside = rows[(rows["victim"] == card.victim.name) & (rows["split"] == "out")]
        said = outside["predicted"].value_counts(normalize=True)
        expected = {name: 100 * said.get(name, 0) for name in CLASSES}
        assert card.bias == {"out": pytest.approx(expected)}
        named = {name: card.record[f"named_out_{name}_percent"] for name in CLASSES}
        assert named == pytest.approx(expected)
    shares = [100 * card.clean.overall.accuracy for card in build_cards(run)]
    said = f"5 victims {sum(shares) / 5:.1f} %, lowest {min(shares):.1f} %"
    assert said in clean_accuracy_table(run).notes[0]


def test_a_class_that_a_victim_does_not_have_is_no_share_of_nothing(run):
    first, *others = run.victims
    wider = first.model_copy(update={"classes": (*CLASSES, "other-x", "other-y")})
    rows = run.predictions.copy()
    rows.loc[(rows["victim"] == first.name) & (rows["split"] == "out"), "predicted"] = "other-x"
    shares = bias_of(replace(run, victims=(wider, *others), predictions=rows), "out")
    none = dict.fromkeys((*CLASSES, "other-y"), 0.0)
    assert shares.loc[first.name].to_dict() == none | {"other-x": 100.0}
    assert shares.drop(index=first.name)["other-x"].isna().all()


def test_success_by_target_is_that_of_the_rows(run):
    table = targets_table(run)
    rows = run.predictions
    rows = rows[(rows["split"] == "in") & (rows["victim"] == "pef-resnet18")]
    found = {
        (r["attack"], r["target"]): r
        for r in table.records
        if r["split"] == "in" and r["victim"] == "pef-resnet18"
    }
    targeted = {"cgan-img-wdf-pef", "mislgan", "cgan-img", "identity"}
    assert {attack for attack, _ in found} == targeted
    sent = (rows["attack"] == "mislgan") & (rows["target"] == "cam-b")
    others = (rows["attack"] == "identity") & (rows["source"] != "cam-b")
    for attack, mine in (("mislgan", rows[sent]), ("identity", rows[others])):
        expected = 100 * (mine["predicted"] == "cam-b").mean()
        assert found[attack, "cam-b"]["tasr_percent"] == pytest.approx(expected)
        assert found[attack, "cam-b"]["images"] == len(mine)
    assert all(len(row.cells) == len(table.columns) - 1 for row in table.rows)


def test_a_column_has_the_rates_of_its_victim(run):
    rows = run.predictions[run.predictions["victim"] == "pef-resnet18"]
    groups = dict(iter(rows.groupby(["attack", "split"])))
    table = column_table(run, "pef-resnet18")
    for record, row in zip(table.records, table.rows, strict=True):
        inside, outside = (groups[record["attack"], split] for split in ("in", "out"))
        assert (record["images_in"], record["images_out"]) == (len(inside), len(outside))
        missed = 100 * (inside["predicted"] != inside["source"]).mean()
        assert record["uasr_in_percent"] == pytest.approx(missed)
        if outside["target"].notna().all():
            hit = 100 * (outside["predicted"] == outside["target"]).mean()
            assert record["tasr_out_percent"] == pytest.approx(hit)
            assert row.cells[2] == f"{hit:.1f}"
    with pytest.raises(ValueError, match="no victim 'pef-x'"):
        column_table(run, "pef-x")


def test_the_table_has_every_figure(run_dir):
    write_networks(run_dir)
    table = victims_table(load_run(run_dir))
    assert [row.name for row in table.rows] == [name for name, _, _ in VICTIMS]
    assert "real" not in [column.label for column in table.columns]
    found = records(table)["wdf-resnet18"]
    assert (found["family"], found["backbone"], found["images"]) == ("wdf", "resnet18", 24)
    expected = {
        "parameters": 702708,
        "gflop_per_image": pytest.approx(0.095847, abs=1e-6),
        "frontend_gflop_per_image": pytest.approx(0.731677, abs=1e-6),
        "validation_accuracy_percent": 97.5,
        "published_minimum_percent": 99.8,
    }
    assert {name: found[name] for name in expected} == expected
    low, share, high = (found[f"accuracy_{what}percent"] for what in ("low_", "", "high_"))
    assert low < share <= high
    cells = dict(zip([c.label for c in table.columns[1:]], table.rows[0].cells, strict=True))
    assert cells["GFLOP an image"] == "0.0958 + 0.732"
    assert cells["Parameters (M)"] == "0.703 + 0.122"
    assert cells["Seconds"] == "150"


def test_what_was_not_recorded_is_empty_and_said(run_dir):
    write_networks(run_dir, [network_record("img-resnet18", flops_per_image=None)])
    table = victims_table(load_run(run_dir))
    found = records(table)
    assert found["pef-resnet18"]["parameters"] is None
    assert found["img-resnet18"]["gflop_per_image"] is None
    (note,) = [note for note in table.notes if "Not recorded" in note]
    assert ("pef-resnet18" in note, "img-resnet18" in note) == (True, False)
