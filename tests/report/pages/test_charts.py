import math
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics.success import TASR, UASR
from bench.records.metric import METRICS
from bench.report.pages.charts import confusion_matrices, histogram, success_by_label
from bench.report.pages.scatter import HEIGHT, overlap, pareto_front, place_labels, success_scatter

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


PIXELS = st.tuples(st.floats(50, 600), st.floats(20, 390))


@given(st.lists(PIXELS, max_size=24))
def test_no_label_covers_a_mark_or_another_label(points):
    marks = {f"attack-{place}-of-some-length": at for place, at in enumerate(points)}
    boxes = place_labels(marks)
    for one, other in combinations(boxes.values(), 2):
        assert not overlap(one, other)
    for box, (x, y) in product(boxes.values(), points):
        assert not overlap(box, (x - 4, y - 4, x + 4, y + 4))


def test_histogram_counts_finite_values():
    bars = histogram([30.0, 30.1, 35.0, float("inf")], "dB")
    assert max(bar.height for bar in bars) == 40
    assert sum(int(bar.title.rsplit(": ")[1]) for bar in bars) == 3
    assert histogram([float("inf")], "dB") == ()


def scatter(records, fidelity, partial=()):
    return success_scatter("in", records, UASR, METRICS.get(fidelity).spec, partial)


def test_scatter_is_better_upward_and_to_the_right(tables):
    records = tables["in"].records
    chart = scatter(records, "psnr_db")
    marks = {mark.name: mark for mark in chart.marks}
    assert marks["cgan-img"].x > marks["mislgan"].x  # 33 dB against 29
    assert marks["identity"].x == max(mark.x for mark in chart.marks)  # unchanged
    assert marks["cgan-img-wdf-pef"].y < marks["jpeg-q85"].y
    assert "cgan-img-wdf-pef" in chart.front
    assert not {"identity", "mislgan"} & set(chart.front)
    assert chart.nothing_y == marks["identity"].y
    assert all(0 < mark.y < HEIGHT for mark in chart.marks)
    marks = {mark.name: mark for mark in scatter(records, "lpips", {"cgan-img-wdf-pef"}).marks}
    assert marks["identity"].x > marks["mislgan"].x  # smaller is better
    assert not marks["cgan-img-wdf-pef"].front  # in part
    assert scatter(tables["out"].records, "lpips") is None


@pytest.mark.parametrize(("low", "on"), [(None, True), (0.0, False)])
def test_what_is_not_told_from_untouched_images_is_on_no_front(tables, low, on):
    records = [
        record | {"uasr_mean_low_percent": low} if record["attack"] == "cgan-img" else record
        for record in tables["in"].records
    ]
    assert ("cgan-img" in scatter(records, "psnr_db").front) is on


def test_what_victims_say_is_shares_of_their_answers(run):
    by_target, by_source = confusion_matrices(run, "in", "mislgan")
    rows = run.predictions
    rows = rows[(rows["split"] == "in") & (rows["attack"] == "mislgan")]
    said = rows.loc[rows["target"] == "cam-b", "predicted"].value_counts(normalize=True)
    assert by_target.rows["cam-b"][1] == f"{100 * said['cam-b']:.1f}"
    assert list(by_source.rows) == ["cam-a", "cam-b", "cam-c"]
    assert confusion_matrices(run, "in", "unheard-of") == []


def test_success_by_target_is_the_mean_over_families(run):
    rows = run.predictions[run.predictions["split"] == "in"]
    mine = rows[(rows["attack"] == "mislgan") & (rows["target"] == "cam-b")]
    by_victim = (mine["predicted"] == "cam-b").groupby(mine["victim"]).mean()
    expected = by_victim.groupby(by_victim.index.map(run.families)).mean().mean()
    shares = success_by_label(rows, TASR, "target", run.families)
    assert shares.loc["mislgan", "cam-b"] == pytest.approx(expected)
    assert "identity" not in shares.index
