"""Columns of a board that only some folders have."""

import json
import re

from bench.report.detection.scores import ROWS
from bench.report.leaderboard.board_tables import render_boards
from bench.report.leaderboard.boards import load_boards
from bench.report.leaderboard.standing import build_standings
from bench.report.linkage import ROWS as LINKS
from tests.report.detection.test_detection import scores_of
from tests.report.leaderboard.folders import boards_of, write_folder
from tests.report.test_linkage import pce_of


def test_what_detectors_say_is_a_column_where_a_folder_has_it(tmp_path):
    folder = write_folder(tmp_path / "one")
    [found] = map(build_standings, boards_of(tmp_path))
    assert "Detection" not in render_boards([found], "md")
    scores_of(folder).to_parquet(folder / ROWS)
    [found] = map(build_standings, boards_of(tmp_path))
    [table] = json.loads(render_boards([found], "json"))["boards"][0]["tables"][:1]
    aucs = {row["attack"]: row["detection_auc"] for row in table["rows"]}
    assert (aucs["identity"], aucs["mislgan"]) == (0.5, 0.75)
    heading, *rows = [line for line in render_boards([found], "md").splitlines() if line[:1] == "|"]
    place = [cell.strip() for cell in heading.split("|")].index("Detection AUC")
    [row] = [line for line in rows if line.startswith("| mislgan")][:1]
    assert row.split("|")[place].strip() == "0.75"


def test_what_fits_its_device_is_a_column_where_a_folder_has_it(tmp_path):
    folder = write_folder(tmp_path / "one")
    [found] = map(build_standings, boards_of(tmp_path))
    assert "Device" not in render_boards([found], "md")
    pce_of(folder).to_parquet(folder / LINKS)
    [found] = map(build_standings, boards_of(tmp_path))
    [table] = json.loads(render_boards([found], "json"))["boards"][0]["tables"][:1]
    aucs = {row["attack"]: row["device_auc"] for row in table["rows"]}
    assert (aucs["identity"], aucs["mislgan"]) == (1, 0.5)
    assert re.search(r"^\| mislgan.* 0\.50 +\| +all", render_boards([found], "md"), re.MULTILINE)


def test_scores_of_another_network_leave_their_folder_out(tmp_path):
    folder = write_folder(tmp_path / "one")
    scores_of(folder).assign(attack_key="another").to_parquet(folder / ROWS)
    boards, [left_out] = load_boards([tmp_path])
    assert not boards
    assert "detection.parquet" in str(left_out)
