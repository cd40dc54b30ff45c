import json

import pytest

from bench.report.leaderboard.board_tables import render_boards
from bench.report.leaderboard.standing import build_standings
from tests.report.leaderboard.folders import (
    boards_of,
    failed,
    other_networks,
    without,
    write_folder,
)

FULL = "cgan-img-wdf-pef: img, wdf, pef"


@pytest.fixture(scope="module")
def boards(tmp_path_factory):
    place = tmp_path_factory.mktemp("boards")
    write_folder(place / "one")
    write_folder(place / "two", entry=other_networks)
    return [build_standings(board) for board in boards_of(place)]


def names(text, split):
    """First column of the table of a split."""
    (table,) = [part for part in text.split("\n### ") if f"attacks {split} distribution" in part]
    return [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")][1:]


def one_board(folder, **spoilt):
    write_folder(folder, **spoilt)
    (board,) = boards_of(folder)
    return render_boards([build_standings(board)], "md")


@pytest.fixture(scope="module")
def partial(tmp_path_factory):
    """An attack that is worth more than the others on the one cell that it lacks nothing of."""
    cell = ("cgan-img-wdf-pef", "img-resnet18")
    folder = tmp_path_factory.mktemp("partial") / "one"
    return one_board(folder, rows=without(*cell), entry=failed(*cell))


def test_what_has_no_rank_stands_below(boards, partial):
    shown = names(render_boards(boards[:1], "md"), "in")
    assert shown.index(FULL) == 0
    assert shown.index("**Not ranked**") < shown.index("identity (control)")
    shown = names(partial, "in")
    assert 0 < shown.index("**Not ranked**") < shown.index(FULL)


def test_json_says_why_boards_are_apart(boards):
    first, second = json.loads(render_boards(boards, "json"))["boards"]
    assert first["apart"].keys() == {"two"}
    assert first["victims"]["img-resnet18"] == "d-img-resnet18"
    assert second["victims"]["img-resnet18"] == "anew-img-resnet18"
    assert len(first["tables"]) == 2
