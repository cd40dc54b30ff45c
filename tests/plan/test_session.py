import sys
from dataclasses import replace
from functools import partial
from subprocess import PIPE, Popen

import pytest
import torch
from safetensors.torch import load_file

from attacks.cgan.recipe import cgan_recipe
from bench.contract import Snapshots
from bench.jobs import train as trainer
from bench.jobs.networks import save_checkpoint
from bench.plan.graph import missing_jobs
from bench.recipes import RECIPES, SMOKE
from bench.types import CamobenchError, FitReport
from tests.smoke import Watcher, flip, toy_session

STEPS = 21


def session_of(root, attacks=("cgan-img",), victims=("wdf-resnet12",), **more):
    return toy_session(root, attacks, victims, **more)


def weights(session):
    jobs = session.graph.jobs
    found = {key: session.shelf.find(job.kind, job.name, key) for key, job in jobs.items()}
    return {key: load_file(checkpoint.weights) for key, checkpoint in found.items() if checkpoint}


def test_everything_missing_is_trained_once_dependencies_first(tmp_path):
    watcher = Watcher()
    session = session_of(tmp_path, progress=watcher)
    ran = session.train()
    labels = [
        "estimator wdf-v1 (Set-A)",
        "surrogate img-resnet18 (Set-B)",
        "victim wdf-resnet12 (Set-A)",
        "attack cgan-img (Set-B)",
    ]
    assert [job.label for job in ran] == labels
    sets = ["toy-v1: Set-A", "toy-v1: Set-B"]
    assert watcher.started == sets + labels
    assert len(weights(session)) == 4
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.safetensors")}
    assert session.train() == []
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.safetensors")} == before
    assert not list((tmp_path / "unfinished").rglob("*.pt"))


def pretend(session, *keys):
    for key in keys:
        job, state = session.graph.jobs[key], {"x": torch.zeros(1)}
        save_checkpoint(session.store, job, session.graph, state, FitReport())


def test_a_finished_network_does_not_need_its_own_needs(tmp_path):
    session = session_of(tmp_path, attacks=["cgan-wdf", "mislgan"])
    graph, shelf = session.graph, session.shelf
    assert len(missing_jobs(graph, shelf)) == len(graph.jobs) == 7
    pretend(session, graph.attacks["cgan-wdf"], graph.victims["wdf-resnet12"])
    # the estimator of Set-A is read when the victim is scored, that of Set-B only in training
    assert [job.label for job in missing_jobs(graph, shelf)] == [
        "estimator wdf-v1 (Set-A)",
        "surrogate pef-resnet18 (Set-B)",
        "attack mislgan (Set-B)",
    ]
    pretend(session, *(job.key for job in missing_jobs(graph, shelf)))
    assert missing_jobs(graph, shelf) == []


def longer(monkeypatch):
    """Make the recipe one with one snapshot, at the first point of its curves."""
    monkeypatch.setattr(trainer, "Snapshots", partial(Snapshots, every_s=-1.0))
    monkeypatch.setattr(
        "attacks.cgan.attack.cgan_recipe", lambda *given: replace(cgan_recipe(*given), steps=STEPS)
    )
    resnet = replace(SMOKE.classifiers["resnet"], steps=STEPS, batch=2)
    recipe = replace(
        SMOKE,
        classifiers={**SMOKE.classifiers, "resnet": resnet},
        estimator=replace(SMOKE.estimator, steps=STEPS),
    )
    monkeypatch.setitem(RECIPES, "smoke", recipe)


def test_killed_training_continues_to_the_same_weights(tmp_path, monkeypatch):
    longer(monkeypatch)
    whole = session_of(tmp_path / "whole")
    whole.train()
    for kind in ("estimator", "victim", "attack"):
        broken = session_of(tmp_path / "broken", progress=Watcher(stop=STEPS, label=kind))
        with pytest.raises(KeyboardInterrupt):
            broken.train()
        job = next(job for job in broken.graph.jobs.values() if job.kind == kind)
        assert broken.shelf.find(job.kind, job.name, job.key) is None
        snapshot = broken.store.snapshot_file(job.kind, job.name, job.key)
        assert torch.load(snapshot, weights_only=True)["step"] == 20
    watcher = Watcher()
    broken = session_of(tmp_path / "broken", progress=watcher)
    assert [job.kind for job in broken.train()] == ["attack"]
    assert watcher.resumed == 20  # it did go on from where it was
    torch.testing.assert_close(weights(whole), weights(broken), rtol=0, atol=0)
    assert not list((tmp_path / "broken" / "unfinished").rglob("*.pt"))


HOLD = """
import select, sys, filelock
with filelock.FileLock(sys.argv[1]):
    print("held", flush=True)
    select.select([sys.stdin], [], [], 60)
"""


def test_a_training_says_that_another_process_is_at_it(tmp_path):
    class Releasing(Watcher):
        def start(self, label, *more):
            super().start(label, *more)
            if label.startswith("waiting"):
                other.communicate()

    watcher = Releasing()
    session = session_of(tmp_path, (), ("pef-resnet12",), progress=watcher)
    (job,) = session.graph.jobs.values()
    folder = session.store.checkpoint_folder(job.kind, job.name, job.key)
    held = session.store.lock("networks", job.kind, folder.name).lock_file
    with Popen([sys.executable, "-c", HOLD, held], stdin=PIPE, stdout=PIPE, text=True) as other:
        other.stdout.readline()
        session.train()
    assert watcher.started[-2:] == [f"waiting for another process: {job.label}", job.label]


def cut(path):
    path.write_bytes(path.read_bytes()[:20])


@pytest.mark.parametrize(("executor", "spoil"), [("inline", cut), ("local", cut), ("inline", flip)])
def test_a_damaged_snapshot_is_named(tmp_path, executor, spoil):
    session = session_of(tmp_path, executor=executor, workers=2)
    job = missing_jobs(session.graph, session.shelf)[0]
    snapshot = session.store.snapshot_file(job.kind, job.name, job.key)
    snapshot.parent.mkdir(parents=True)
    torch.save({"weights": torch.ones(1000)}, snapshot)
    spoil(snapshot)
    with pytest.raises(CamobenchError, match=r"is damaged .*; remove .*, and the same"):
        session.train()


def test_an_attack_is_handed_set_b_and_its_surrogates_only(tmp_path, monkeypatch):
    seen = {}

    def fit(self, data, context):
        seen.update(data=data, context=context)
        return FitReport()

    monkeypatch.setattr("attacks.cgan.attack.CganAttack.fit", fit)
    session = session_of(tmp_path, attacks=["cgan-img-wdf"])
    session.train()
    assert type(seen["data"]).__name__ == "AdversarySet"
    assert (seen["data"].images == session.place.suite.images("B")).all()
    surrogates = seen["context"].surrogates
    assert set(surrogates) == {"img-resnet18", "wdf-resnet18"}
    for surrogate in surrogates.values():
        assert not surrogate.training
        assert not any(weight.requires_grad for weight in surrogate.parameters())


def test_side_by_side_gives_the_same_networks(tmp_path):
    threads, watcher = torch.get_num_threads(), Watcher()
    victims = ["wdf-resnet12", "img-resnet18"]
    alone = session_of(tmp_path / "1", victims=victims)
    together = session_of(
        tmp_path / "2", victims=victims, progress=watcher, executor="local", workers=2
    )
    try:
        torch.set_num_threads(1)
        alone.train()
        together.train()
    finally:
        torch.set_num_threads(threads)
    assert len(watcher.started) == 2 + len(together.graph.jobs) == 2 + 5
    torch.testing.assert_close(weights(alone), weights(together), rtol=1e-3, atol=1e-5)
