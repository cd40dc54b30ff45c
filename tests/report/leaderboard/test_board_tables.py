"""Columns of a board that only some folders have."""

import json

import numpy as np
import pandas as pd
import pytest

from bench.report.detection.scores import ROWS
from bench.report.leaderboard.board_tables import render_boards
from bench.report.leaderboard.boards import load_boards
from bench.report.leaderboard.standing import build_standings
from bench.report.linkage import DEVICE
from bench.report.linkage import ROWS as LINKS
from bench.report.verification.folder import verify_folder
from bench.verdicts import failed
from tests.report.detection.test_detection import scores_of
from tests.report.leaderboard.folders import boards_of, write_folder
from tests.report.test_linkage import pce_of
from tests.toy_run import under


@pytest.mark.parametrize(
    ("name", "heading", "measure", "aucs"),
    [
        (ROWS, "Detection AUC", scores_of, {"identity": 0.5, "mislgan": 0.75}),
        (LINKS, "Device AUC", pce_of, {"identity": 1, "mislgan": 0.5}),
    ],
)
def test_what_was_measured_is_a_column_where_a_folder_has_it(
    tmp_path, name, heading, measure, aucs
):
    folder = write_folder(tmp_path / "one")
    [found] = map(build_standings, boards_of(tmp_path))
    assert heading not in render_boards([found], "md")
    measure(folder).to_parquet(folder / name)
    [found] = map(build_standings, boards_of(tmp_path))
    table, *_ = json.loads(render_boards([found], "json"))["boards"][0]["tables"]
    column = heading.lower().replace(" ", "_")
    assert {row["attack"]: row[column] for row in table["rows"]}.items() >= aucs.items()
    lines = [line for line in render_boards([found], "md").splitlines() if line[:1] == "|"]
    place = [cell.strip() for cell in lines[0].split("|")].index(heading)
    [row, *_] = [line for line in lines if line.startswith("| mislgan")]
    assert row.split("|")[place].strip() == f"{aucs['mislgan']:.2f}"


def endless(folder):
    rows = scores_of(folder)
    return rows.assign(score=np.where(rows["detector"] == "one", np.inf, -np.inf))


def of_one_device(folder):
    rows = pce_of(folder)
    return rows[(rows["device"] == "cam-a-0") & (rows[DEVICE] == "cam-a-0")]


def conditions(folder, **odd):
    return under(pd.read_parquet(folder / "predictions.parquet")).assign(**odd)


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        (ROWS, lambda folder: scores_of(folder).assign(attack_key="another")),
        (ROWS, lambda folder: scores_of(folder)[:0]),
        (ROWS, lambda folder: scores_of(folder).astype({"score": str})),
        (ROWS, endless),
        (LINKS, lambda folder: pce_of(folder)[:0]),
        (LINKS, of_one_device),
        ("conditions.parquet", lambda folder: conditions(folder, quality_percent=np.inf)),
        ("conditions.parquet", lambda folder: conditions(folder, strength=2)),
        ("conditions.parquet", lambda folder: conditions(folder, strength=None)),
        ("conditions.parquet", lambda folder: conditions(folder, strength="weak")),
    ],
)
def test_rows_that_give_no_figure_leave_their_folder_out(tmp_path, name, measure):
    folder = write_folder(tmp_path / "one")
    measure(folder).to_parquet(folder / name)
    boards, [left_out] = load_boards([tmp_path])
    assert not boards
    assert str(left_out).startswith(f"{folder}: {name}: ")
    assert name in failed(verify_folder(folder))


def test_all_code_that_made_rows_is_named_and_keys_are_of_the_attacks_shown(tmp_path):
    def later(entry):
        earlier = {"commit": "b" * 40, "dirty": True}
        entry["provenance"].update(commit="a" * 40, also_scored_by=[earlier])
        entry["attack"] |= {"digest": "x", "plug_in": {"origin": "a.py", "not_covered": ["time"]}}

    write_folder(tmp_path / "base")
    write_folder(tmp_path / "later", ("mislgan",), entry=later)
    (board,) = boards_of(tmp_path)
    text = render_boards([build_standings(board)], "md")
    made = [f"{one} with uncommitted changes" for one in ("0123456789ab", "a" * 12, "b" * 12)]
    assert f"code {', '.join(made)}.\n" in text
    assert "The key of mislgan (later) does not cover time:" in text
