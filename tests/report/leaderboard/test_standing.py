import pytest

from bench.metrics.success import TASR
from bench.report.leaderboard.board_tables import board_table, gap_notes
from bench.report.leaderboard.standing import build_standings
from bench.report.pages.board_pages import mean_order
from tests.report.leaderboard.folders import boards_of, failed, in_part, without, write_folder
from tests.report.leaderboard.test_boards import only_spam, spam_victim


def standings_of(place, **spoilt):
    write_folder(place / "base", **spoilt)
    return build_standings(boards_of(place)[0])


@pytest.fixture(scope="module")
def standings(tmp_path_factory):
    return standings_of(tmp_path_factory.mktemp("boards"))


@pytest.fixture(scope="module")
def holed(tmp_path_factory):
    hole = ("mislgan", "img-resnet18")
    spoilt = {"rows": without(*hole), "entry": failed(*hole)}
    return standings_of(tmp_path_factory.mktemp("holed"), **spoilt)


def by_name(standings, split="in"):
    return {one.attack.name: one for one in standings.by_split[split]}


def test_ranks_follow_the_means_and_leave_controls_out(standings):
    found = by_name(standings)
    order = sorted(
        (one for one in found.values() if "tasr" in one.ranks),
        key=lambda one: one.ranks["tasr"]["rank"],
    )
    assert [one.attack.name for one in order] == ["cgan-img-wdf-pef", "mislgan", "cgan-img"]
    means = [one.record["tasr_mean_percent"] for one in order]
    assert means == sorted(means, reverse=True)
    for one in order:
        rank = one.ranks["tasr"]
        assert rank["rank_low"] <= rank["rank"] <= rank["rank_high"]
    assert not found["identity"].ranks
    assert not found["jpeg-q85"].ranks
    names = [row.name for row in board_table(standings, "in").rows]
    assert names[0] == "cgan-img-wdf-pef: img, wdf, pef"
    assert names[-3:-1] == ["Not ranked", "identity (control)"]


def test_a_hole_is_shown_and_takes_no_part(holed):
    one = by_name(holed)["mislgan"]
    assert one.cells["tasr"]["img-resnet18"].hole
    assert one.cells["tasr"]["img-resnet18"].value is None
    assert not one.complete
    assert not one.ranks
    assert set(by_name(holed)["cgan-img"].ranks) == {"tasr", "uasr"}
    assert list(gap_notes(holed, "in")) == ["mislgan: no rows for img-resnet18: NaN in a logit."]
    row = next(r for r in board_table(holed, "in").rows if r.name == "mislgan: pef")
    assert row.cells[0] == "–"
    assert row.cells[-1] == "192 of 240"
    names = [r.name for r in board_table(holed, "in").rows]
    assert 0 < names.index("Not ranked") < names.index("mislgan: pef")
    mean, rest = row.cells[2].split("§")
    assert 0 < float(mean) < 100
    assert rest.startswith(" (")
    digests = {victim.name: victim.digest for victim in holed.board.run.victims}
    assert digests["img-resnet18"] == "d-img-resnet18"


def test_a_mean_over_fewer_victims_is_starred_and_below_the_others(holed):
    means = {one.attack.name: one.mean_text("tasr", interval=False) for one in holed.by_split["in"]}
    assert means["mislgan"].endswith("§")
    defined = [name for name, mean in means.items() if mean != "n/a"]
    assert mean_order(holed, "in", TASR)["mislgan"] == len(defined) - 1
    notes = board_table(holed, "in").notes
    assert any(note.startswith("§: over what was scored alone") for note in notes)
    assert "§" not in "".join(means[name] for name in defined if name != "mislgan")


def test_a_victim_that_no_attack_was_scored_on_in_full_is_in_no_mean(tmp_path):
    def lost(entry):
        failed(entry["attack"]["name"], "img-resnet18")(entry)

    rows = lambda rows: rows[rows["victim"] != "img-resnet18"]  # noqa: E731
    found = standings_of(tmp_path, rows=rows, entry=lost)
    assert "img-resnet18" not in found.board.panel
    assert by_name(found)["mislgan"].complete
    assert by_name(found)["mislgan"].ranks
    assert found.board.notes == ("In the heat map, but in no mean and no rank: img-resnet18.",)


def test_a_victim_without_clean_accuracy_is_in_no_mean(tmp_path):
    hole = ("identity", "img-resnet18")
    found = standings_of(tmp_path, rows=without(*hole), entry=failed(*hole))
    assert hole[1] not in found.board.panel
    assert by_name(found)["mislgan"].complete
    assert found.board.notes == (f"In the heat map, but in no mean and no rank: {hole[1]}.",)


def test_means_of_a_board_without_the_protocols_families(tmp_path):
    standings = standings_of(tmp_path, rows=only_spam, entry=spam_victim)
    found = by_name(standings)
    assert any("Mean is over spam-svm" in note for note in standings.tables["in"].notes)
    one = found["mislgan"]
    assert one.record["tasr_mean_percent"] == pytest.approx(one.cells["tasr"]["spam-svm"].value)
    low, high = (one.record[f"tasr_mean_{end}_percent"] for end in ("low", "high"))
    assert low < one.record["tasr_mean_percent"] < high
    assert found["jpeg-q85"].record["tasr_mean_percent"] is None


def test_what_is_in_part_only_is_behind_what_is_whole_and_on_no_front(tmp_path):
    """The leader without half of its images: its mean is still the best, and says nothing."""

    def half(rows):
        images = sorted(set(rows["image_id"]))[::2]
        return rows[(rows["attack"] != "cgan-img-wdf-pef") | ~rows["image_id"].isin(images)]

    found = standings_of(tmp_path, both=half, entry=in_part("cgan-img-wdf-pef", 48, 96))
    attacks = [one for one in found.by_split["in"] if one.kind == "attack"]
    assert [one.complete for one in attacks] == sorted(one.complete for one in attacks)[::-1]
    assert attacks[-1].attack.name == "cgan-img-wdf-pef"


def test_a_targeted_control_that_wins_leads_the_board(tmp_path):
    def control(entry):
        entry["attack"]["control"] |= entry["attack"]["name"] == "cgan-img-wdf-pef"

    usual, found = standings_of(tmp_path / "a"), standings_of(tmp_path / "b", entry=control)
    first = usual.by_split["in"][0].attack.name
    one = by_name(found)["cgan-img-wdf-pef"]
    assert (one.kind, one.ranks["tasr"]) == (
        "control",
        by_name(usual)[one.attack.name].ranks["tasr"],
    )
    assert found.by_split["in"][0].attack.name == first
