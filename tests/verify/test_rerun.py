import json
from functools import partial

import pandas as pd
import pytest

from bench.plan.request import evaluate_run
from bench.records.load import load_run
from bench.store import Store
from bench.types import CamobenchError
from bench.verify.agreement import precision_verdicts
from bench.verify.rerun import recheck
from tests.smoke import VICTIMS, flip, request
from tests.toy_run import edit_json, rewrite


def again(smoke, **options):
    found = recheck(smoke.out, smoke.store, **{"rows": 40} | options)
    return {one.check: one for one in found}


def test_the_networks_say_the_same_again(smoke):
    found = again(smoke)
    assert (
        found["images of Set-C"].finding
        == "8 images, named and labelled as in the suite, pixels as they were made"
    )
    assert found["re-run"].verdict == "ok"
    assert "40 rows of 3 attacks and 2 victims: 0 predictions flipped" in found["re-run"].finding
    assert again(smoke, rows=40, seed=drawn(found)) == found


def test_attacks_of_a_seed_of_their_own_are_found_again(smoke_copy):
    evaluate_run(request(attack_seed=1), smoke_copy.store, smoke_copy.out.parent / "seeded")
    folder = smoke_copy.out.parent / "seeded"
    entry = json.loads((folder / "entry-cgan-img.json").read_text())
    assert (entry["seed"], entry["attack_seed"]) == (0, 1)
    found = {one.check: one for one in recheck(folder, smoke_copy.store, rows=40)}
    assert "40 rows of 3 attacks and 2 victims: 0 predictions flipped" in found["re-run"].finding
    first, other = (load_run(one).predictions for one in (smoke_copy.out, folder))
    keys = [set(one["attack_key"][one["attack"] == "cgan-img"]) for one in (first, other)]
    assert keys[0].isdisjoint(keys[1])
    assert set(first["victim_key"]) == set(other["victim_key"])


def drawn(found):
    return int(found["re-run"].finding.rpartition("--seed ")[2])


def test_each_sample_is_another_one(smoke):
    assert len({drawn(again(smoke, rows=3)) for _ in range(3)}) > 1
    assert "3 rows of 3 attacks" in again(smoke, rows=3)["re-run"].finding


def test_all_rows_are_each_looked_at_once(smoke):
    count = len(pd.read_parquet(smoke.out / "predictions.parquet"))
    found = again(smoke, rows=None)["re-run"]
    assert found.verdict == "ok"
    assert found.finding.startswith(f"{count} rows of 3 attacks and 2 victims: 0 predictions")
    assert found.finding.endswith("; all there are")


def swapped(frame):
    """Labels and probabilities of one attack swapped alike, so that each row fits together."""
    columns = ["predicted", "p_source", "p_target", "p_predicted"]
    for _, part in frame[frame["attack"] == "cgan-img"].groupby("split"):
        frame.loc[part.index, columns] = part.iloc[::-1][columns].to_numpy()
    return frame


def first(frame, **columns):
    """Something else in the first row."""
    frame.loc[0, list(columns)] = list(columns.values())
    return frame


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (swapped, "cgan-img on"),
        (lambda frame: frame.assign(p_predicted=0.9 * frame["p_predicted"]), "0 predictions flip"),
        (partial(first, predicted="nobody"), "1 prediction flipped, 1 of them by more"),
        (partial(first, image_id="nobody"), "on nobody to simcam-02, but no such image"),
    ],
)
def test_rows_that_the_networks_do_not_give_fail(smoke_copy, edit, told):
    rewrite(smoke_copy.out, "predictions", edit)
    found = again(smoke_copy, rows=None)["re-run"]
    assert (found.verdict, told in found.finding) == ("fail", True)


def test_a_flip_between_classes_that_are_as_likely_is_none(smoke_copy, monkeypatch):
    classes = load_run(smoke_copy.out).victims[0].classes
    monkeypatch.setattr("bench.verify.rerun.MARGIN", 0.5)
    monkeypatch.setattr("bench.verify.rerun.LARGEST_DIFFERENCE", 1.0)
    rewrite(
        smoke_copy.out,
        "predictions",
        lambda f: first(f, predicted=next(c for c in classes if c != f["predicted"][0])),
    )
    found = again(smoke_copy, rows=None)["re-run"]
    assert (found.verdict, "1 prediction flipped, 0 of" in found.finding) == ("ok", True)


def fainter(frame):
    return frame.assign(lpips=0.1 * frame["lpips"], psnr_db=15 + frame["psnr_db"])


def certain(frame):
    """Every image under a condition is taken for its target."""
    sent = frame["target"].notna()
    won = {"predicted": frame["target"], "p_target": frame["p_predicted"], "p_source": 0.0}
    return frame.assign(**{name: frame[name].where(~sent, value) for name, value in won.items()})


@pytest.mark.parametrize(
    ("table", "edit", "told"),
    [
        ("distortion", fainter, "distortions otherwise than stated"),
        ("conditions-distortion", fainter, "distortions otherwise than stated"),
        ("conditions", certain, "at strength 0.5"),
    ],
)
def test_distortions_and_rows_under_conditions_are_looked_at_too(smoke_copy, table, edit, told):
    evaluate_run(request(strengths=(0.5,)), smoke_copy.store, smoke_copy.out)
    assert again(smoke_copy, rows=None)["re-run"].verdict == "ok"
    rewrite(smoke_copy.out, table, edit)
    found = again(smoke_copy, rows=None)["re-run"]
    assert (found.verdict, told in found.finding) == ("fail", True), found.finding


def test_a_distortion_that_is_there_twice_hides_no_verdict(smoke_copy):
    rewrite(smoke_copy.out, "distortion", lambda rows: pd.concat([rows, rows.iloc[:1]]))
    assert again(smoke_copy, rows=8)["re-run"].verdict == "ok"  # `verify` says so of the table


def test_a_store_without_the_networks_is_no_failure(smoke, tmp_path):
    found = recheck(smoke.out, Store(tmp_path / "store"), rows=4)
    skipped = [one for one in found if one.check == "networks"]
    assert {one.verdict for one in skipped} == {"skip"}
    assert any("cgan-img" in one.finding and "is not trained" in one.finding for one in skipped)
    assert found[-1].finding.startswith("no row: the store and the package lack the networks")


@pytest.mark.parametrize(
    ("field", "reason"),
    [("digest", "weights at hand are others"), ("key", "today's code would make another network")],
)
def test_other_networks_under_the_name_are_not_used(smoke_copy, field, reason):
    path = smoke_copy.out / "entry-cgan-img.json"
    edit_json(path, lambda entry: entry["attack"].update({field: "0" * 16}))
    for name in ("predictions", "distortion") if field == "key" else ():
        rewrite(
            smoke_copy.out,
            name,
            lambda f: f.assign(
                attack_key=f["attack_key"].where(f["attack"] != "cgan-img", "0" * 16)
            ),
        )
    found = again(smoke_copy)
    assert reason in found["networks"].finding
    assert "2 attacks" in found["re-run"].finding


def test_a_recipe_that_is_none_here_skips_the_rows_and_no_other_check(smoke_copy):
    for path in smoke_copy.out.glob("entry-*.json"):
        edit_json(path, lambda entry: entry.update(recipe="lab-recipe"))
    (found,) = again(smoke_copy).values()
    assert (found.check, found.verdict) == ("re-run", "skip")
    assert "unknown recipe 'lab-recipe'" in found.finding


def test_a_cell_that_failed_hides_its_victim_on_no_other_attack(smoke_copy):
    path = smoke_copy.out / "entry-cgan-img.json"
    edit_json(path, lambda entry: entry["victims"][0].update(digest="none"))
    lost = {"attack": "cgan-img", "victim": VICTIMS[0]}
    rewrite(
        smoke_copy.out, "predictions", lambda f: f[(f[list(lost)] != pd.Series(lost)).any(axis=1)]
    )
    assert "of 3 attacks and 2 victims" in again(smoke_copy)["re-run"].finding


def test_images_that_are_not_the_suites(smoke_copy):
    rewrite(smoke_copy.out, "predictions", lambda f: f[f["image_id"] != f["image_id"].iloc[0]])
    found = again(smoke_copy)["images of Set-C"]
    assert found.verdict == "fail"
    assert "1 image of Set-C missing" in found.finding


def test_pixels_that_are_not_those_that_were_scored(smoke_copy):
    def scored_on_others(entry):
        assert len(entry["provenance"]["set_c_sha256"]) == 64
        entry["provenance"]["also_scored_by"] = [{"set_c_sha256": "0" * 64}]

    edit_json(smoke_copy.out / "entry-jpeg.json", scored_on_others)
    found = again(smoke_copy)["images of Set-C"]
    assert found.verdict == "warn"
    assert found.finding.startswith("jpeg: scored on other pixels than the store has")


def test_pixels_that_were_damaged(smoke_copy):
    flip(next(smoke_copy.store.root.glob("data/*/C/images.npy")))
    for check in (recheck, precision_verdicts):
        with pytest.raises(CamobenchError, match=r"images\.npy is damaged"):
            check(smoke_copy.out, smoke_copy.store)
