import pytest

from bench.report.comparison.contenders import contenders_of
from bench.report.comparison.order import order_table
from bench.report.comparison.pairs import pairs_table
from bench.report.comparison.ranking import ranks_table
from bench.report.tables.paper import build_table
from tests.report.leaderboard.folders import without
from tests.toy_run import rewrite


def test_targeted_attacks_are_ranked_by_mean_tasr(pristine, tables):
    table = ranks_table(contenders_of(pristine, []))
    for split in ("in", "out"):
        mine = [record for record in table.records if record["split"] == split]
        ranked = [(1, "cgan-img-wdf-pef"), (2, "mislgan"), (3, "cgan-img")]
        assert [(r["rank"], r["attack"]) for r in mine] == ranked
        printed = {r["attack"]: r["tasr_mean_percent"] for r in tables[split].records}
        for record in mine:
            assert record["rank_low"] <= record["rank"] <= record["rank_high"]
            assert record["tasr_mean_percent"] == pytest.approx(printed[record["attack"]])
        assert mine[0]["tie_group"] == 1 < mine[2]["tie_group"]
    assert any("untargeted" in note and "jpeg-q85" in note for note in table.notes)


def test_a_twin_ties_with_its_leader(pristine):
    (one,) = contenders_of(pristine, ["mislgan"])
    for record in ranks_table([one, one]).records:
        assert [record[x] for x in ("rank", "rank_low", "rank_high", "tie_group")] == [1, 1, 2, 1]


def test_controls_cannot_be_ranked(pristine):
    with pytest.raises(ValueError, match="two targeted attacks or more"):
        ranks_table(contenders_of(pristine, ["jpeg-q85", "identity", "mislgan"]))


def test_one_scene_ranks_nobody_and_no_interval_is_said_to_be_drawn(run_dir):
    for name in ("predictions", "distortion"):
        rewrite(run_dir, name, lambda rows: rows.assign(scene="one"))
    contenders = contenders_of(run_dir, [])
    with pytest.raises(ValueError, match="one scene"):
        ranks_table(contenders)
    with pytest.raises(ValueError, match="two scenes"):
        order_table(contenders, contenders)
    assert any("(1, so no interval)" in note for note in build_table(contenders[0].run, "in").notes)


def test_comparisons_say_over_which_victims_all_attacks_were_scored(run_dir):
    rewrite(run_dir, "predictions", without("mislgan", "img-resnet18"))
    contenders = contenders_of(run_dir, ["cgan-img-wdf-pef", "cgan-img", "mislgan"])
    table = ranks_table(contenders)
    assert {record["victims"] for record in table.records} == {4}
    assert any("4 of 5 victims" in note for note in table.notes)
    said = [note for note in pairs_table(contenders).notes if "victims" in note]
    assert "over 5 victims" in said[0]
    assert all("4 victims in common" in note and "mislgan" in note for note in said[1:3])
