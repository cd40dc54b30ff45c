import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics.success import UASR
from bench.records.metric import METRICS
from bench.report.leaderboard.cells import level
from bench.report.leaderboard.site_charts import (
    HEIGHT,
    LABEL_PX,
    histogram,
    nice_ticks,
    pareto_front,
    spread_labels,
    success_scatter,
)


def test_ticks_are_round_and_span_the_figures():
    assert nice_ticks(28.0, 30.9) == [28.0, 28.5, 29.0, 29.5, 30.0, 30.5, 31.0]
    assert nice_ticks(5, 5)[0] <= 4 < 6 <= nice_ticks(5, 5)[-1]


FIGURES = st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 2, 3, math.inf]))


@given(st.dictionaries(st.sampled_from("abcdefgh"), FIGURES))
def test_the_front_is_what_nothing_beats(points):
    front = pareto_front(points)
    for name, (success, fidelity) in points.items():
        beaten = any(
            s >= success and f >= fidelity and (s, f) != (success, fidelity)
            for s, f in points.values()
        )
        assert (name in front) == (not beaten)
    fidelities = [points[name][1] for name in front]
    assert fidelities == sorted(fidelities, reverse=True)


def test_labels_of_near_marks_do_not_cover_each_other():
    heights = spread_labels({"first": (100, 50), "second": (102, 52), "far": (500, 51)})
    assert heights["second"] - heights["first"] >= LABEL_PX
    assert heights["far"] == 51


def test_histogram_counts_finite_values():
    bars = histogram([30.0, 30.1, 35.0, float("inf")], "dB")
    assert max(bar.height for bar in bars) == 40
    assert sum(int(bar.title.rsplit(": ")[1]) for bar in bars) == 3
    assert histogram([float("inf")], "dB") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.0", "l0"), ("4.9", "l0"), ("5.0", "l1"), ("84.6*", "l8"), ("100.0", "l10")],
)
def test_levels(text, expected):
    assert level(text) == expected


def test_what_is_no_rate_has_no_colour_of_one():
    assert (level("hole"), level("n/a")) == ("hole", "undefined")


@pytest.fixture
def standings(pristine):
    from bench.report.leaderboard.standing import build_standings
    from tests.report.leaderboard.folders import boards_of

    return build_standings(boards_of(pristine)[0])


def test_scatter_is_better_upward_and_to_the_right(standings):
    chart = success_scatter(standings.by_split["in"], UASR, METRICS.get("psnr_db").spec)
    marks = {mark.name: mark for mark in chart.marks}
    assert marks["cgan-img"].x > marks["mislgan"].x  # 33 dB against 29
    assert marks["identity"].x == max(mark.x for mark in chart.marks)  # unchanged
    assert marks["cgan-img-wdf-pef"].y < marks["jpeg-q85"].y
    assert "identity" in chart.front
    assert "mislgan" not in chart.front
    assert all(0 < mark.y < HEIGHT for mark in chart.marks)
    chart = success_scatter(standings.by_split["in"], UASR, METRICS.get("lpips").spec)
    marks = {mark.name: mark for mark in chart.marks}
    assert marks["identity"].x > marks["mislgan"].x  # smaller is better
