import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.records.load import load_run
from bench.report.claims.judging import render_claims

from .worlds import AS_THE_PAPER_SAYS, keeping, world

RESULTS = Path(__file__).parents[3] / "results" / "simcam-mini-v2"


def no_victims(run):
    kept = run.predictions.assign(victim="spam")
    return replace(
        run, predictions=kept.drop_duplicates(["attack", "image_id", "target"]), victims=()
    )


@pytest.fixture(scope="module")
def report():
    """Without img+pef: some claims hold, some do not, some are not measured."""
    chances = AS_THE_PAPER_SAYS | {"wdf†": (0.4, 0.4, 0.1)}
    del chances["img+pef"]
    return world(chances)


@pytest.fixture(scope="module")
def rows(report):
    return {row["claim"]: row for row in json.loads(render_claims(report, "json"))["rows"]}


def test_json_holds_claims_and_their_comparisons(rows):
    assert list(rows) == list("abcdefghij")
    verdicts = {letter: row["verdict"] for letter, row in rows.items()}
    assert verdicts["a"] == "holds"
    assert verdicts["c"] == "does not hold"
    assert verdicts["d"] == "not measured"
    full = rows["a"]
    first, second = full["comparisons"]
    assert first["low"] < first["value"] < first["high"]
    assert first["published_value"] == pytest.approx(93.666667 - 74.333333, abs=1e-5)
    assert full["low"] == min(first["low"], second["low"])
    assert full["published_verdict"] == "holds"
    missing = rows["d"]
    assert (missing["finding"], missing["published_verdict"]) == ("no row img+pef", "holds")
    for field in ("value", "low", "high", "weakest_comparison", "comparisons_holding"):
        assert missing[field] is None
    assert sum(part["value"] is None for part in missing["comparisons"]) == 4
    assert rows["c"]["low"] < 0
    assert "interval below 0: wdf† over wdf, in distribution" in rows["c"]["finding"]


@pytest.mark.parametrize(
    "spoil", [lambda run: keeping(run, lambda f: f["attack"] == "none"), no_victims]
)
def test_a_wholly_unmeasured_run_has_no_figures(spoil):
    empty = spoil(world(photographs=2))
    for row in json.loads(render_claims(empty, "json"))["rows"]:
        assert (row["verdict"], row["value"]) == ("not measured", None)


def test_figures_are_those_of_the_committed_tables():
    means = {}
    for number, split in ((2, "in"), (3, "out")):
        with (RESULTS / f"table{number}.csv").open(encoding="utf-8") as stream:
            for line in csv.DictReader(stream):
                means[split, line["attack"]] = line["tasr_mean_percent"]
    content = json.loads(render_claims(load_run(RESULTS), "json"))
    rows = {row["claim"]: row["comparisons"] for row in content["rows"]}
    for split, part in zip(("in", "out"), rows["a"], strict=True):
        full, rival = (float(means[split, name]) for name in ("cgan-img-wdf-pef", "mislgan"))
        assert part["value"] == pytest.approx(full - rival, abs=1e-5)
    outside = next(part for part in rows["i"] if part["comparison"].startswith("wdf†:"))
    inside = [float(means[split, "cgan-wdf-scfa"]) for split in ("out", "in")]
    assert outside["value"] == pytest.approx(inside[0] - inside[1], abs=1e-5)
    assert all(row["verdict"] != "not measured" for row in content["rows"])
