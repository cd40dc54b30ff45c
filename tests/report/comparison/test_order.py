from dataclasses import replace
from shutil import copytree

import pytest

from bench.report.comparison.contenders import contenders_of
from bench.report.comparison.order import order_table
from tests.report.conditions.test_curves import curved
from tests.report.leaderboard.folders import without
from tests.toy_run import rewrite

NAMES = ["cgan-img-wdf-pef", "mislgan", "cgan-img"]


@pytest.mark.parametrize(
    ("others", "tau"), [(NAMES, 1), (NAMES[::-1], -1), (["mislgan", *NAMES[::2]], 1 / 3)]
)
def test_runs_agree_as_far_as_their_ranks_do(pristine, others, tau):
    one = contenders_of(pristine, [*NAMES, "jpeg-q85"])
    called = dict(zip(NAMES, others, strict=True))
    rows = one[0].run.predictions
    run = replace(one[0].run, predictions=rows.assign(attack=rows["attack"].replace(called)))
    table = order_table(one, [replace(c, run=run) for c in one])
    for split in ("in", "out"):
        mine = [record for record in table.records if record["split"] == split]
        assert [(r["attack"], r["rank_one"]) for r in mine] == [*zip(NAMES, (1, 2, 3), strict=True)]
        assert [r["rank_other"] for r in mine] == [1 + others.index(name) for name in NAMES]
        for record in mine:
            assert record["kendall_tau"] == pytest.approx(tau)
            assert record["tau_low"] <= record["kendall_tau"] <= record["tau_high"]
        if others == NAMES:
            assert mine[0]["mean_one_percent"] == mine[0]["mean_other_percent"]


def test_an_order_takes_three_attacks_that_both_have(pristine):
    one, other = contenders_of(pristine, NAMES), contenders_of(pristine, NAMES[:2])
    with pytest.raises(ValueError, match="share cgan-img-wdf-pef, mislgan on"):
        order_table(one, other)


@pytest.mark.parametrize(("hole", "equal"), [("mislgan", False), ("identity", True)])
def test_means_are_over_victims_that_all_of_both_runs_was_scored_on(run_dir, hole, equal):
    other = copytree(curved(run_dir), run_dir.with_name("other"))
    rewrite(other, "predictions", without(hole, "img-resnet18"))
    table = order_table(*(contenders_of(at, NAMES) for at in (run_dir, other)), equal=equal)
    for record in table.records:
        assert record["mean_one_percent"] == record["mean_other_percent"]
    assert not any("img-resnet18" in note for note in table.notes if note.startswith("Means"))
