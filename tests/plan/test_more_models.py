from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.contract import VICTIMS, Victim, VictimSpec
from bench.jobs.building import BuildError
from bench.plan.evaluate import evaluate
from bench.plan.graph import plan
from bench.recipes import SMOKE
from bench.registry import Entry
from bench.store import Store
from bench.suites.base import open_suite
from bench.suites.catalogue import load_suite
from bench.suites.simcam.plan import SIMCAM_12, SIMCAM_MINI
from bench.suites.simcam.plan import plan as shots_of
from tests.smoke import SUITE, ToySource

NAME = "wdf-resnet18-more-models"


def test_set_d_is_set_a_and_the_same_scenes_by_further_models_with_devices_of_their_own():
    for spec in (SIMCAM_MINI, SIMCAM_12):
        given, more = shots_of(spec, "A"), shots_of(spec, "D")
        known = {shot.image_id: shot for shot in more}
        for shot in given:
            same = known.pop(shot.image_id)
            assert same == replace(shot, set="D")
        assert {shot.model for shot in known.values()} == set(spec.models_out)
        assert {shot.scene for shot in known.values()} <= {shot.scene for shot in given}
        elsewhere = {shot.device for name in ("B", "C") for shot in shots_of(spec, name)}
        assert not {shot.device for shot in more} & elsewhere


def test_a_victim_that_knows_more_models_is_trained_on_set_d_and_is_a_column(tmp_path):
    run = evaluate(
        suite=SUITE,
        recipe="smoke",
        attacks=["identity"],
        victims=["wdf-resnet18", NAME],
        out=tmp_path / "out",
        store=tmp_path / "store",
        shipped=False,
        progress=False,
    )
    suite = load_suite(SUITE).card
    both = run.predictions.groupby("victim")
    assert set(both.size()) == {len(run.predictions) // 2}
    assert set(run.predictions["predicted"]) <= {*suite.classes, *suite.more_models}
    [folder] = (tmp_path / "store").glob("data/*")
    made = open_suite(folder)
    known = made.examiner_set("D")
    assert known.classes == suite.classes + suite.others
    kept, own = (
        made.images("A"),
        made.manifest("D")["image_id"].isin(made.manifest("A")["image_id"]),
    )
    assert np.array_equal(made.images("D")[own], kept)
    [card] = Store(tmp_path / "store").root.glob(f"checkpoints/victim/{NAME}-*/card.json")
    assert '"trained_on": "Set-D"' in card.read_text()
    assert "simcam-07" in card.read_text()


def test_no_other_key_moves_and_its_estimator_is_that_of_set_a():
    card = load_suite(SUITE).card
    plain, both = (
        plan(card, SMOKE, attacks=[], victims=names)
        for names in (["wdf-resnet18"], ["wdf-resnet18", NAME])
    )
    assert both.victims["wdf-resnet18"] == plain.victims["wdf-resnet18"]
    assert both.estimators == plain.estimators
    assert len(both.classes[NAME]) == 4


def test_a_plug_in_is_told_of_more_models_too():
    class Wider(Victim):
        spec = VictimSpec(name="wider", more_models=True)

        def logits(self, images):
            return images.mean((2, 3)) @ torch.ones(3, len(self.classes))

    card = load_suite(SUITE).card
    with VICTIMS.during(Entry(spec=Wider.spec, builder=Wider)):
        graph = plan(card, SMOKE, attacks=[], victims=["wider"])
    assert graph.classes["wider"] == card.classes + card.more_models


def test_it_needs_a_suite_that_has_photographs_of_further_models():
    with pytest.raises(BuildError, match="toy-v1 has no photographs of further models"):
        plan(replace(ToySource().card, more_models=()), SMOKE, attacks=[], victims=[NAME])
