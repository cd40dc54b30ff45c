import os
from dataclasses import replace
from functools import partial

import pytest
import torch
from safetensors.torch import load_file

from attacks.cgan.recipe import cgan_recipe
from bench.contract import ATTACKS, VICTIMS, Snapshots
from bench.recipes import SMOKE
from bench.runner import train as trainer
from bench.runner.failures import Failures
from bench.runner.graph import plan
from bench.runner.networks import Shelf, save_checkpoint
from bench.runner.relay import RelayedProgress
from bench.runner.selection import select_attacks, select_victims
from bench.runner.train import Site, missing_jobs, train
from bench.store import Store
from bench.types import CamobenchError, FitReport
from tests.plugins import LEARNING, write
from tests.smoke import ToySource, Watcher, toy_suite

STEPS = 21


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    return toy_suite(tmp_path_factory.mktemp("suite"))


def planned(recipe=SMOKE, attacks=("cgan-img",), victims=("wdf-resnet12",)):
    return plan(ToySource().card, recipe, attacks=attacks, victims=victims)


def site_of(root, suite, **more):
    Store(root)
    return Site(store_root=root, suite_folder=suite.folder, shipped=False, **more)


def shelf_of(site):
    return Shelf(store=Store(site.store_root), shipped=False)


def weights(graph, site):
    found = {key: shelf_of(site).find(j.kind, j.name, key) for key, j in graph.jobs.items()}
    return {key: load_file(checkpoint.weights) for key, checkpoint in found.items() if checkpoint}


def same_weights(one, other):
    assert one.keys() == other.keys()
    return all(
        one[key].keys() == other[key].keys()
        and all(torch.equal(one[key][name], other[key][name]) for name in one[key])
        for key in one
    )


def test_everything_missing_is_trained_once_dependencies_first(suite, tmp_path):
    graph, site, watcher = planned(), site_of(tmp_path, suite), Watcher()
    ran = train(graph, site, watcher)
    assert [(job.kind, job.name) for job in ran] == [
        ("estimator", "wdf-v1"),
        ("surrogate", "img-resnet18"),
        ("victim", "wdf-resnet12"),
        ("attack", "cgan-img"),
    ]
    assert watcher.started == [
        "estimator wdf-v1 (Set-A)",
        "surrogate img-resnet18 (Set-B)",
        "victim wdf-resnet12 (Set-A)",
        "attack cgan-img (Set-B)",
    ]
    assert len(weights(graph, site)) == 4
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.safetensors")}
    assert train(graph, site, Watcher()) == []
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.safetensors")} == before
    assert not list((tmp_path / "unfinished").rglob("*.pt"))


def pretend(shelf, graph, *keys):
    for key in keys:
        save_checkpoint(shelf.store, graph.jobs[key], graph, {"x": torch.zeros(1)}, FitReport())


def test_a_finished_network_does_not_need_its_own_needs(tmp_path):
    shelf = Shelf(store=Store(tmp_path), shipped=False)
    graph = planned(attacks=["cgan-wdf", "mislgan"], victims=["wdf-resnet12"])
    assert len(missing_jobs(graph, shelf)) == len(graph.jobs) == 7
    pretend(shelf, graph, graph.attacks["cgan-wdf"], graph.victims["wdf-resnet12"])
    missing = [(job.kind, job.name, job.set_name) for job in missing_jobs(graph, shelf)]
    # the estimator of Set-A is read when the victim is scored, that of Set-B only in training
    assert missing == [
        ("estimator", "wdf-v1", "A"),
        ("surrogate", "pef-resnet18", "B"),
        ("attack", "mislgan", "B"),
    ]
    pretend(shelf, graph, *(job.key for job in missing_jobs(graph, shelf)))
    assert missing_jobs(graph, shelf) == []


def longer(monkeypatch):
    """A recipe with one snapshot, at the first point of its curves."""
    monkeypatch.setattr(trainer, "Snapshots", partial(Snapshots, every_s=-1.0))
    monkeypatch.setattr(
        "attacks.cgan.attack.cgan_recipe", lambda name: replace(cgan_recipe(name), steps=STEPS)
    )
    resnet = replace(SMOKE.classifiers["resnet"], steps=STEPS, batch=2)
    return replace(
        SMOKE,
        classifiers={**SMOKE.classifiers, "resnet": resnet},
        estimator=replace(SMOKE.estimator, steps=STEPS),
    )


LABELS = {"estimator": "estimator", "victim": "victim", "attack": "attack"}


def test_killed_training_continues_to_the_same_weights(suite, tmp_path, monkeypatch):
    graph = planned(longer(monkeypatch))
    whole = site_of(tmp_path / "whole", suite)
    train(graph, whole)
    broken = site_of(tmp_path / "broken", suite)
    for kind, label in LABELS.items():
        with pytest.raises(KeyboardInterrupt):
            train(graph, broken, Watcher(stop=STEPS, label=label))
        job = next(job for job in graph.jobs.values() if job.kind == kind)
        assert shelf_of(broken).find(job.kind, job.name, job.key) is None
        snapshot = Store(broken.store_root).snapshot_file(job.kind, job.name, job.key)
        assert torch.load(snapshot, weights_only=True)["step"] == 20
    watcher = Watcher()
    assert [job.kind for job in train(graph, broken, watcher)] == ["attack"]
    assert watcher.resumed == 20  # it did go on from where it was
    assert same_weights(weights(graph, whole), weights(graph, broken))
    assert not list((tmp_path / "broken" / "unfinished").rglob("*.pt"))


def test_a_damaged_snapshot_is_named(suite, tmp_path):
    graph, site = planned(), site_of(tmp_path, suite)
    job = missing_jobs(graph, shelf_of(site))[0]
    snapshot = Store(tmp_path).snapshot_file(job.kind, job.name, job.key)
    snapshot.parent.mkdir(parents=True)
    snapshot.write_bytes(b"half a snapsh")
    with pytest.raises(CamobenchError, match=r"is damaged .*remove it, and that tr"):
        train(graph, site)


def test_fit_must_return_a_report(suite, tmp_path, monkeypatch):
    monkeypatch.setattr("victims.convnet.ConvNetVictim.fit", lambda self, data, context: None)
    with pytest.raises(CamobenchError, match=r"victim img-resnet12 .*must return a FitReport"):
        train(planned(attacks=[], victims=["img-resnet12"]), site_of(tmp_path, suite))


def test_an_attack_is_handed_set_b_and_its_surrogates_only(suite, tmp_path, monkeypatch):
    seen = {}

    def fit(self, data, context):
        seen.update(data=data, context=context)
        return FitReport()

    monkeypatch.setattr("attacks.cgan.attack.CganAttack.fit", fit)
    train(planned(attacks=["cgan-img-wdf"]), site_of(tmp_path, suite))
    assert type(seen["data"]).__name__ == "AdversarySet"
    assert (seen["data"].images == suite.images("B")).all()
    surrogates = seen["context"].surrogates
    assert set(surrogates) == {"img-resnet18", "wdf-resnet18"}
    for surrogate in surrogates.values():
        assert not surrogate.training
        assert not any(weight.requires_grad for weight in surrogate.parameters())


class Queue(list):
    put = list.append


def test_tasks_of_one_label_stay_apart():
    """A victim and a surrogate of one name may train side by side."""
    reports = Queue()
    one, other = RelayedProgress(reports), RelayedProgress(reports)
    for progress in (one, other):
        progress.start("img-resnet18", 10)
    one.advance(3, loss=0.5)
    other.finish()
    one.finish()
    tasks = [task for task, *_ in reports]
    assert tasks == [tasks[0], tasks[1], tasks[0], tasks[1], tasks[0]]
    assert tasks[0] != tasks[1]
    assert reports[2][1:] == ("advance", (3,), {"loss": 0.5})


@pytest.mark.slow
def test_side_by_side_gives_the_same_networks(suite, tmp_path):
    graph = planned(attacks=["cgan-img"], victims=["wdf-resnet12", "img-resnet18"])
    threads = torch.get_num_threads()
    alone, together = site_of(tmp_path / "1", suite), site_of(tmp_path / "2", suite, workers=2)
    watcher = Watcher()
    try:
        torch.set_num_threads(1)
        train(graph, alone)
        train(graph, together, watcher)
    finally:
        torch.set_num_threads(threads)
    assert len(watcher.started) == len(graph.jobs) == 5
    one, other = weights(graph, alone), weights(graph, together)
    assert one.keys() == other.keys()
    for key in one:
        for name, value in one[key].items():
            torch.testing.assert_close(other[key][name], value, rtol=1e-3, atol=1e-5)


def test_plug_ins_of_this_process_are_trained_in_it(suite, tmp_path, monkeypatch):
    for registry in (ATTACKS, VICTIMS):
        registry.names()
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    victim, attack = VICTIMS.get("img-resnet12"), ATTACKS.get("cgan-img")
    VICTIMS.add(replace(victim, spec=replace(victim.spec, name="my-victim")))
    ATTACKS.add(replace(attack, spec=replace(attack.spec, name="my-attack")))
    borrowed = replace(attack.spec, name="cgan-img", surrogates=("my-victim",))
    monkeypatch.setitem(ATTACKS._entries, "cgan-img", replace(attack, spec=borrowed))
    graph = planned(
        attacks=["my-attack", "cgan-img", "cgan-wdf"], victims=["my-victim", "img-resnet12"]
    )
    here, away = [], []

    def pretend_here(job, graph, site, progress):
        assert away, "workers first: nothing of theirs waits for a plug-in"
        here.append((job.kind, job.name))

    def pretend_away(jobs, graph, site, progress, lot):
        away.extend((job.kind, job.name) for job in jobs)

    monkeypatch.setattr(trainer, "run_job", pretend_here)
    monkeypatch.setattr(trainer, "_train_side_by_side", pretend_away)
    ran = train(graph, site_of(tmp_path, suite, workers=2))
    assert sorted(here) == [
        ("attack", "cgan-img"),
        ("attack", "my-attack"),
        ("surrogate", "my-victim"),
        ("victim", "my-victim"),
    ]
    assert here[0][0] != "attack"
    assert ("surrogate", "img-resnet18") in away
    assert ("attack", "cgan-wdf") in away
    assert len(here) + len(away) == len(ran) == len(graph.jobs)


@pytest.mark.slow
def test_a_failure_in_a_worker_reaches_the_caller(suite, tmp_path):
    graph, site = planned(), site_of(tmp_path, suite, workers=2)
    job = missing_jobs(graph, shelf_of(site))[0]
    snapshot = Store(tmp_path).snapshot_file(job.kind, job.name, job.key)
    snapshot.parent.mkdir(parents=True)
    snapshot.write_bytes(b"half a snapsh")
    with pytest.raises(CamobenchError, match="is damaged"):
        train(graph, site)


@pytest.mark.slow
@pytest.mark.usefixtures("own_registries")
def test_plug_ins_of_a_file_are_trained_in_workers(suite, tmp_path):
    path = write(tmp_path / "mine.py", LEARNING)
    select_attacks(f"{path}:Haze")
    select_victims(f"{path}:Nearest")
    graph = planned(attacks=["haze"], victims=["nearest-mean"])
    site = site_of(tmp_path / "store", suite, workers=2)
    assert len(train(graph, site)) == 2
    for kind, name, key in (
        ("attack", "haze", graph.attacks["haze"]),
        ("victim", "nearest-mean", graph.victims["nearest-mean"]),
    ):
        card = shelf_of(site).find(kind, name, key).card
        assert card["figures"]["process"] != os.getpid()


DEADLY = """
    import ctypes
    import os
    import signal

    import camobench


    def victim(title, behaviour):
        spec = camobench.VictimSpec(name=title)
        fit = lambda self, data, context: behaviour()
        logits = lambda self, images: images.mean((2, 3))
        return type(title, (camobench.Victim,), {"spec": spec, "fit": fit, "logits": logits})


    VICTIMS = [
        victim("leaving", lambda: os._exit(0)),
        victim("killed", lambda: os.kill(os.getpid(), signal.SIGKILL)),
        victim("faulting", lambda: ctypes.string_at(0)),
        victim("fine", camobench.FitReport),
    ]
"""


@pytest.mark.usefixtures("own_registries")
def test_a_worker_that_dies_is_one_failed_training(suite, tmp_path):
    path = write(tmp_path / "deadly.py", DEADLY)
    names = select_victims(f"{path}:VICTIMS")
    graph = planned(attacks=[], victims=names)
    noted = Failures(tmp_path / "failures")
    ran = train(graph, site_of(tmp_path / "store", suite, workers=2), failures=noted)
    assert [job.name for job in ran] == ["fine"]
    reasons = {graph.jobs[key].name: failure.reason for key, failure in noted.jobs.items()}
    assert reasons == {
        "leaving": "ended the process (exit code 0)",
        "killed": "ended the process (signal 9, SIGKILL: most likely out of memory)",
        "faulting": "ended the process (signal 11, SIGSEGV)",
    }
