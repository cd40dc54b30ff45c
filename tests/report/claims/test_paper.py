"""The verdicts on the printed tables follow from the CSV files."""

import csv
from copy import deepcopy
from importlib import resources

import numpy as np
import pytest

from bench.records.participants import FAMILIES
from bench.report.claims import evidence as paper
from bench.report.claims.catalogue import BASELINE, FULL, IMG, WDF_SCFA, claims
from bench.report.claims.evidence import Published
from bench.report.claims.statement import judge


def printed(split, laac, scfa="no"):
    name = {"in": "table2_in_distribution.csv", "out": "table3_out_of_distribution.csv"}[split]
    text = (resources.files("bench") / "assets" / "published" / name).read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        if (row["local_auxiliary_classifiers"], row["scfa"]) == (laac, scfa):
            return row
    raise AssertionError(laac)


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.letter)
def test_every_claim_of_the_paper_holds_on_its_own_tables(claim):
    assert judge(claim, Published()).verdict == "holds"


def test_figures_are_those_of_the_files():
    evidence = Published()
    full, rival = printed("in", "img+wdf+pef"), printed("in", "pef", "yes")
    expected = np.mean([float(full[f"tasr_{f}_percent"]) for f in FAMILIES])
    assert evidence.mean(FULL, "in", FAMILIES) == pytest.approx([expected])
    expected = np.mean([float(rival[f"tasr_{f}_percent"]) for f in ("wdf", "pef")])
    assert evidence.mean(BASELINE, "in", ("wdf", "pef")) == pytest.approx([expected])
    assert evidence.lpips(WDF_SCFA, "out") == [0.05]


def test_the_spread_is_that_of_fifteen_victims_with_the_printed_cells():
    row = printed("out", "img")
    victims = []
    for family in FAMILIES:
        mean, std = (float(row[f"tasr_{family}{x}_percent"]) for x in ("", "_std"))
        five = np.array([-2.0, -1, 0, 1, 2])
        victims += list(mean + std * five / five.std(ddof=1))
    assert Published().spread(IMG, "out") == pytest.approx([np.std(victims, ddof=1)])


def test_no_mean_column_is_read(monkeypatch):
    rows = {split: deepcopy(paper.published_rows(split)) for split in ("in", "out")}
    for split in rows.values():
        for row in split.values():
            for name in [one for one in row if "mean" in one or "uasr" in one]:
                del row[name]
    monkeypatch.setattr(paper, "published_rows", rows.get)
    assert {judge(claim, Published()).verdict for claim in claims()} == {"holds"}
