import pytest

from bench.metrics.significance import holm
from bench.report.comparison.contenders import contenders_of
from bench.report.comparison.pairs import pairs_table
from tests.toy_run import missed, rewrite

CELL = {"victim": "pef-resnet18", "target": "cam-a"}


@pytest.fixture(scope="module")
def three(pristine):
    return contenders_of(pristine, ["cgan-img-wdf-pef", "cgan-img", "jpeg-q85"])


def test_every_pair_in_every_rate_that_both_have_and_holm_over_all_of_them(three):
    records = pairs_table(three).records
    full, img, jpeg = "cgan-img-wdf-pef", "cgan-img", "jpeg-q85"
    assert [(r["split"], r["measure"], r["first"], r["second"]) for r in records] == [
        ("in", "tasr", full, img),
        ("in", "uasr", full, img),
        ("in", "uasr", full, jpeg),
        ("in", "uasr", img, jpeg),
        ("out", "tasr", full, img),
    ]
    assert [r["p_holm"] for r in records] == pytest.approx(holm([r["p"] for r in records]))
    assert (records[0]["images"], records[0]["scenes"]) == (24, 12)
    assert records[0]["p_exact"]


def test_few_scenes_tell_of_no_difference_that_cannot_be(run_dir):
    def edit(rows):
        won = rows["target"].fillna(rows["predicted"])
        lost = (rows["attack"] == "cgan-img") & (rows["source"] != "cam-a")
        return missed(rows.assign(scene=rows["source"], predicted=won), lost)

    rewrite(run_dir, "predictions", edit)
    table = pairs_table(contenders_of(run_dir, ["mislgan", "cgan-img"]))
    one = table.records[0]
    assert one["difference_points"] == pytest.approx(200 / 3)
    assert (one["low_points"], one["high_points"]) == (-100, 100)
    assert any("in: 3; of 3, no p can be below 0.05" in note for note in table.notes)


def test_mcnemar_only_within_one_victim_and_one_target(three):
    for name, value in CELL.items():
        assert "mcnemar_p" not in pairs_table(three, **{name: value}).records[0]
    table = pairs_table(three, **CELL)
    first, rows = table.records[0], [one.rows("in", "cam-a") for one in three[:2]]
    rows = [part[part["victim"] == "pef-resnet18"].set_index("image_id") for part in rows]
    hits = [part["predicted"] == part["target"] for part in rows]
    assert first["mcnemar_only_first"] == int((hits[0] & ~hits[1]).sum())
    assert first["mcnemar_only_second"] == int((hits[1] & ~hits[0]).sum())
    assert first["images"] == 16  # those of cam-a itself have no such target
    assert "(pef-resnet18, target cam-a)" in table.title
    assert all(0 <= r["mcnemar_p"] <= r["mcnemar_p_holm"] <= 1 for r in table.records)
