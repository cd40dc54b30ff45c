import json
from functools import partial

import pytest

from bench.store.outputs import NOTE
from tests.report.leaderboard.folders import other_networks, write_folder
from tests.toy_run import edit_json


@pytest.fixture
def leaderboard(camobench):
    return partial(camobench, "leaderboard")


def test_tables_and_site_are_written_and_the_chosen_format_printed(leaderboard, tmp_path):
    write_folder(tmp_path / "results" / "one")
    write_folder(tmp_path / "results" / "two", entry=other_networks)
    out = tmp_path / "board"
    code, printed, said = leaderboard(tmp_path / "results", "--out", out, "--format", "json")
    assert code == 0
    one, two = json.loads(printed)["boards"]
    assert (one["apart"].keys(), len(one["tables"])) == ({"two"}, 2)
    victims = [board["victims"]["img-resnet18"] for board in (one, two)]
    assert victims == ["d-img-resnet18", "anew-img-resnet18"]
    assert printed == (out / "leaderboard.json").read_text()
    assert {path.name for path in out.iterdir()} == {
        *("leaderboard", "leaderboard.md", "leaderboard.csv", "leaderboard.tex"),
        *("leaderboard.json", NOTE),
    }
    assert "2 boards" in said


def test_nothing_of_somebody_elses_is_replaced(leaderboard, tmp_path):
    for name in ("one", "two"):
        write_folder(tmp_path / name)
    (tmp_path / "mine" / "leaderboard").mkdir(parents=True)
    (tmp_path / "mine" / "leaderboard" / "thesis.tex").write_text("mine")
    assert leaderboard(tmp_path / "one", "--out", tmp_path / "mine")[0] == 1
    assert (tmp_path / "mine" / "leaderboard" / "thesis.tex").read_text() == "mine"
    out = ["--out", tmp_path / "board"]
    assert leaderboard(tmp_path / "one", *out)[0] == 0
    before = (tmp_path / "board" / "leaderboard.md").read_bytes()
    code, _, said = leaderboard(tmp_path / "two", *out)
    assert (code, "choose another --out" in said) == (1, True)
    assert (tmp_path / "board" / "leaderboard.md").read_bytes() == before
    assert leaderboard(tmp_path / "one", tmp_path / "two", *out)[0] == 0  # and what was there


def test_a_board_of_the_default_folder_can_be_made_again(leaderboard, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "results" / "one")
    code, printed, _ = leaderboard()
    assert (code, leaderboard()[1]) == (0, printed)
    assert (tmp_path / "results" / "leaderboard" / "one" / "index.html").is_file()


def test_one_bad_folder_is_named_everywhere_and_stops_no_other(leaderboard, tmp_path):
    write_folder(tmp_path / "results" / "one")
    bad = write_folder(tmp_path / "results" / "two")
    edit_json(bad / "entry-mislgan.json", lambda e: e.update(recipe="<b>"))
    out = tmp_path / "board"
    code, printed, said = leaderboard(tmp_path / "results", "--out", out)
    assert code == 1
    assert f"left out: {bad}: " in said
    assert "1 board: " in said
    assert "## Left out\n\n- two: " in printed
    told = json.loads((out / "leaderboard.json").read_text())
    assert [board["board"] for board in told["boards"]] == ["one"]
    assert "has recipe '<b>'" in told["left_out"]["two"][0]
    assert "has recipe &#39;&lt;b&gt;&#39;" in (out / "leaderboard" / "index.html").read_text()
