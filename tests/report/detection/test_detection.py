"""Tables of detectors' scores from files alone."""

import numpy as np
import pandas as pd
import pytest

from bench.metrics.resampling import scene_draws, share_interval
from bench.records.load import load_run
from bench.report.detection.scores import ROWS, detections
from bench.report.detection.tables import DETECTION, detection_table
from bench.report.pages.report import write_all
from tests.report.leaderboard.folders import without
from tests.toy_run import over_families, rewrite, under

DETECTORS = ("one", "other")


def scores_of(folder, quality=None):
    """The first detector objects to every second image of attacks, the other to nothing."""
    pictures = pd.read_parquet(folder / "distortion.parquet")
    images = pictures[pictures["attack"] == "identity"].assign(target=None)
    digests = {one.name: one.digest for one in load_run(folder).attacks}
    parts = []
    for name, rows in pictures.groupby("attack"):
        key = rows["attack_key"].iloc[0]
        for treated, part in ((False, images), (True, rows)):
            seen = part["image_id"].str.endswith("t1").to_numpy() & treated & (name != "identity")
            for regime in ("known", "unseen", "originals"):
                for detector in DETECTORS:
                    score = np.where(seen & (detector == "one"), 1.0, 0.0)
                    named = {"attack": name, "attack_key": key, "treated": treated}
                    named |= {"attack_digest": digests[name]}
                    said = {"detector": detector, "regime": regime, "score": score}
                    parts.append(part.assign(**named, **said))
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(quality_percent=pd.array([quality] * len(rows), "Int64"))


@pytest.fixture
def detected_dir(run_dir):
    scores_of(run_dir).to_parquet(run_dir / ROWS)
    return run_dir


def of_mislgan(run):
    """Of its images in distribution, by detectors that have not seen it."""
    asked = ("mislgan", "in", "unseen")
    [found] = [one for one in detections(run) if (one.attack.name, one.split, one.regime) == asked]
    return found


def rate(run, hits):
    mine = run.predictions.query("attack == 'mislgan' and split == 'in'")
    return over_families(hits(mine), mine["victim"]) / 100


def test_false_alarms_of_new_images_are_told_where_untouched_ones_are_few(detected_dir):
    """Each of two objects above the highest of 16 images outside: to 1 of 17, perhaps others."""
    for copies, most in ((1, 100 * 2 / 17), (9, 100)):
        mine = pd.read_parquet(detected_dir / ROWS).query("attack == 'mislgan'")
        more = [mine.assign(detector=mine["detector"] + f" {place}") for place in range(copies)]
        pd.concat(more).to_parquet(detected_dir / ROWS)
        said = detection_table(load_run(detected_dir)).notes
        assert any(f"of new images up to {most:.0f} %" in note for note in said)


def test_what_a_detector_objects_to_is_no_success(detected_dir):
    run = load_run(detected_dir)
    one = of_mislgan(run)
    aucs = {name: figures.auc[0] for name, figures in one.by.items()}
    assert aucs == {"one": 0.75, "other": 0.5, "all": 0.75}
    assert one.by["one"].tpr[0] == 0.5

    def named(rows):
        return rows["predicted"] == rows["target"]

    hidden = rate(run, lambda rows: named(rows) & ~rows["image_id"].str.endswith("t1"))
    assert (one.success[0], one.undetected[0]) == pytest.approx((rate(run, named), hidden))
    assert one.undetected[1][0] <= one.undetected[0] <= one.undetected[1][1]


def test_undetected_success_has_the_threshold_of_each_draw(detected_dir):
    path = detected_dir / ROWS
    rows = pd.read_parquet(path)
    rows.assign(score=np.random.default_rng(0).normal(rows["treated"])).to_parquet(path)
    run = load_run(detected_dir)
    one = of_mislgan(run)
    mine = pd.read_parquet(path).query(
        "attack == 'mislgan' and split == 'in' and regime == 'unseen'"
    )
    index = ["treated", "scene", "image_id", "target", "detector"]
    wide = mine.fillna({"target": ""}).set_index(index)["score"].unstack("detector")
    clean, dirty = wide.loc[False], wide.loc[True]
    ids = sorted(mine["scene"].unique())
    place = {name: number for number, name in enumerate(ids)}
    ranks = [
        np.max([(clean[d].to_numpy() < part[d].to_numpy()[:, None]).sum(1) for d in DETECTORS], 0)
        for part in (clean, dirty)
    ]
    loud = pd.Series(ranks[1], index=dirty.index, name="loud").reset_index()
    said = run.predictions.query("attack == 'mislgan' and split == 'in'").merge(loud)
    named, loud = (said["predicted"] == said["target"]).to_numpy(), said["loud"].to_numpy()
    victims, names = pd.factorize(said["victim"])
    of = names.map(run.families)
    shares = 1 / (of.nunique() * of.value_counts()[of].to_numpy())
    places = said["scene"].map(place).to_numpy()
    clean_places = [place[name] for name in clean.index.get_level_values("scene")]
    found = []
    for draw in [np.ones(len(ids), int), *scene_draws(len(ids))]:
        limit = ranks[0][draw[clean_places] > 0].max()  # of 24 none may be objected to
        weight = draw[places]
        hits, seen = (np.bincount(victims, w) for w in (weight * (named & (loud <= limit)), weight))
        found.append(hits / seen @ shares)
    assert one.undetected[0] == pytest.approx(found[0])
    assert one.undetected[1] == pytest.approx(
        share_interval(found[0], np.array(found[1:]), len(ids), len(ids))
    )


def test_photographs_of_one_scene_are_one_draw(detected_dir):
    for name in ("predictions", "distortion", "detection"):
        rewrite(detected_dir, name, lambda rows: rows.assign(scene="one"))
    found = of_mislgan(load_run(detected_dir))
    figures = found.by["all"].auc, found.by["all"].tpr, found.success, found.undetected
    assert [ends for _, ends in figures] == [None] * 4


def test_untargeted_attacks_have_no_undetected_tasr(detected_dir):
    found = {one.attack.name: one.undetected for one in detections(load_run(detected_dir))}
    assert {name for name, value in found.items() if value == (None, None)} == {
        *("identity", "jpeg-q85", "prnu_removal&[co]")
    }


def test_row_and_record_say_the_same(detected_dir):
    table = detection_table(load_run(detected_dir))
    asked = {"attack": "mislgan", "split": "in", "regime": "unseen", "detector": "all"}
    [record] = [one for one in table.records if asked.items() <= one.items()]
    assert record["auc"] == 0.75
    row = next(row for row in table.rows if row.name == "mislgan")
    assert row.cells[-1].startswith(f"{record['undetected_tasr_percent']:.0f} (")


def test_success_on_fewer_victims_than_the_others_is_marked(detected_dir):
    rewrite(detected_dir, "predictions", without("mislgan", "pef-resnet18"))
    table = detection_table(run := load_run(detected_dir))
    marked = {row.name for row in table.rows if "§" in "".join(row.cells)}
    said = {(one["attack"], one["detector"]): one.get("all_victims") for one in table.records}
    assert marked == {who for (who, _), whole in said.items() if whole == "no"} == {"mislgan"}
    told = {one for one, whole in said.items() if whole}
    assert told == {(one.name, "all") for one in run.attacks if one.targeted}
    assert any(note.startswith("§") for note in table.notes)


def test_victims_are_asked_after_the_same_save_where_they_were(detected_dir):
    """Else it is said that they were not."""
    scores_of(detected_dir, 90).to_parquet(detected_dir / ROWS)
    assert any("--recompress 90" in note for note in detection_table(load_run(detected_dir)).notes)
    rows = pd.read_parquet(detected_dir / "predictions.parquet")
    none = rows["target"].notna() & (rows["predicted"] == rows["target"])
    under(rows[~none], quality=90).to_parquet(detected_dir / "conditions.parquet")
    run = load_run(detected_dir)
    notes = detection_table(run).notes
    assert not any("--recompress" in note for note in notes)
    assert any(note.startswith("TASR: of the images so saved") for note in notes)
    assert {one.success[0] for one in detections(run)} == {0.0, None}


def test_tables_follow_the_rows_that_a_run_adds_or_say_that_they_cannot(detected_dir):
    DETECTION.write(load_run(detected_dir))
    rewrite(detected_dir, "predictions", lambda rows: rows[rows["victim"] != "pef-resnet18"])
    run = load_run(detected_dir)
    write_all(run)
    for name, text in DETECTION.texts(run).items():
        assert (detected_dir / name).read_text() == text
    rewrite(detected_dir, "detection", lambda rows: rows.assign(attack_digest="of other weights"))
    with pytest.warns(UserWarning, match="trained anew .*camobench detect"):
        write_all(load_run(detected_dir))


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (lambda rows: rows.assign(attack_key="of another network"), "trained anew"),
        (lambda rows: rows.assign(attack_digest="of other weights"), "trained anew"),
        (lambda rows: rows.drop(columns="score"), r"columns \['score'\]; .*camobench detect"),
        (lambda rows: rows.assign(score=np.nan), "a score that is NaN"),
        (lambda rows: rows.drop(rows.index[-1]), "not one score .*camobench detect"),
        (lambda rows: pd.concat([rows, rows[-1:]]), "not one score of each detector"),
    ],
)
def test_scores_of_something_else_or_with_holes_are_refused(detected_dir, edit, word):
    rewrite(detected_dir, "detection", edit)
    with pytest.raises(ValueError, match=word):
        detection_table(load_run(detected_dir))
