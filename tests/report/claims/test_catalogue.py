"""Each claim on worlds in which it must hold, must not, or cannot be told."""

import pytest

from bench.report.claims.catalogue import claims
from bench.report.claims.evidence import Measured, Published
from bench.report.claims.judging import judge

from .worlds import AS_THE_PAPER_SAYS, without, world


def judged(run):
    evidence = Measured(run) if run else Published()
    made = (judge(comparisons, evidence) for comparisons in claims().values())
    return dict(zip("abcdefghij", made, strict=True))


def verdicts(found):
    return {letter: judgement["verdict"] for letter, judgement in found.items()}


@pytest.fixture(scope="module")
def run():
    return world()


def test_every_claim_holds_where_the_truth_is_as_the_paper_says_and_on_its_own_tables(run):
    for found in (judged(run), judged(None)):
        assert verdicts(found) == dict.fromkeys("abcdefghij", "holds")


@pytest.mark.parametrize(
    ("chances", "letters"),
    [
        ({"pef†": (0.94, 0.94, 0.94), "img+wdf+pef": (0.7, 0.7, 0.7)}, "ab"),
        ({"img+wdf": (0.94, 0.94, 0.94), "img+wdf+pef": (0.8, 0.8, 0.8)}, "b"),
        ({"wdf†": (0.4, 0.4, 0.1)}, "c"),
        ({"img+wdf": (0.2, 0.2, 0.2)}, "d"),
        ({"img": (0.6, 0.6, 0.6)}, "e"),
        ({"img+wdf+pef": (0.99, 0.99, 0.1)}, "f"),
        ({"wdf": (0.2, 0.2, 0.01), "wdf†": (0.4, 0.4, 0.05)}, "h"),
        ({"img+wdf": (0.94, 0.94, 0.75)}, "j"),
    ],
)
def test_a_claim_does_not_hold_where_the_truth_is_otherwise(chances, letters):
    found = verdicts(judged(world(AS_THE_PAPER_SAYS | chances)))
    expected = dict.fromkeys(letters, "does not hold") | {"g": "holds", "i": "holds"}
    assert {letter: found[letter] for letter in expected} == expected


@pytest.mark.parametrize(("level", "verdict"), [(1.7, "holds"), (2.5, "does not hold")])
def test_distortion_that_differs_by_a_factor(level, verdict):
    found = judged(world(levels={"img": level}))
    assert (found["g"]["verdict"], found["a"]["verdict"]) == (verdict, "holds")
    assert found["g"]["comparisons"][0]["value"] == pytest.approx(level, rel=0.03)


def test_a_claim_without_one_of_its_rows_is_not_measured(run):
    found = judged(without(run, "wdf"))
    assert verdicts(found) == {
        letter: "not measured" if letter in "bcdefghi" else "holds" for letter in found
    }
    assert {found[letter]["finding"] for letter in "bcdefghi"} == {"no row wdf"}
