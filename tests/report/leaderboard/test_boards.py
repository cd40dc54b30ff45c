import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.conditions.curves import has_strengths
from bench.report.leaderboard.boards import load_boards, slug
from bench.report.leaderboard.standing import build_standings
from tests.report.conditions.test_curves import curved
from tests.report.leaderboard.folders import boards_of, other_networks, without, write_folder
from tests.toy_run import missed


def weaker(rows):
    """Somebody's copy, in which a rival fails more often, must not count as the rival's row."""
    return missed(rows, (rows["split"] == "in") & (rows["predicted"] == rows["target"]))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"entry": lambda e: e.update(recipe="paper")}, "recipe mini, there paper"),
        ({"entry": lambda e: e.update(scorer_version=3)}, "scorer version 2, there 3"),
        ({"entry": lambda e: e["lpips"].update(version="0.2")}, "LPIPS version 0.1, alex"),
        ({"entry": lambda e: e["suite"].update(fingerprint="e")}, "suite fingerprint ffff"),
        ({"entry": lambda e: e["provenance"].update(precision="bf16")}, "fp32, there bf16 on"),
        ({"entry": other_networks}, "5 of 5 victims of the same name are other networks"),
        ({"both": lambda rows: rows[rows["photo_id"] != "cam-a-p0"]}, "there 38, 38 shared"),
        ({"rows": weaker}, "predictions of the same networks differ from those of b"),
        (
            {"both": lambda f: f.assign(lpips=0.1 * f["lpips"]) if "lpips" in f else f},
            "distortion of the same networks differ from those of b",
        ),
    ],
)
def test_what_differs_is_said(tmp_path, change, why):
    write_folder(tmp_path / "a")
    write_folder(tmp_path / "b", **change)
    one, two = boards_of(tmp_path)
    assert why in one.apart[0][1]
    assert (one.slug, one.title) == ("a", "toy-v1, recipe mini")
    if two.title.startswith(one.title):
        assert two.title.startswith("toy-v1, recipe mini, networks of b")
    (alone,) = boards_of(tmp_path / "a")
    assert one.run.predictions.equals(alone.run.predictions)


def test_the_same_networks_twice_count_once_and_disagreement_is_said(tmp_path):
    def flip(rows):
        rows = rows.copy()
        first = rows.index[rows["attack"] == "identity"][0]
        rows.loc[first, ["predicted", "p_source"]] = ["cam-c", 0.1]
        return rows

    base = write_folder(tmp_path / "base")
    write_folder(tmp_path / "later", rows=flip)
    (board,) = boards_of(tmp_path)
    (alone,) = boards_of(base)
    assert len(board.run.predictions) == len(alone.run.predictions)
    assert board.notes[0] == "Means and ranks are over victims of base; here too: later."
    assert board.notes[1].startswith(
        "2,040 predictions of the same networks in more than one folder: 1 "
    )


def test_another_network_of_the_same_name_carries_its_folder(tmp_path):
    def retrained(entry):
        entry["attack"]["digest"] = "anew"

    write_folder(tmp_path / "base")
    write_folder(tmp_path / "theirs", attacks=("mislgan",), entry=retrained, rows=weaker)
    (board,) = boards_of(tmp_path)
    assert {"mislgan", "mislgan (theirs)"} <= {attack.name for attack in board.run.attacks}
    rows = board.run.predictions["attack"].value_counts()
    assert rows["mislgan"] == rows["mislgan (theirs)"]


def test_a_new_victim_is_a_column_but_moves_no_mean(tmp_path):
    def only_new(rows):
        known = rows[rows["victim"] == "pef-resnet18"]
        return pd.concat([known, known.assign(victim="pef-new", victim_key="k-new")])

    def new_victim(entry):
        victim = entry["victims"][2]
        entry["victims"] = [
            victim,
            victim | {"name": "pef-new", "key": "k-new", "digest": "d-new"},
        ]

    write_folder(tmp_path / "base")
    write_folder(tmp_path / "theirs", attacks=("mislgan",), rows=only_new, entry=new_victim)
    (board,) = boards_of(tmp_path)
    assert "pef-new" in board.run.families
    assert "pef-new" not in board.panel
    assert set(board.panel_run.predictions["victim"]) == set(board.panel)
    assert board.notes[-1] == "In the heat map, but in no mean and no rank: pef-new."


def only_spam(rows):
    rows = rows[rows["victim"] == "pef-resnet18"].copy()
    return rows.assign(victim="spam-svm", victim_key="k-spam")


def spam_victim(entry):
    entry["victims"] = [
        entry["victims"][2]
        | {"name": "spam-svm", "key": "k-spam", "digest": "d-spam", "family": "spam"}
    ]


def test_a_board_wants_clean_accuracy(tmp_path):
    write_folder(tmp_path / "base", attacks=("mislgan", "cgan-img"))
    boards, left_out = load_boards([tmp_path])
    assert (boards, [one.name for one in left_out]) == ([], ["base"])
    assert "no rows of the identity control" in str(left_out[0])


def test_victims_of_others_never_make_the_base(tmp_path):
    """More victims are no reason to be the folder whose victims the means are over."""
    more = [f"theirs-{place}" for place in range(9)]

    def multiply(rows):
        base = rows[rows["victim"] == "pef-resnet18"]
        return pd.concat(
            [base.assign(victim=n, victim_key=f"k-{n}") for n in ("pef-resnet18", *more)]
        )

    def claim(entry):
        mine = entry["victims"][2]
        plug_in = {"plug_in": {"origin": "my.py:Net", "source_sha256": "0"}}
        entry["victims"] = [mine] + [
            mine | {"name": n, "key": f"k-{n}", "digest": f"d-{n}"} | plug_in for n in more
        ]

    write_folder(tmp_path / "a-theirs", rows=multiply, entry=claim)
    write_folder(tmp_path / "base")
    (board,) = boards_of(tmp_path)
    (alone,) = boards_of(tmp_path / "base")
    assert board.slug == "base"
    assert board.panel == alone.panel


def test_no_folder_renames_the_board_of_the_one_called_like_its_suite(tmp_path):
    """It is the base, with the name, title, victims and level that it has alone."""
    reference = "toy-v1"
    write_folder(tmp_path / reference, attacks=("identity", "mislgan"))
    curved(write_folder(tmp_path / "a-mine", attacks=("mislgan",), rename={"mislgan": "fog"}))
    write_folder(tmp_path / "anew", entry=other_networks)
    (alone,) = boards_of(tmp_path / reference)
    board, other = boards_of(tmp_path)
    assert [one.name for one in board.submissions] == [reference, "a-mine"]
    assert has_strengths(board.submissions[1].run)
    for of in ("slug", "title", "panel", "at_level"):
        assert getattr(board, of) == getattr(alone, of)
    assert (board.slug, board.at_level) == (reference, False)
    assert other.title == f"{board.title}, networks of anew"
    means = [
        {r["attack"]: r["tasr_mean_percent"] for r in build_standings(one).tables["in"].records}
        for one in (board, alone)
    ]
    assert means[0]["mislgan"] == means[1]["mislgan"]


def test_a_folder_that_does_not_hold_what_it_says_is_left_out(tmp_path):
    write_folder(tmp_path / "base")
    write_folder(tmp_path / "holed", rows=without("mislgan", "img-resnet18"))
    write_folder(tmp_path / "raised", rows=lambda rows: rows.assign(p_predicted=1.5))
    (board,), left_out = load_boards([tmp_path])
    assert [one.name for one in board.submissions] == ["base"]
    reasons = {one.name: "; ".join(one.reasons) for one in left_out}
    assert reasons["holed"].startswith("predictions of mislgan: 96 rows missing (img-resnet18)")
    assert "`p_predicted` is outside [0, 1]" in reasons["raised"]


@given(
    st.lists(st.text() | st.sampled_from(["..", "../x", "a b", "a_b", "A-b", "<i>"]), unique=True)
)
def test_no_name_leaves_its_folder_or_meets_another(names):
    found = [slug(name) for name in names]
    assert len(set(found)) == len(found)
    for name in found:
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
        assert not name.startswith(".")
        assert 0 < len(name) < 100
