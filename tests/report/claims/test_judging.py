"""Verdicts on comparisons and claims, and a run's claims as a table."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from bench.report.claims.catalogue import Comparison
from bench.report.claims.evidence import UnmeasuredError
from bench.report.claims.judging import compare, judge, render_claims

from .worlds import AS_THE_PAPER_SAYS, keeping, world

MANY = SimpleNamespace(scenes=lambda splits: 10**9)


def comparison(draws, title="a over b", **more):
    return Comparison(title=title, figure=lambda evidence: np.asarray(draws, float), **more)


def missing(evidence):
    raise UnmeasuredError("no row x")


def around(value, width=1.0):
    """A figure and 1001 draws from `value - width` to `value + width`."""
    return [value, *np.linspace(value - width, value + width, 1001)]


BELOW_TWO = {"threshold": 2, "below": True}


@pytest.mark.parametrize(
    ("draws", "options", "verdict", "finding"),
    [
        (around(2), {}, "holds", "interval above 0"),
        (around(0.5), {}, "does not hold", "interval spans 0"),
        (around(-2), {}, "does not hold", "interval below 0"),
        (around(2), {"threshold": 5}, "does not hold", "interval below 5"),
        (around(1.5, 0.1), BELOW_TWO, "holds", "interval below 2"),
        (around(4), BELOW_TWO, "does not hold", "interval above 2"),
        ([0.0], {}, "does not hold", "figure not above 0"),
        ([2.0], BELOW_TWO, "does not hold", "figure not below 2"),
    ],
)
def test_a_comparison_holds_if_its_whole_interval_does(draws, options, verdict, finding):
    found = compare(comparison(draws, **options), MANY)
    assert (found["verdict"], found["finding"]) == (verdict, finding)
    assert found["value"] == draws[0]


def test_the_interval_is_of_the_draws_and_the_figure_is_not_one_of_them():
    found = compare(comparison([7.0, *range(101)]), MANY)
    assert (found["value"], found["low"], found["high"]) == pytest.approx((7, 2.5, 97.5))


@pytest.mark.parametrize(("unit", "ends"), [("points", (-77.7, 100)), ("ratio", (1, 177.7))])
def test_an_interval_of_few_scenes_ends_where_figures_do(unit, ends):
    few = SimpleNamespace(scenes=lambda splits: 3)
    found = compare(comparison([50.0, *range(101)], unit=unit), few)
    assert (found["low"], found["high"]) == pytest.approx(ends, abs=0.1)


def test_a_split_of_few_scenes_costs_its_own_claims():
    run = world()
    ids = run.predictions.query("split == 'out'")["photo_id"].unique()
    few = [
        keeping(run, lambda f, n=n: (f["split"] == "in") | f["photo_id"].isin(ids[:n]))
        for n in (1, 2)
    ]
    one, two, all_ = (json.loads(render_claims(r, "json"))["rows"][0] for r in (*few, run))
    assert "one scene out of distribution" in one["finding"]
    assert one["comparisons"][0] == two["comparisons"][0] == all_["comparisons"][0]
    assert two["comparisons"][1] != all_["comparisons"][1]


def test_a_claim_says_which_comparisons_fail_and_how():
    parts = [
        comparison(around(5)),
        comparison(around(0), "undecided"),
        *(comparison(around(-5), title) for title in "pqrs"),
    ]
    found = judge(parts, MANY)
    assert (found["verdict"], found["weakest_comparison"]) == ("does not hold", "p")
    assert found["finding"] == (
        "1 of 6 comparisons hold; interval spans 0: undecided; interval below 0: p, q, r and 1 more"
    )
    parts.append(Comparison(title="missing", figure=missing))
    found = judge(parts, MANY)
    assert (found["verdict"], found["finding"]) == ("not measured", "no row x")
    assert found["weakest_comparison"] is None


@pytest.fixture(scope="module")
def rows():
    """Without img+pef: some claims hold, some do not, some are not measured."""
    chances = AS_THE_PAPER_SAYS | {"wdf†": (0.4, 0.4, 0.1)}
    del chances["img+pef"]
    return {row["claim"]: row for row in json.loads(render_claims(world(chances), "json"))["rows"]}


def test_json_holds_claims_and_their_comparisons(rows):
    assert list(rows) == list("abcdefghij")
    verdicts = [rows[letter]["verdict"] for letter in "acd"]
    assert verdicts == ["holds", "does not hold", "not measured"]
    first, second = rows["a"]["comparisons"]
    assert first["low"] < first["value"] < first["high"]
    assert first["published_value"] == pytest.approx(93.666667 - 74.333333, abs=1e-5)
    assert rows["a"]["low"] == min(first["low"], second["low"])
    absent = rows["d"]
    assert (absent["finding"], absent["published_verdict"]) == ("no row img+pef", "holds")
    for field in ("value", "low", "high", "weakest_comparison", "comparisons_holding"):
        assert absent[field] is None
    assert sum(part["value"] is None for part in absent["comparisons"]) == 4
    assert "interval below 0: wdf† over wdf, in distribution" in rows["c"]["finding"]


def test_a_wholly_unmeasured_run_has_no_figures():
    empty = keeping(world(photographs=2), lambda frame: frame["attack"] == "none")
    found = json.loads(render_claims(empty, "json"))["rows"]
    assert {(row["verdict"], row["value"]) for row in found} == {("not measured", None)}
