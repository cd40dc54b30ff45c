import time
from dataclasses import replace

import pytest
import torch
from torch import nn

from bench.contract import ProbeDone
from bench.runner.api import open_session
from bench.runner.estimate import Estimate, estimate, readable, work_rows
from bench.runner.estimate.tries import Tries, shape_of
from bench.runner.missing import find_missing
from bench.store import Store
from bench.training.loop import run_steps, seeded_generator
from tests.smoke import VICTIMS, request
from tests.toys import fit_context


def test_an_empty_store_has_a_time_for_everything(tmp_path):
    session = open_session(request(), Store(tmp_path))
    missing = find_missing(session)
    found = estimate(session, missing, budget_s=0)
    assert found.train_s.keys() == {job.key for job in missing.jobs}
    assert found.score_s.keys() == missing.cells.keys()
    assert min([found.data_s, *found.train_s.values(), *found.score_s.values()]) > 0
    assert not list((tmp_path / "checkpoints").rglob("*"))  # trying trains nothing
    first, *rest = work_rows(session, missing, found)
    assert (first["work"], first["name"]) == ("make", "simcam-smoke-v2")
    assert first.keys() == rest[0].keys()
    assert len(rest) == len(missing.jobs) + len(missing.cells)
    assert "?" not in {row["time"] for row in (first, *rest)}


def test_nothing_missing_takes_no_time(smoke):
    session = open_session(request(), smoke.store)
    assert estimate(session, find_missing(session)).total_s == 0


def test_a_targeted_attack_costs_its_targets(smoke_copy):
    """Set-C has other cameras too: an image goes to two targets or three, and once untargeted."""
    more = request(victims=(*VICTIMS, "img-resnet34"))
    session = open_session(more, smoke_copy.store)
    found = estimate(session, find_missing(session))
    assert found.score_s["cgan-img"] > 1.5 * found.score_s["identity"]
    assert found.data_s == 0


def test_trainings_are_shared_out():
    found = Estimate(data_s=1, train_s={"a": 10, "b": 20, "d": 30}, score_s={"c": 4}, workers=2)
    assert found.total_s == pytest.approx(1 + 30 + 4)
    assert replace(found, workers=1).total_s == pytest.approx(1 + 60 + 4)


def test_the_summary_says_what_it_leaves_out():
    assert Estimate(data_s=30).summary == "about 30 s"
    found = Estimate(data_s=30, untried=2, workers=2)
    assert found.summary == (
        "about 30 s, 2 networks trained side by side, and 2 trainings of plug-ins (?)"
    )


def test_the_longest_training_is_not_cut_in_two():
    found = Estimate(data_s=0, train_s={"a": 10, "b": 100}, workers=3)
    assert found.total_s == pytest.approx(100)


def test_a_probe_times_steps_and_stops():
    done = []

    def step(index):
        done.append(index)
        time.sleep(0.02)
        return {"loss": torch.tensor(1.0)}

    context = fit_context(probe_steps=2)
    generator = seeded_generator(context)
    with pytest.raises(ProbeDone) as caught:
        run_steps("toy", 500, step, context=context, parts={}, generator=generator)
    assert done == [0, 1, 2]
    assert caught.value.steps == 500
    assert caught.value.seconds_per_step >= 0.02


def test_the_same_shape_is_tried_once_and_the_rest_guessed_when_time_is_over():
    tried = []

    def take(seconds):
        def work():
            tried.append(seconds)
            return seconds

        return work

    tries = Tries(budget_s=60)
    assert tries.seconds("victim", "a", take(1.0)) == 1.0
    assert tries.seconds("victim", "a", take(9.0)) == 1.0
    assert tries.seconds("victim", "b", take(3.0)) == 3.0
    assert tried == [1.0, 3.0]
    late = Tries(budget_s=-1)
    assert late.seconds("victim", "a", take(2.0)) == 2.0  # one of each kind in any case
    assert late.seconds("victim", "b", take(4.0)) == 2.0
    assert late.seconds("attack", "a", take(7.0)) == 7.0


def test_shapes_tell_networks_apart():
    assert shape_of(nn.Linear(2, 3)) == shape_of(nn.Linear(2, 3))
    assert shape_of(nn.Linear(2, 3)) != shape_of(nn.Linear(3, 2))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (61, "61 s"), (150, "2 min"), (3600, "60 min"), (9000, "2.5 h")],
)
def test_durations(seconds, text):
    assert readable(seconds) == text
