import pytest

from bench.report.leaderboard.boards import load_boards
from tests.report.leaderboard.folders import other_networks, without, write_folder


def boards(place):
    return {board.slug: board for board in load_boards([place])}


def test_another_training_of_the_victims_never_shares_a_board(tmp_path):
    write_folder(tmp_path / "shipped")
    write_folder(tmp_path / "trained-anew", entry=other_networks)
    found = boards(tmp_path)
    assert set(found) == {"shipped", "trained-anew"}
    assert len(found["shipped"].run.predictions) == len(found["trained-anew"].run.predictions)
    ((other, why),) = found["shipped"].apart
    assert other == "trained-anew"
    assert "5 of 5 victims of the same name are other networks" in why
    assert found["shipped"].title == "toy-v1, recipe mini, networks of shipped"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda e: e.update(recipe="paper"), "recipe mini, there paper"),
        (lambda e: e.update(scorer_version=2), "scorer version 1, there 2"),
        (lambda e: e["lpips"].update(version="0.2"), "LPIPS version 0.1, alex, there 0.2, alex"),
        (lambda e: e["suite"].update(fingerprint="e" * 64), "suite fingerprint ffff"),
        (lambda e: e["provenance"].update(precision="bf16"), "precision fp32, there bf16 on cpu"),
    ],
)
def test_what_differs_is_said(tmp_path, change, why):
    write_folder(tmp_path / "a")
    write_folder(tmp_path / "b", entry=change)
    found = load_boards([tmp_path])
    assert len(found) == 2
    assert found[0].apart[0][1].startswith(why)


def test_a_victim_of_another_precision_is_another_column(tmp_path):
    def reduced(entry):
        entry["victims"][0]["precision"] = "bf16"

    write_folder(tmp_path / "a")
    write_folder(tmp_path / "b", entry=reduced)
    found = load_boards([tmp_path])
    assert len(found) == 2
    assert (
        "1 of 5 victims of the same name are other networks (wdf-resnet18)" in found[0].apart[0][1]
    )


def test_lpips_trunks_never_mix_and_none_fits_any(tmp_path):
    def trunk(digest):
        lpips = {"available": True, "trunk_sha256": digest}
        return lambda entry: entry["lpips"].update(lpips)

    write_folder(tmp_path / "a", entry=trunk("1" * 64))
    write_folder(tmp_path / "b", entry=trunk("2" * 64))
    write_folder(tmp_path / "c")
    found = load_boards([tmp_path])
    assert [len(board.submissions) for board in found] == [2, 1]
    assert "LPIPS trunk 111111111111, there 222222222222" in found[0].apart[0][1]


def test_a_newcomer_joins_the_board_of_the_networks_it_was_scored_on(tmp_path):
    write_folder(tmp_path / "base")
    write_folder(tmp_path / "mine", attacks=("cgan-img",), rename={"cgan-img": "newcomer"})
    (board,) = load_boards([tmp_path])
    assert board.slug == "base"
    assert {attack.name for attack in board.run.attacks} >= {"newcomer", "cgan-img", "mislgan"}
    assert [source.folder for source in board.sources["newcomer"]] == ["mine"]


def test_the_same_networks_twice_count_once_and_disagreement_is_said(tmp_path):
    def flip(rows):
        rows = rows.copy()
        rows.loc[rows.index[0], "predicted"] = "cam-c"
        return rows

    base = write_folder(tmp_path / "base")
    write_folder(tmp_path / "again", attacks=("identity",), rows=flip)
    (board,) = load_boards([tmp_path])
    (alone,) = load_boards([base])
    assert len(board.run.predictions) == len(alone.run.predictions)
    assert board.notes[0].startswith("200 predictions of the same networks in two folders: 1 ")


def test_another_network_of_the_same_name_carries_its_folder(tmp_path):
    def retrained(entry):
        entry["attack"]["digest"] = "anew"

    write_folder(tmp_path / "base")
    write_folder(tmp_path / "theirs", attacks=("mislgan",), entry=retrained)
    (board,) = load_boards([tmp_path])
    assert {"mislgan", "mislgan (theirs)"} <= {attack.name for attack in board.run.attacks}
    rows = board.run.predictions["attack"].value_counts()
    assert rows["mislgan"] == rows["mislgan (theirs)"]


def test_a_new_victim_is_a_column_but_moves_no_mean(tmp_path):
    def only_new(rows):
        rows = rows[rows["victim"] == "pef-resnet18"].copy()
        return rows.assign(victim="pef-new", victim_key="k-new")

    def new_victim(entry):
        victim = entry["victims"][2]
        entry["victims"] = [
            victim,
            victim | {"name": "pef-new", "key": "k-new", "digest": "d-new"},
        ]

    write_folder(tmp_path / "base")
    write_folder(tmp_path / "theirs", attacks=("mislgan",), rows=only_new, entry=new_victim)
    (board,) = load_boards([tmp_path])
    assert "pef-new" in board.run.families
    assert "pef-new" not in board.panel
    assert set(board.panel_run.predictions["victim"]) == set(board.panel)
    assert board.notes == ("In the heat map, but in no mean and no rank: pef-new.",)


def only_spam(rows):
    rows = rows[rows["victim"] == "pef-resnet18"].copy()
    return rows.assign(victim="spam-svm", victim_key="k-spam")


def spam_victim(entry):
    entry["victims"] = [
        entry["victims"][2]
        | {"name": "spam-svm", "key": "k-spam", "digest": "d-spam", "family": "spam"}
    ]


def test_a_column_alone_joins_by_the_attacks_it_was_scored_under(tmp_path):
    write_folder(tmp_path / "base")
    write_folder(tmp_path / "spam", rows=only_spam, entry=spam_victim)
    (board,) = load_boards([tmp_path])
    assert "spam-svm" in board.run.families
    assert "spam-svm" not in board.panel


def test_neither_a_victim_nor_an_attack_in_common(tmp_path):
    write_folder(tmp_path / "base")
    write_folder(
        tmp_path / "spam",
        attacks=("identity", "cgan-img"),
        rename={"cgan-img": "fog"},
        rows=only_spam,
        entry=spam_victim,
    )
    found = load_boards([tmp_path])
    assert [board.apart[0][1] for board in found] == ["no victim and no attack in common"] * 2


def test_a_board_wants_clean_accuracy(tmp_path):
    write_folder(tmp_path / "base", attacks=("mislgan", "cgan-img"))
    with pytest.raises(ValueError, match="no rows of the identity control"):
        load_boards([tmp_path])


def test_images_that_the_suite_has_not(tmp_path):
    write_folder(tmp_path / "base")
    write_folder(
        tmp_path / "theirs",
        attacks=("mislgan",),
        rows=lambda rows: rows.assign(image_id=rows["image_id"] + "x"),
    )
    with pytest.raises(ValueError, match=r"theirs has images that .*base has not"):
        load_boards([tmp_path])


def test_the_order_of_places_changes_nothing(tmp_path):
    one = write_folder(tmp_path / "one", rows=without("mislgan", "img-resnet18"))
    two = write_folder(tmp_path / "two")
    first, second = load_boards([one, two]), load_boards([two, one])
    assert [board.slug for board in first] == [board.slug for board in second] == ["two"]
    assert first[0].run.predictions.equals(second[0].run.predictions)
