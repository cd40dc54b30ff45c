import csv
import io
import json
import shutil

import pandas as pd
import pytest

from bench.metrics.significance import holm
from bench.report.comparison.contenders import contenders_across, contenders_of
from bench.report.comparison.pairs import _row, compare_pairs, p_text, pairs_table
from bench.report.render import render
from tests.conftest import ATTACKS, CLASSES
from tests.records.test_load import change


@pytest.fixture(scope="module")
def three(pristine):
    return contenders_of(pristine, ["cgan-img-wdf-pef", "cgan-img", "jpeg-q85"])


@pytest.fixture(scope="module")
def compared(three):
    return compare_pairs(three)


def test_every_pair_in_every_rate_that_both_have(compared):
    found = [(c.split, c.metric.name, c.first.label, c.second.label) for c in compared]
    full, img, jpeg = "cgan-img-wdf-pef", "cgan-img", "jpeg-q85"
    assert found == [
        ("in", "tasr", full, img),
        ("in", "uasr", full, img),
        ("in", "uasr", full, jpeg),
        ("in", "uasr", img, jpeg),
        ("out", "tasr", full, img),
    ]


def test_figures_are_those_of_the_tables(compared, tables):
    printed = {record["attack"]: record for record in tables["in"].records}
    for one in compared:
        if one.split == "in":
            name = f"{one.metric.name}_mean_percent"
            expected = [printed[c.label][name] for c in (one.first, one.second)]
            assert [100 * mean for mean in one.paired.means] == pytest.approx(expected)


def test_victims_that_only_one_run_has_are_said(run_dir, pristine, tmp_path):
    here = shutil.copytree(pristine, tmp_path / "here")
    same = [(here, "mislgan"), (run_dir, "cgan-img")]
    notes = pairs_table(compare_pairs(contenders_across(same)), None, None).notes
    assert not [note for note in notes if "in common" in note]
    for name in ATTACKS:
        entry = json.loads((run_dir / f"entry-{name}.json").read_text())
        change(run_dir, f"entry-{name}.json", victims=entry["victims"][:2])
    path = run_dir / "predictions.parquet"
    frame = pd.read_parquet(path)
    frame[frame["victim"].isin([v["name"] for v in entry["victims"][:2]])].to_parquet(path)
    for folder in (run_dir, here):  # a victim that both have, and no mean counts
        own = {name: "own" for name in ("name", "digest", "family", "backbone")}
        own |= {"key": "k-own", "classes": list(CLASSES)}
        for name in ATTACKS:
            known = json.loads((folder / f"entry-{name}.json").read_text())["victims"]
            change(folder, f"entry-{name}.json", victims=[*known, own])
        frame = pd.read_parquet(folder / "predictions.parquet")
        mine = frame[frame["victim"] == entry["victims"][0]["name"]]
        both = pd.concat([frame, mine.assign(victim="own", victim_key="k-own")])
        both.to_parquet(folder / "predictions.parquet")
    table = pairs_table(compare_pairs(contenders_across(same)), None, None)
    (note,) = [note for note in table.notes if "in common" in note]
    names = ", ".join(sorted(v["name"] for v in entry["victims"][:2]))
    assert f"over the 2 victims in common ({names}), of {len(entry['victims'])} and 2." in note
    assert "$-$" in render(table, "tex")


def test_rates_are_rounded_as_in_the_tables(compared):
    record = pairs_table(compared, None, None).records[0]
    assert _row(compared[0], {**record, "first_percent": 68.75 - 1e-13}).cells[3] == "68.8"


def test_holm_is_over_all_that_is_printed(compared):
    records = pairs_table(compared, None, None).records
    assert [r["p_holm"] for r in records] == pytest.approx(holm([c.test.p for c in compared]))
    assert records[0]["images"] == 24
    assert records[0]["photographs"] == 12
    assert records[0]["p_exact"]


@pytest.mark.parametrize("format_", ["md", "csv", "tex", "json"])
def test_every_format(compared, format_):
    text = render(pairs_table(compared, None, None), format_)
    if format_ == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        assert len(rows) == len(compared)
        assert float(rows[0]["low_points"]) < float(rows[0]["high_points"])
    elif format_ == "json":
        assert "24" in json.dumps(json.loads(text)["rows"])
    else:
        assert "corrected for the 5 comparisons" in text
        assert "McNemar" not in text


def test_mcnemar_only_within_one_victim_and_one_target(three):
    assert all(one.mcnemar is None for one in compare_pairs(three, victim="pef-resnet18"))
    assert all(one.mcnemar is None for one in compare_pairs(three, target="cam-a"))
    found = compare_pairs(three, victim="pef-resnet18", target="cam-a")
    first = found[0]
    rows = [
        part[(part["victim"] == "pef-resnet18") & (part["target"] == "cam-a")].set_index("image_id")
        for part in (first.first.rows("in"), first.second.rows("in"))
    ]
    hits = [part["predicted"] == part["target"] for part in rows]
    assert first.mcnemar.only_first == int((hits[0] & ~hits[1]).sum())
    assert first.mcnemar.only_second == int((hits[1] & ~hits[0]).sum())
    assert first.paired.images == 16  # those of cam-a itself have no such target
    table = pairs_table(found, "pef-resnet18", "cam-a")
    assert "(pef-resnet18, target cam-a)" in table.title
    assert all(0 <= r["mcnemar_p"] <= r["mcnemar_p_holm"] <= 1 for r in table.records)


def test_one_attack_is_no_comparison(three):
    with pytest.raises(ValueError, match="two attacks or more"):
        compare_pairs(three[:1])


def test_p_values_for_reading():
    assert (p_text(0.0004), p_text(0.0312)) == ("< 0.001", "0.031")


def test_how_many_victims_means_are_over_is_said(pristine):
    found = pairs_table(compare_pairs(contenders_of(pristine, ["cgan-img", "mislgan"])), None, None)
    assert "Means are over 5 victims (families img, pef, wdf)." in found.notes
