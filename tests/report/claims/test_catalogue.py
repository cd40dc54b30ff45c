"""Each claim on worlds in which it must hold, must not, or cannot be told."""

import pytest

from bench.report.claims.catalogue import claims
from bench.report.claims.evidence import Measured
from bench.report.claims.judging import judge

from .worlds import AS_THE_PAPER_SAYS, without, world

LETTERS = "abcdefghij"


def judged(run):
    evidence = Measured(run)
    return {c.letter: judge(c, evidence) for c in claims()}


@pytest.fixture(scope="module")
def run():
    return world()


@pytest.fixture(scope="module")
def found(run):
    return judged(run)


def changed(**chances):
    names = {"full": "img+wdf+pef", "mislgan": "pef†", "wdf_scfa": "wdf†", "img_wdf": "img+wdf"}
    return AS_THE_PAPER_SAYS | {names.get(name, name): v for name, v in chances.items()}


@pytest.mark.parametrize("letter", LETTERS)
def test_every_claim_holds_where_the_truth_is_as_the_paper_says(found, letter):
    assert found[letter]["verdict"] == "holds", found[letter]["finding"]
    assert list(found) == list(LETTERS)


@pytest.mark.parametrize(
    ("world_of", "letters"),
    [
        ({"mislgan": (0.94, 0.94, 0.94), "full": (0.7, 0.7, 0.7)}, "ab"),
        ({"img_wdf": (0.94, 0.94, 0.94), "full": (0.8, 0.8, 0.8)}, "b"),
        ({"wdf_scfa": (0.4, 0.4, 0.1)}, "c"),
        ({"img_wdf": (0.2, 0.2, 0.2)}, "d"),
        ({"img": (0.6, 0.6, 0.6)}, "e"),
        ({"full": (0.99, 0.99, 0.1)}, "f"),
        ({"wdf": (0.2, 0.2, 0.01), "wdf_scfa": (0.4, 0.4, 0.05)}, "h"),
        ({"img_wdf": (0.94, 0.94, 0.75)}, "j"),
    ],
)
def test_a_claim_does_not_hold_where_the_truth_is_otherwise(world_of, letters):
    found = judged(world(changed(**world_of)))
    for letter in letters:
        assert found[letter]["verdict"] == "does not hold", letter
    assert found["i"]["verdict"] == "holds"
    assert found["g"]["verdict"] == "holds"


@pytest.mark.parametrize(("level", "verdict"), [(1.7, "holds"), (2.5, "does not hold")])
def test_distortion_that_differs_by_a_factor(level, verdict):
    found = judged(world(levels={"img": level}))
    assert found["g"]["verdict"] == verdict
    assert found["g"]["comparisons"][0]["value"] == pytest.approx(level, rel=0.03)
    assert found["a"]["verdict"] == "holds"


def test_a_claim_without_one_of_its_rows_is_not_measured(run):
    found = judged(without(run, "wdf"))
    missing = {
        letter for letter, judgement in found.items() if judgement["verdict"] == "not measured"
    }
    assert missing == set("bcdefghi")
    assert {found[letter]["finding"] for letter in missing} == {"no row wdf"}
    assert all(found[letter]["verdict"] == "holds" for letter in set(LETTERS) - missing)
