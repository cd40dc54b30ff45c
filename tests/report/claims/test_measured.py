"""Figures and their draws, against a bootstrap that repeats the rows themselves."""

from dataclasses import replace

import numpy as np
import pytest

from bench.records.participants import FAMILIES
from bench.report.claims.catalogue import BASELINE, FULL, IMG, WDF
from bench.report.claims.evidence import Measured
from bench.report.claims.statement import UnmeasuredError

from .worlds import entry_of, keeping, without, world

DRAWS = 40
"""As many of the run's draws are repeated by hand."""
FIRST = slice(1 + DRAWS)


@pytest.fixture(scope="module")
def run():
    return world(photographs=5)


@pytest.fixture(scope="module")
def measured(run):
    return Measured(run)


def resamples(run, split, seed):
    """The split's rows once, then for each draw, each photograph as often as it is drawn."""
    for name in ("predictions", "distortion"):
        frame = getattr(run, name)
        yield name, frame[frame["split"] == split]
    photographs = run.predictions.loc[run.predictions["split"] == split, "photo_id"].unique()
    random = np.random.default_rng(seed)
    chances = np.full(len(photographs), 1 / len(photographs))
    for times in random.multinomial(len(photographs), chances, size=DRAWS):
        often = dict(zip(photographs, times, strict=True))
        for name in ("predictions", "distortion"):
            frame = getattr(run, name)
            frame = frame[frame["split"] == split]
            yield name, frame.loc[frame.index.repeat(frame["photo_id"].map(often))]


def by_hand(run, split, seed, name, figure):
    return [figure(frame) for which, frame in resamples(run, split, seed) if which == name]


def rates(frame, attack):
    rows = frame[frame["attack"] == attack]
    return (rows["predicted"] == rows["target"]).groupby(rows["victim"]).mean() * 100


def family_mean(frame, attack, families=FAMILIES):
    by_victim = rates(frame, attack)
    return by_victim.groupby(by_victim.index.str[0]).mean()[[f[0] for f in families]].mean()


@pytest.mark.parametrize(("split", "seed"), [("in", 0), ("out", 1)])
def test_a_paired_difference_by_hand(run, measured, split, seed):
    ours = measured.mean(FULL, split, FAMILIES) - measured.mean(BASELINE, split, FAMILIES)
    ours = ours[FIRST]

    def difference(frame):
        return family_mean(frame, "a-img+wdf+pef") - family_mean(frame, "a-pef†")

    expected = by_hand(run, split, seed, "predictions", difference)
    np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-9)
    assert len(set(np.round(ours[1:], 6))) > 10


def test_means_of_some_families_and_the_spread_over_victims_by_hand(run, measured):
    expected = by_hand(
        run, "in", 0, "predictions", lambda f: family_mean(f, "a-img", ("wdf", "pef"))
    )
    np.testing.assert_allclose(measured.mean(IMG, "in", ("wdf", "pef"))[FIRST], expected)
    expected = by_hand(run, "in", 0, "predictions", lambda f: rates(f, "a-wdf").std(ddof=1))
    np.testing.assert_allclose(measured.spread(WDF, "in")[FIRST], expected)


def test_lpips_by_hand(run, measured):
    def mean(frame):
        return frame.loc[frame["attack"] == "a-img", "lpips"].mean()

    for number, split in enumerate(("in", "out")):
        expected = by_hand(run, split, number, "distortion", mean)
        np.testing.assert_allclose(measured.lpips(IMG, split)[FIRST], expected)


def keep_one_photograph(run):
    return keeping(run, lambda f: (f["split"] == "in") & (f["photo_id"] == "cam-a-0"))


def no_family(run):
    victims = tuple(victim for victim in run.victims if victim.family != "img")
    kept = run.predictions[run.predictions["victim"] != "i18"]
    return replace(run, victims=victims, predictions=kept)


def a_hole(run, victim="w34", images=None):
    frame = run.predictions
    gone = (frame["attack"] == "a-img") & (frame["victim"] == victim)
    if images:
        gone &= frame["image_id"].isin(images)
    return replace(run, predictions=frame[~gone])


def twin(run, **more):
    return replace(run, entries=(*run.entries, entry_of("my-own", IMG, **more)))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: without(run, "img"), "^no row img$"),
        (lambda run: keeping(run, lambda f: f["split"] == "out"), "^no images in distribution$"),
        (keep_one_photograph, "^one photograph in distribution, so no interval$"),
        (no_family, "^no victim of the family img$"),
        (a_hole, "^no predictions of w34 on img in distribution$"),
        (
            lambda run: a_hole(run, images=["cam-a-0-0"]),
            "^58 of 60 predictions of w34 on img in distribution$",
        ),
        (twin, "^several rows are img: a-img, my-own$"),
    ],
)
def test_what_is_missing_is_named(run, spoil, message):
    with pytest.raises(UnmeasuredError, match=message):
        Measured(spoil(run)).mean(IMG, "in", FAMILIES)


@pytest.mark.parametrize("more", [{"paper_row": False}, {"control": True}, {"targeted": False}])
def test_what_is_no_row_of_the_tables_is_not_taken_for_one(run, measured, more):
    other = Measured(twin(run, **more))
    np.testing.assert_array_equal(
        other.mean(IMG, "in", FAMILIES), measured.mean(IMG, "in", FAMILIES)
    )
