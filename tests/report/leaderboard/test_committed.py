"""The committed leaderboard is what the command makes of the committed entries."""

import shutil
from pathlib import Path

import pytest

from bench.report.leaderboard.board_tables import render_boards
from bench.report.leaderboard.standing import build_standings
from bench.report.pages.site import write_site
from tests.report.leaderboard.folders import boards_of

RESULTS = Path(__file__).resolve().parents[3] / "results"


@pytest.mark.slow
def test_tables_and_site_are_the_commands_own(tmp_path):
    out = tmp_path / "results"
    for folder in sorted({path.parent for path in RESULTS.glob("*/entry-*.json")}):
        shutil.copytree(folder, out / folder.name)
    boards = [build_standings(board) for board in boards_of(out)]
    for suffix in ("md", "csv", "tex", "json"):
        fresh = render_boards(boards, suffix)
        committed = (RESULTS / f"leaderboard.{suffix}").read_text(encoding="utf-8")
        assert fresh == committed, "run `camobench leaderboard` and commit what it writes"
    site = write_site(boards, out).parent
    files = sorted(path.relative_to(site) for path in site.rglob("*") if path.is_file())
    kept = RESULTS / "leaderboard"
    assert files == sorted(path.relative_to(kept) for path in kept.rglob("*") if path.is_file())
    unlike = [str(f) for f in files if (site / f).read_bytes() != (kept / f).read_bytes()]
    assert unlike == [], "run `camobench leaderboard` and commit what it writes"


def test_the_committed_site_is_small():
    files = [path for path in (RESULTS / "leaderboard").rglob("*") if path.is_file()]
    assert 0 < sum(path.stat().st_size for path in files) < 3 << 20
