import numpy as np
import pytest

from bench.report.claims.statement import Claim, Comparison, UnmeasuredError, compare, judge


def comparison(draws, title="a over b", **more):
    return Comparison(title=title, figure=lambda evidence: np.asarray(draws, float), **more)


def missing(reason):
    def figure(evidence):
        raise UnmeasuredError(reason)

    return Comparison(title="missing", figure=figure)


def around(value, width=1.0):
    """A figure and 1001 draws from `value - width` to `value + width`."""
    return [value, *np.linspace(value - width, value + width, 1001)]


@pytest.mark.parametrize(
    ("draws", "options", "verdict", "reason"),
    [
        (around(2), {}, "holds", "interval above 0"),
        (around(0.5), {}, "does not hold", "interval spans 0"),
        (around(-2), {}, "does not hold", "interval below 0"),
        (around(2), {"threshold": 5}, "does not hold", "interval below 5"),
        (around(1.5, 0.1), {"threshold": 2, "below": True}, "holds", "interval below 2"),
        (around(4), {"threshold": 2, "below": True}, "does not hold", "interval above 2"),
        ([0.0], {}, "does not hold", "figure not above 0"),
        ([2.0], {"threshold": 2, "below": True}, "does not hold", "figure not below 2"),
    ],
)
def test_verdicts(draws, options, verdict, reason):
    found = compare(comparison(draws, **options), None)
    assert (found.verdict, found.reason) == (verdict, reason)
    assert found.value == draws[0]


def test_the_interval_is_of_the_draws_and_the_figure_is_not_one_of_them():
    found = compare(comparison([7.0, *range(1001)]), None)
    assert (found.value, found.low, found.high, found.margin) == pytest.approx((7, 25, 975, 25))
    alone = compare(comparison([7.0]), None)
    assert (alone.low, alone.high, alone.margin) == (None, None, 7)


def test_a_claim_says_which_comparisons_fail_and_how():
    titles = iter("pqrstu")
    claim = Claim(
        letter="a",
        statement="s",
        comparisons=(
            comparison(around(5)),
            comparison(around(0), "undecided"),
            *(comparison(around(-5), next(titles)) for _ in range(4)),
        ),
    )
    found = judge(claim, None)
    assert found.verdict == "does not hold"
    assert found.reason == (
        "1 of 6 comparisons hold; interval spans 0: undecided; interval below 0: p, q, r and 1 more"
    )
    assert found.weakest.comparison.title == "p"


def test_one_missing_comparison_makes_a_claim_not_measured():
    parts = (
        comparison(around(5)),
        comparison(around(-5)),
        missing("no row x"),
        missing("no row x"),
    )
    found = judge(Claim(letter="a", statement="s", comparisons=parts), None)
    assert (found.verdict, found.reason, found.weakest) == ("not measured", "no row x", None)
    assert [finding.value for finding in found.findings] == [5, -5, None, None]
