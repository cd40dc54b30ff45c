import pytest

from bench.report.comparison.contenders import contenders_of
from bench.report.comparison.ranking import ranks_table
from bench.report.tables.render import render


def test_targeted_attacks_are_ranked_by_mean_tasr(pristine, tables):
    table = ranks_table(contenders_of(pristine, []))
    for split in ("in", "out"):
        mine = [record for record in table.records if record["split"] == split]
        assert [r["attack"] for r in mine] == ["cgan-img-wdf-pef", "mislgan", "cgan-img"]
        assert [r["rank"] for r in mine] == [1, 2, 3]
        printed = {record["attack"]: record for record in tables[split].records}
        for record in mine:
            assert record["rank_low"] <= record["rank"] <= record["rank_high"]
            assert record["tasr_mean_percent"] == pytest.approx(
                printed[record["attack"]]["tasr_mean_percent"]
            )
        assert mine[0]["tie_group"] == 1 < mine[2]["tie_group"]
    text = render(table, "md")
    assert "Not ranked, because untargeted" in text
    assert "jpeg-q85" in text


def test_a_twin_ties_with_its_leader(pristine):
    one, *_ = contenders_of(pristine, ["mislgan"])
    twin = type(one)(label="twin", attack=one.attack, run=one.run)
    records = ranks_table([one, twin]).records
    assert {(r["rank"], r["rank_low"], r["rank_high"], r["tie_group"]) for r in records} == {
        (1, 1, 1, 1)
    }


def test_controls_cannot_be_ranked(pristine):
    with pytest.raises(
        ValueError, match="two targeted attacks or more to rank, there is mislgan; "
    ):
        ranks_table(contenders_of(pristine, ["jpeg-q85", "identity", "mislgan"]))
