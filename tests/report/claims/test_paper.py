"""The verdicts on the printed tables follow from the CSV files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bench
from bench.records.participants import FAMILIES
from bench.report.claims.catalogue import claims
from bench.report.claims.evidence import Published
from bench.report.claims.judging import judge

ASSETS = Path(bench.__file__).parent / "assets" / "published"


def printed(split, laac, scfa="no"):
    name = {"in": "table2_in_distribution.csv", "out": "table3_out_of_distribution.csv"}[split]
    rows = pd.read_csv(ASSETS / name).set_index(["local_auxiliary_classifiers", "scfa"])
    return rows.loc[(laac, scfa)]


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.letter)
def test_every_claim_of_the_paper_holds_on_its_own_tables(claim):
    assert judge(claim, Published())["verdict"] == "holds"


def test_figures_are_those_of_the_cells():
    evidence = Published()
    expected = printed("in", "img+wdf+pef")[[f"tasr_{f}_percent" for f in FAMILIES]].mean()
    assert evidence.mean("img+wdf+pef", "in", FAMILIES) == pytest.approx([expected])
    expected = printed("in", "pef", "yes")[["tasr_wdf_percent", "tasr_pef_percent"]].mean()
    assert evidence.mean("pef†", "in", ("wdf", "pef")) == pytest.approx([expected])
    assert evidence.lpips("wdf†", "out") == [0.05]


def test_the_spread_is_that_of_fifteen_victims_with_the_printed_cells():
    row, five = printed("out", "img"), np.array([-2.0, -1, 0, 1, 2])
    victims = [
        row[f"tasr_{family}_percent"] + row[f"tasr_{family}_std_percent"] * five / five.std(ddof=1)
        for family in FAMILIES
    ]
    assert Published().spread("img", "out") == pytest.approx([np.std(victims, ddof=1)])
