"""A run on a suite with a split of real photographs, from the pixels to the pages."""

import pandas as pd
import pytest

from bench.plan.request import evaluate_run
from bench.report.leaderboard.boards import load_boards
from bench.report.leaderboard.standing import build_standings
from bench.report.pages.pictures import one_to_every_target, originals_and_anonymised
from bench.report.verification.folder import verify_folder
from bench.store import Store
from bench.suites.catalogue import load_suite
from bench.suites.derived import WithRealPhotographs
from bench.verdicts import failed
from tests.smoke import SUITE, request
from tests.suites.test_folder import write_tree


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("real")
    photographs = write_tree(root / "photographs", {"x": [2], "y": [2]})
    source = WithRealPhotographs(load_suite(SUITE), photographs)
    asked = request(source=source, victims=("img-resnet12",))
    return evaluate_run(asked, Store(root / "store"), root / "out")


def test_every_photograph_goes_to_every_target_and_has_no_uasr(run):
    rows = run.predictions[run.predictions["split"] == "real"]
    counts = rows.groupby("attack").size().to_dict()
    assert counts == {"cgan-img": 4 * 3, "jpeg": 4, "identity": 4}
    assert rows["p_source"].isna().all()
    assert run.distortion.loc[run.distortion["split"] == "real", "lpips"].notna().all()


def test_it_has_a_table_of_its_own_beside_table_3(run):
    assert run.splits == ("in", "out", "real")
    found = pd.read_csv(run.directory / "table3_real.csv").set_index("attack")
    mine = run.predictions[(run.predictions["split"] == "real")]
    mine = mine[mine["attack"] == "cgan-img"]
    tasr = 100 * (mine["predicted"] == mine["target"]).mean()
    assert found.loc["cgan-img", "tasr_img_percent"] == pytest.approx(tasr)
    assert found.loc["cgan-img", "lpips"] > 0
    assert "on real photographs" in (run.directory / "report.html").read_text("utf-8")


def test_its_photographs_are_among_the_figures(run):
    shown = [one.split for one in originals_and_anonymised(run, "cgan-img")]
    assert (len(shown), set(shown)) == (6, {"in", "out", "real"})
    assert {one.split for one in one_to_every_target(run, "cgan-img")} == {"real"}


def test_it_is_verified_and_stands_on_the_board(run):
    assert failed(verify_folder(run.directory)) == []
    (board,), left_out = load_boards([run.directory])
    assert left_out == []
    assert list(build_standings(board).by_split) == ["in", "out", "real"]
