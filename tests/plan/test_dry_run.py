"""What a matrix lacks, and what it takes on several nodes from the times of its jobs."""

from dataclasses import replace

import pytest

from bench.contract import VICTIMS as VICTIMS_KNOWN
from bench.contract import VictimSpec
from bench.plan.dry_run import Task, find_missing, makespan_s, measured_tasks
from bench.plan.request import open_session
from bench.recipes import RESIDUAL_NAME
from bench.registry import Entry
from bench.store import Store
from bench.types import CamobenchError
from tests.smoke import ATTACKS, VICTIMS, request


@pytest.fixture
def session(smoke):
    return open_session(request(), smoke.store)


def test_an_empty_store_lacks_everything(tmp_path):
    session = open_session(request(), Store(tmp_path))
    missing = find_missing(session)
    assert [job.label for job in missing.jobs] == [
        "estimator wdf-v1 (Set-A)",
        "surrogate img-resnet18 (Set-B)",
        "victim img-resnet12 (Set-A)",
        "victim wdf-resnet12 (Set-A)",
        "attack cgan-img (Set-B)",
    ]
    assert missing.cells == {name: tuple(VICTIMS) for name in ATTACKS}
    assert missing.summary == "5 of 5 networks and 6 of 6 cells are missing"
    with pytest.raises(CamobenchError, match="has been timed"):
        measured_tasks(session)


def test_a_full_matrix_lacks_nothing(session):
    missing = find_missing(session)
    assert (missing.jobs, missing.cells, missing.rows()) == ((), {}, [])
    assert " s to train" in missing.summary


def test_a_lost_estimator_makes_its_victims_unscored(smoke_copy):
    session = open_session(request(), smoke_copy.store)
    key = session.graph.estimators["A"]
    folder = smoke_copy.store.checkpoint_folder("estimator", "wdf-v1", key)
    (folder / "card.json").unlink()
    missing = find_missing(session)
    assert [job.kind for job in missing.jobs] == ["estimator"]
    assert set(missing.cells.values()) == {("wdf-resnet12",)}


def test_distortions_and_kept_images_are_missed_too(smoke_copy):
    kept = find_missing(open_session(request(keep_images=True), smoke_copy.store))
    assert kept.cells == dict.fromkeys(ATTACKS, ())
    for path in smoke_copy.store.root.glob("predictions/*/distortion/*.parquet"):
        path.unlink()
    assert find_missing(open_session(request(), smoke_copy.store)).cells == kept.cells


def test_what_cannot_be_built_is_missing(own_registries, tmp_path):
    def refuse(spec, **options):
        raise OSError("no weights")

    VICTIMS_KNOWN.add(Entry(spec=VictimSpec(name="bare", residual=RESIDUAL_NAME), builder=refuse))
    session = open_session(request(attacks=(), victims=("bare",)), Store(tmp_path))
    assert find_missing(session).cells == {"identity": ("bare",)}
    assert "no weights" in session.failures.summary()


CHAIN = {
    "laac": Task(2.0),
    "victim": Task(3.0),
    "attack": Task(4.0, needs=("laac",)),
    "score/0": Task(1.0, needs=("attack", "victim")),
    "score/1": Task(1.0, needs=("attack", "victim")),
}


@pytest.mark.parametrize(("nodes", "seconds"), [(1, 11.0), (2, 7.0), (64, 7.0)])
def test_nodes_share_what_does_not_wait(nodes, seconds):
    assert makespan_s(CHAIN, nodes) == seconds


def test_the_times_are_those_of_cards_and_rows(session):
    tasks, basis = measured_tasks(session)
    jobs = session.graph.jobs
    cards = {k: session.shelf.find(job.kind, job.name, k).card for k, job in jobs.items()}
    assert {key: tasks[key].seconds for key in jobs} == {k: c["seconds"] for k, c in cards.items()}
    rows = [name for name in tasks if name not in jobs]
    assert {name.split("/")[0] for name in rows} == set(session.graph.attacks)
    assert f"{len(jobs)} of {len(jobs)} trainings" in basis
    assert makespan_s(tasks, 1) == pytest.approx(sum(task.seconds for task in tasks.values()))


def test_nothing_waits_for_a_surrogate_that_has_nothing_to_learn(session):
    jobs, key = session.graph.jobs, session.graph.attacks["cgan-img"]
    jobs[key] = replace(jobs[key], needs=(*jobs[key].needs, "a key without a job"))
    assert makespan_s(measured_tasks(session)[0], 2) > 0
