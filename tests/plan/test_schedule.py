"""What a matrix takes on several nodes, from the times of its jobs."""

import shutil

import pytest

from bench.jobs.train import snapshots_in
from bench.plan.request import open_session
from bench.plan.schedule import Task, makespan_s, measured_tasks
from bench.store import Store
from bench.types import CamobenchError
from tests.smoke import request

CHAIN = {
    "laac": Task(seconds=2.0),
    "victim": Task(seconds=3.0),
    "attack": Task(seconds=4.0, needs=("laac",)),
    "score/0": Task(seconds=1.0, needs=("attack", "victim")),
    "score/1": Task(seconds=1.0, needs=("attack", "victim")),
}


@pytest.mark.parametrize(("nodes", "seconds"), [(1, 11.0), (2, 7.0), (64, 7.0)])
def test_nodes_share_what_does_not_wait(nodes, seconds):
    assert makespan_s(CHAIN, nodes) == seconds


def test_the_times_are_those_of_cards_and_rows(smoke):
    session = open_session(request(), smoke.store)
    tasks, basis = measured_tasks(session)
    jobs = session.graph.jobs
    cards = {k: session.shelf.find(job.kind, job.name, k).card for k, job in jobs.items()}
    assert {key: tasks[key].seconds for key in jobs} == {k: c["seconds"] for k, c in cards.items()}
    rows = [name for name in tasks if name not in jobs]
    assert {name.split("/")[0] for name in rows} == set(session.graph.attacks)
    assert f"{len(jobs)} of {len(jobs)} trainings" in basis
    whole = sum(task.seconds for task in tasks.values())
    assert makespan_s(tasks, 1) == pytest.approx(whole)
    assert max(task.seconds for task in tasks.values()) <= makespan_s(tasks, 8) <= whole


def test_a_training_that_was_cut_tells_by_the_part_that_is_done(smoke_copy):
    session = open_session(request(), smoke_copy.store)
    job = next(one for one in session.graph.jobs.values() if one.name == "img-resnet12")
    shutil.rmtree(session.store.checkpoint_folder(job.kind, job.name, job.key))
    path = session.store.snapshot_file(job.kind, job.name, job.key)
    snapshots_in(path).save({"step": 30, "steps": 120, "seconds": 60.0})
    tasks, basis = measured_tasks(session)
    assert tasks[job.key].seconds == 240
    assert "1 by the steps that are done" in basis


def test_without_a_measured_job_nothing_is_told(tmp_path):
    with pytest.raises(CamobenchError, match="has been timed"):
        measured_tasks(open_session(request(), Store(tmp_path / "empty")))
