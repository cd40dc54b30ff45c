"""Conditions end to end, on the smallest run."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from bench.checks import to_unit
from bench.jobs.networks import Networks
from bench.jobs.scoring import scorer
from bench.jobs.scoring.condition import saved_as_jpeg
from bench.plan.dry_run import find_missing
from bench.plan.request import evaluate_run, open_session
from bench.records.load import load_run
from bench.report.conditions.survival import survivals
from bench.suites.base import open_suite
from bench.types import CamobenchError
from tests.smoke import Smoke, request

QUALITIES = (90, 60)


@pytest.fixture(scope="module")
def again(smoke, tmp_path_factory):
    """The same run with survival, in a store and a folder of its own."""
    root = tmp_path_factory.mktemp("survival")
    store = smoke.copy(root).store
    return Smoke(store, evaluate_run(request(recompress=QUALITIES), store, root / "out").directory)


def test_rows_are_what_the_victims_say_of_the_jpeg(again):
    session = open_session(request(), again.store)
    networks = Networks(session.graph, session.shelf, torch.device("cpu"))
    suite = open_suite(
        again.store.data_folder(session.graph.suite.name, session.graph.suite.fingerprint)
    )
    images = torch.from_numpy(np.array(suite.images("C")))
    victim = networks.victim("img-resnet12")
    rows = pd.read_parquet(again.out / "conditions.parquet")
    for quality in QUALITIES:
        with torch.no_grad():
            values = victim.logits(to_unit(saved_as_jpeg(images, quality))).softmax(1)
        mine = rows[
            (rows["attack"] == "identity")
            & (rows["victim"] == "img-resnet12")
            & (rows["quality_percent"] == quality)
        ]
        assert list(mine["image_id"]) == list(suite.manifest("C")["image_id"])
        np.testing.assert_allclose(
            mine["p_predicted"], values.max(1).values.numpy(), rtol=0, atol=1e-5
        )


def test_each_attack_and_victim_has_the_rows_of_the_run_at_each_quality(smoke, again):
    before = pd.read_parquet(again.out / "predictions.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(smoke.out / "predictions.parquet"), before)
    after = pd.read_parquet(again.out / "conditions.parquet")
    assert set(after.columns) == {*before.columns, "quality_percent", "strength"}
    unit = ["attack", "victim", "image_id", "target"]
    for quality in QUALITIES:
        mine = after[after["quality_percent"] == quality]
        assert len(mine) == len(before)
        assert len(before.merge(mine, on=unit)) == len(before)
    assert {one.quality_percent for one in survivals(load_run(again.out))} == set(QUALITIES)
    assert (again.out / "survival.svg").is_file()


def test_the_same_again_scores_nothing_and_a_quality_more_only_that(again, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(scorer.Scorer, "score", None)
        session = open_session(request(recompress=QUALITIES), again.store)
        assert not find_missing(session).cells
        evaluate_run(request(recompress=QUALITIES), again.store, again.out)
    more = request(recompress=(*QUALITIES, 50))
    missing = find_missing(open_session(more, again.store))
    assert set(missing.cells) == {f"{a} after JPEG 50" for a in ("cgan-img", "jpeg", "identity")}
    assert f"of {3 * 2 * 4} cells" in missing.summary


def test_a_run_that_does_not_ask_for_it_replaces_none(again):
    with pytest.raises(CamobenchError, match="JPEG qualities 60, 90, here"):
        evaluate_run(request(), again.store, again.out)
    assert (again.out / "conditions.parquet").is_file()


def test_strengths_are_rows_of_their_own_between_the_original_and_the_attack(smoke_copy, tmp_path):
    asked = request(attacks=("gaussian-blur",), victims=("img-resnet12",), strengths=(0.5, 1.0))
    out = evaluate_run(asked, smoke_copy.store, tmp_path / "out").directory
    rows = pd.read_parquet(out / "conditions.parquet")
    assert set(rows["strength"]) == {0.5}
    assert set(rows["attack"]) == {"gaussian-blur", "identity"}
    whole = pd.read_parquet(out / "predictions.parquet")
    assert len(rows) == len(whole)
    far = pd.read_parquet(out / "distortion.parquet").set_index(["attack", "image_id"])["psnr_db"]
    near = pd.read_parquet(out / "conditions-distortion.parquet")
    near = near.set_index(["attack", "image_id"])["psnr_db"].loc["gaussian-blur"]
    gain = near - far.loc["gaussian-blur"]
    assert gain.between(5.0, 7.0).all()  # half the change is 6 dB, but for the rounding
    evaluate_run(replace(asked, strengths=()), smoke_copy.store, tmp_path / "b")
    assert not (tmp_path / "b" / "conditions.parquet").exists()
