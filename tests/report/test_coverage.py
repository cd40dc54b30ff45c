"""A partial row, and a victim that states labels alone."""

import pytest

from bench.records.load import load_run
from bench.report.cards import build_cards
from bench.report.comparison.contenders import contenders_of
from bench.report.comparison.pairs import pairs_table
from bench.report.comparison.ranking import ranks_table
from bench.report.pages.report import report_html, victims_html
from bench.report.tables.paper import build_table
from bench.report.verification.folder import verify_folder
from tests.records.test_load import MISLGAN, change
from tests.toy_run import edit_json, rewrite

P = ["p_predicted", "p_source", "p_target"]
WANTED = 24 * 2 + 16 * 3  # of mislgan: images x targets, in and out of distribution
THERE = WANTED - 20


def declare(folder, **fields):
    """Put fields into the record of img-resnet18 in every entry."""
    for path in folder.glob("entry-*.json"):
        edit_json(
            path,
            lambda entry: next(v for v in entry["victims"] if v["name"] == "img-resnet18").update(
                fields
            ),
        )
    return folder


def records(run):
    return {record["attack"]: record for record in build_table(run, "in").records}


@pytest.fixture
def partial_row(run_dir):
    """mislgan without its first twenty images and targets."""

    def without_first(rows):
        mine = rows[rows["attack"] == "mislgan"]
        cells = mine["image_id"] + mine["target"]
        return rows.drop(mine.index[cells.isin(list(cells.unique()[:20]))])

    for name in ("predictions", "distortion"):
        rewrite(run_dir, name, without_first)
    coverage = {"scored": THERE, "wanted": WANTED}
    change(run_dir, MISLGAN, attack__coverage=coverage, attack__files_sha256="0")
    return run_dir


def test_a_partial_row_says_so_wherever_it_stands(partial_row):
    run = load_run(partial_row)
    table = build_table(run, "in")
    mine = records(run)["mislgan"]
    assert (mine["scored"], mine["wanted"]) == (THERE, WANTED)
    assert "mislgan (partial)" in [row.name for row in table.rows]
    said = f"{THERE} of {WANTED} were there; nothing is filled in."
    assert any(n.startswith("mislgan is partial: ") and n.endswith(said) for n in table.notes)
    assert any("mislgan: 28 of 48 images and targets in this table" in note for note in table.notes)
    assert said in report_html(run)


def test_a_partial_row_is_not_ranked_and_a_comparison_names_it(partial_row):
    ranks = ranks_table(contenders_of(partial_row, []))
    assert {record["attack"] for record in ranks.records} == {"cgan-img-wdf-pef", "cgan-img"}
    assert f"Not ranked, because partial: mislgan ({THERE} of {WANTED} images)." in ranks.notes
    notes = pairs_table(contenders_of(partial_row, ["mislgan", "cgan-img"])).notes
    assert f"mislgan is partial: {THERE} of {WANTED} images." in notes


def test_a_victim_without_probabilities_has_no_calibration(run_dir):
    def labels_alone(rows):
        known = rows["victim"] != "img-resnet18"
        return rows.assign(**{p: rows[p].where(known).astype("float64") for p in P})

    rewrite(run_dir, "predictions", labels_alone)
    run = load_run(declare(run_dir, labels_only=True))
    (card,) = [card for card in build_cards(run) if card.victim.name == "img-resnet18"]
    assert (card.clean.ece_percent, card.clean.bins) == (None, None)
    assert card.clean.overall.accuracy > 0
    assert "no probabilities" in victims_html(run)
    checked = {one.check: one for one in verify_folder(run_dir)}
    assert checked["predictions of jpeg-q85"].verdict == "ok"
    declare(run_dir, labels_only=False)
    checked = {one.check: one for one in verify_folder(run_dir)}
    assert "is NaN in 40 of 200 rows" in checked["predictions of jpeg-q85"].finding
    with pytest.raises(ValueError, match="lacks probabilities, which its entry contradicts"):
        load_run(run_dir)


def test_a_victim_of_labels_alone_has_no_probabilities(run_dir):
    with pytest.raises(ValueError, match="has probabilities, which its entry contradicts"):
        load_run(declare(run_dir, labels_only=True))
