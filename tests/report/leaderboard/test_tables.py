import csv
import io
import json

import pytest

from bench.report.leaderboard.standing import build_standings
from bench.report.leaderboard.tables import render_boards
from tests.report.leaderboard.folders import boards_of, other_networks, write_folder


@pytest.fixture(scope="module")
def boards(tmp_path_factory):
    place = tmp_path_factory.mktemp("boards")
    write_folder(place / "one")
    write_folder(place / "two", entry=other_networks)
    return [build_standings(board) for board in boards_of(place)]


def test_markdown_has_a_table_a_split_and_board(boards):
    text = render_boards(boards, "md")
    assert text.count("\n### toy-v1") == 4
    assert "identity (control)" in text
    assert "Not ranked" in text
    assert "prnu_removal&co" in text


def test_csv_is_one_table_of_plain_numbers(boards):
    rows = list(csv.DictReader(io.StringIO(render_boards(boards, "csv"))))
    assert len(rows) == 2 * 2 * 6
    assert {row["board"] for row in rows} == {"one", "two"}
    best = next(r for r in rows if r["attack"] == "cgan-img-wdf-pef" and r["split"] == "in")
    assert (best["tasr_rank"], best["tasr_tie_group"]) == ("1", "1")
    assert float(best["tasr_mean_low_percent"]) < float(best["tasr_mean_percent"])
    control = next(r for r in rows if r["attack"] == "identity")
    assert (control["kind"], control["tasr_rank"], control["tasr_mean_percent"]) == (
        "control",
        "",
        "",
    )


def test_json_says_why_boards_are_apart(boards):
    first, second = json.loads(render_boards(boards, "json"))["boards"]
    assert first["apart"].keys() == {"two"}
    assert first["victims"]["img-resnet18"] == "d-img-resnet18"
    assert second["victims"]["img-resnet18"] == "anew-img-resnet18"
    assert len(first["tables"]) == 2


def test_latex_is_escaped(boards):
    assert r"prnu\_removal\&co" in render_boards(boards, "tex")


def test_published_rows_are_in_no_ranking(boards):
    for format_ in ("md", "csv", "json"):
        assert "published" not in render_boards(boards, format_)
