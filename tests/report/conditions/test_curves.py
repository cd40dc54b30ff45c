"""Success at equal distortion from files alone, against curves read off by hand."""

import re

import numpy as np
import pandas as pd
import pytest

from bench.records.load import CONDITIONS, TABLES, load_run
from bench.report.comparison.contenders import contenders_of
from bench.report.comparison.pairs import pairs_table
from bench.report.comparison.ranking import ranks_table
from bench.report.conditions.curve_tables import curves_table
from bench.report.conditions.curves import curves_of
from bench.report.leaderboard.board_tables import board_table
from bench.report.leaderboard.boards import load_boards
from bench.report.leaderboard.standing import build_standings
from bench.report.pages.site import write_site
from bench.report.verification.folder import verify_folder
from tests.report.conditions.test_survival import rate, weakened
from tests.report.leaderboard.folders import failed as failed_on
from tests.report.leaderboard.folders import in_part, without
from tests.toy_run import ATTACKS, edit_json, over_families, rewrite, under

WEAK = (0.5, None)
TARGETED = [name for name, one in ATTACKS.items() if one[2]]
IN_TASR = ("in", "tasr")


def curved(folder):
    """A run's folder, now with every attack at half its strength and a third of its distortion."""
    frame = pd.read_parquet(folder / "predictions.parquet")
    weakened(frame, WEAK).to_parquet(folder / "conditions.parquet")
    changed = pd.read_parquet(folder / "distortion.parquet")
    changed.loc[changed["attack"] != "identity", "lpips"] = 0.06
    changed.loc[changed["attack"] == "cgan-img", "lpips"] = 0.03
    changed.to_parquet(folder / "distortion.parquet")
    half = under(changed.assign(lpips=changed["lpips"] / 3), 0.5)
    half.to_parquet(folder / "conditions-distortion.parquet")
    return folder


@pytest.fixture
def curved_dir(run_dir):
    return curved(run_dir)


def records(run):
    found = curves_table(run).records
    return {(r["attack"], r["split"], r["measure"]): r for r in found}


def test_success_is_read_off_between_two_strengths(curved_dir):
    run = load_run(curved_dir)
    weak, whole = (rate(f) for f in (weakened(run.predictions, WEAK), run.predictions))
    row = records(run)["mislgan", "in", "tasr"]
    at = row["at_level_percent"]
    assert at == pytest.approx((weak + whole) / 2)
    assert row["at_level_low_percent"] < at < row["at_level_high_percent"]
    assert row["strength_1_distortion"] == pytest.approx(0.06)


def test_what_distorts_less_stands_at_full_strength_and_is_marked(curved_dir):
    run = load_run(curved_dir)
    row = records(run)["cgan-img", "in", "tasr"]
    assert (row["at_level_is_whole"], row["at_level_percent"]) == ("yes", row["strength_1_percent"])
    assert "†" in next(r for r in curves_table(run).rows if r.name == "cgan-img").cells[1]


@pytest.mark.parametrize("hole", ["mislgan", "identity"])
def test_a_mean_over_fewer_victims_than_the_others_is_marked(curved_dir, hole):
    """Where untouched images were not scored, so is what the curve of every attack begins with."""
    for name in ("predictions", "conditions"):
        rewrite(curved_dir, name, without(hole, "pef-resnet18"))
    edit_json(curved_dir / f"entry-{hole}.json", failed_on(hole, "pef-resnet18", "no memory"))
    table = curves_table(load_run(curved_dir))
    marked = {row.name for row in table.rows if row.cells[0] == "TASR §"}
    assert marked == ({"mislgan"} if hole == "mislgan" else set(TARGETED))
    in_part = {one["attack"] for one in table.records if one["all_victims"] == "no"}
    assert in_part & set(TARGETED) == marked
    assert any("no memory" in note and hole in note for note in table.notes)
    pairs = pairs_table(contenders_of(curved_dir, TARGETED[1:]), equal=True)
    assert any("over 4 victims" in note for note in pairs.notes) == (hole == "identity")
    boards, _ = load_boards([curved_dir])
    found = build_standings(boards[0])
    there = {one.attack.name for one in found.by_split["in"] if "§" in one.level_text("tasr")}
    assert there == ({"mislgan"} if hole == "mislgan" else set())
    said = any(note.startswith("§: over what") for note in board_table(found, "in").notes)
    assert said == (hole == "mislgan")


def test_doing_nothing_is_chance_out_of_distribution_and_the_clean_error_inside(curved_dir):
    run = load_run(curved_dir)
    found = records(run)
    assert found["mislgan", "out", "tasr"]["strength_0_percent"] == pytest.approx(100 / 3)
    clean = run.predictions[run.predictions["attack"] == "identity"].query("split == 'in'")
    missed = over_families(clean["predicted"] != clean["source"], clean["victim"])
    assert found["mislgan", "in", "uasr"]["strength_0_percent"] == pytest.approx(missed)
    assert not any(attack == "identity" for attack, *_ in found)


def test_beyond_the_level_without_a_weaker_strength_nothing_is_said(curved_dir):
    for name in ("conditions", "conditions-distortion"):
        rewrite(curved_dir, name, lambda rows: rows[rows["attack"] != "mislgan"])
    row = records(load_run(curved_dir))["mislgan", "in", "tasr"]
    assert row["at_level_percent"] is None
    contenders = contenders_of(curved_dir, TARGETED)
    for table in (ranks_table(contenders, equal=True), pairs_table(contenders, equal=True)):
        assert not any("mislgan" in record.values() for record in table.records)
        left_out = [note for note in table.notes if note.startswith("Left out")]
        assert len(left_out) == 1
        assert "in distribution and out of distribution: mislgan" in left_out[0]


@pytest.mark.parametrize("name", ["conditions", "conditions-distortion"])
def test_a_strength_in_part_is_no_point_of_a_curve(curved_dir, name):
    def without_first(rows):
        mine = (rows["attack"] == "mislgan") & (rows["split"] == "in")
        return rows.drop(index=rows.index[mine][0])

    rewrite(curved_dir, name, without_first)
    curves = {(c.attack.name, c.split): c for c in curves_of(load_run(curved_dir))}
    assert [point.strength for point in curves["mislgan", "in"].points] == [0.0, 1.0]
    assert curves["mislgan", "in"].at == (None, None)
    assert len(curves["mislgan", "out"].points) == 3


def test_the_page_of_an_attack_shows_its_rank_beside_what_it_is_ranked_by(curved_dir, tmp_path):
    [board], _ = load_boards([curved_dir])
    standings = build_standings(board)
    one = next(one for one in standings.by_split["in"] if one.attack.name == "mislgan")
    write_site([standings], tmp_path)
    page = next((tmp_path / "leaderboard").rglob("attack-mislgan.html")).read_text()
    tiles = dict(re.findall(r"<dt>(TASR in .*?)(?:, rank .*?)?</dt><dd>([\d.]+)", page))
    expected = {"": one.mean_text("tasr"), " at LPIPS 0.04": one.level_text("tasr")}
    assert tiles == {f"TASR in distribution{at}": text.split()[0] for at, text in expected.items()}


def test_the_page_of_an_attack_in_part_shows_its_curve(curved_dir, tmp_path):
    lost = set(pd.read_parquet(curved_dir / "distortion.parquet")["image_id"].unique()[::2])
    for name in (*TABLES, *CONDITIONS):
        rewrite(
            curved_dir,
            name,
            lambda f: f[(f["attack"] != "mislgan") | ~f["image_id"].isin(lost)],
        )
    edit_json(curved_dir / "entry-mislgan.json", in_part("mislgan", 48, 96))
    [board], _ = load_boards([curved_dir])
    write_site([build_standings(board)], tmp_path)
    page = next((tmp_path / "leaderboard").rglob("attack-mislgan.html"))
    assert "Success at LPIPS 0.04" in page.read_text()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda f: f.iloc[1:], "1 row missing"),
        (lambda f: pd.concat([f, f.iloc[:1]]), "there twice"),
        (lambda f: f.assign(lpips=-f["lpips"] - 1), "`lpips`"),
    ],
)
def test_distortions_that_no_scorer_measures_keep_a_folder_off_boards(curved_dir, edit, said):
    rewrite(curved_dir, "conditions-distortion", edit)
    failed = [one.finding for one in verify_folder(curved_dir) if one.verdict == "fail"]
    assert said in " ".join(failed)
    boards, [left_out] = load_boards([curved_dir])
    assert not boards
    assert said in " ".join(left_out.reasons)


def test_a_distortion_that_is_nan_is_refused(curved_dir):
    rewrite(curved_dir, "conditions-distortion", lambda rows: rows.assign(lpips=np.nan))
    with pytest.raises(ValueError, match="`lpips`: expected no null"):
        load_run(curved_dir)


def test_a_board_ranks_by_success_at_the_level(curved_dir):
    board = load_boards([curved_dir])[0][0]
    standings = build_standings(board)
    found = {one.attack.name: one for one in standings.by_split["in"]}
    ranked = sorted(
        (one for one in found.values() if "tasr" in one.ranks),
        key=lambda one: one.ranks["tasr"]["rank"],
    )
    at = [one.curves["tasr"].at[0] for one in ranked]
    assert [one.ranks["tasr"]["tasr_mean_percent"] for one in ranked] == pytest.approx(
        [100 * value for value in at]
    )
    assert at == sorted(at, reverse=True)
    ends = found["mislgan"].curves["tasr"].at[1]
    assert found["mislgan"].ranks["tasr"]["tasr_mean_low_percent"] == pytest.approx(100 * ends[0])
    table = board_table(standings, "in")
    heading = table.headings.index("TASR At LPIPS 0.04 (95 %)")
    shown = {
        row.name.partition(":")[0]: row.cells[heading - 1]
        for row in table.rows
        if row.kind == "attack"
    }
    assert shown["mislgan"].startswith(f"{100 * found['mislgan'].curves['tasr'].at[0]:.1f} (")
    assert "†" in shown["cgan-img"]


def test_two_attacks_compared_at_the_level_differ_by_what_their_curves_do(curved_dir):
    two = contenders_of(curved_dir, ["mislgan", "cgan-img"])
    table = pairs_table(two, equal=True)
    pair = next(r for r in table.records if (r["split"], r["measure"]) == IN_TASR)
    at = {
        c.attack.name: c.at[0] for c in curves_of(two[0].run) if (c.split, c.metric.name) == IN_TASR
    }
    assert pair["difference_points"] == pytest.approx(100 * (at["mislgan"] - at["cgan-img"]))
    assert pair["low_points"] < pair["difference_points"] < pair["high_points"]
    assert "at LPIPS 0.04" in table.title


def test_the_level_is_of_the_images_that_both_were_scored_on_not_of_their_whole_scenes(
    curved_dir,
):
    def difference():
        table = pairs_table(contenders_of(curved_dir, ["mislgan", "cgan-img"]), equal=True)
        return next(r for r in table.records if (r["split"], r["measure"]) == IN_TASR)

    def lost(rows):
        return rows["image_id"].str.endswith(("p0-t0", "p1-t0", "p1-t1"))

    for name in (*TABLES, *CONDITIONS):
        rewrite(curved_dir, name, lambda f: f.assign(scene=f["source"]))
        rewrite(curved_dir, name, lambda f: f[(f["attack"] != "mislgan") | ~lost(f)])
    before = difference()
    assert (before["scenes"], before["images"]) == (3, 15)
    for name in ("distortion", "conditions-distortion"):
        rewrite(curved_dir, name, lambda f: f.assign(lpips=f["lpips"].where(~lost(f), 0.08)))
    assert difference() == before


def test_distortions_of_lost_rows_are_surplus(curved_dir):
    (curved_dir / "conditions.parquet").unlink()
    found = {one.check: one for one in verify_folder(curved_dir)}
    assert found["rows under conditions"].verdict == "fail"
