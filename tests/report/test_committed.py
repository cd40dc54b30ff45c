"""The committed results are what today's code makes of the committed rows."""

import shutil
from pathlib import Path

import pytest

from bench.report.leaderboard.board_tables import render_boards
from bench.report.leaderboard.standing import build_standings
from bench.report.pages.site import write_site
from bench.report.verification.folder import verify_folder
from tests.report.leaderboard.folders import boards_of

RESULTS = Path(__file__).resolve().parents[2] / "results"
FOLDERS = sorted({path.parent for path in RESULTS.glob("*/entry-*.json")})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_tables_of_a_run(folder):
    found = verify_folder(folder)
    assert [one for one in found if one.verdict not in ("ok", "skip")] == []
    same = {one.check for one in found if one.finding == "recomputed, the same to the byte"}
    assert same == {
        path.name for suffix in ("md", "csv", "tex") for path in folder.glob(f"*.{suffix}")
    }


@pytest.mark.slow
def test_leaderboard_and_site(tmp_path):
    out = tmp_path / "results"
    for folder in FOLDERS:
        shutil.copytree(folder, out / folder.name)
    boards = [build_standings(board) for board in boards_of(out)]
    for suffix in ("md", "csv", "tex", "json"):
        fresh = render_boards(boards, suffix)
        committed = (RESULTS / f"leaderboard.{suffix}").read_text(encoding="utf-8")
        assert fresh == committed, "run `camobench leaderboard` and commit what it writes"
    site, kept = write_site(boards, out).parent, RESULTS / "leaderboard"
    files = sorted(path.relative_to(site) for path in site.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(kept) for path in kept.rglob("*") if path.is_file())
    unlike = [str(f) for f in files if (site / f).read_bytes() != (kept / f).read_bytes()]
    assert unlike == [], "run `camobench leaderboard` and commit what it writes"
    assert sum((kept / file).stat().st_size for file in files) < 3 << 20
