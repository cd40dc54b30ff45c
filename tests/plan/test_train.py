from dataclasses import replace
from functools import partial

import pytest
import torch
from safetensors.torch import load_file

from attacks.cgan.recipe import cgan_recipe
from bench.contract import Snapshots
from bench.execute import Local
from bench.jobs import train as trainer
from bench.jobs.networks import Shelf, save_checkpoint
from bench.plan.graph import plan
from bench.plan.train import missing_jobs, train
from bench.recipes import SMOKE
from bench.store import Store
from bench.types import CamobenchError, FitReport
from tests.smoke import ToySource, Watcher, toy_suite

STEPS = 21


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    return toy_suite(tmp_path_factory.mktemp("suite"))


def planned(recipe=SMOKE, attacks=("cgan-img",), victims=("wdf-resnet12",)):
    return plan(ToySource().card, recipe, attacks=attacks, victims=victims)


def shelf_of(root, suite):
    """A new store that has the suite."""
    store = Store(root)
    folder = store.data_folder(suite.card.name, suite.card.fingerprint)
    folder.parent.mkdir()
    folder.symlink_to(suite.folder)
    return Shelf(store=store, shipped=False)


def weights(graph, shelf):
    found = {key: shelf.find(j.kind, j.name, key) for key, j in graph.jobs.items()}
    return {key: load_file(checkpoint.weights) for key, checkpoint in found.items() if checkpoint}


def test_everything_missing_is_trained_once_dependencies_first(suite, tmp_path):
    graph, site, watcher = planned(), shelf_of(tmp_path, suite), Watcher()
    ran = train(graph, site, watcher)
    labels = [
        "estimator wdf-v1 (Set-A)",
        "surrogate img-resnet18 (Set-B)",
        "victim wdf-resnet12 (Set-A)",
        "attack cgan-img (Set-B)",
    ]
    assert [job.label for job in ran] == watcher.started == labels
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
    # the estimator of Set-A is read when the victim is scored, that of Set-B only in training
    assert [job.label for job in missing_jobs(graph, shelf)] == [
        "estimator wdf-v1 (Set-A)",
        "surrogate pef-resnet18 (Set-B)",
        "attack mislgan (Set-B)",
    ]
    pretend(shelf, graph, *(job.key for job in missing_jobs(graph, shelf)))
    assert missing_jobs(graph, shelf) == []


def longer(monkeypatch):
    """A recipe with one snapshot, at the first point of its curves."""
    monkeypatch.setattr(trainer, "Snapshots", partial(Snapshots, every_s=-1.0))
    monkeypatch.setattr(
        "attacks.cgan.attack.cgan_recipe", lambda *given: replace(cgan_recipe(*given), steps=STEPS)
    )
    resnet = replace(SMOKE.classifiers["resnet"], steps=STEPS, batch=2)
    return replace(
        SMOKE,
        classifiers={**SMOKE.classifiers, "resnet": resnet},
        estimator=replace(SMOKE.estimator, steps=STEPS),
    )


def test_killed_training_continues_to_the_same_weights(suite, tmp_path, monkeypatch):
    graph = planned(longer(monkeypatch))
    whole = shelf_of(tmp_path / "whole", suite)
    train(graph, whole)
    broken = shelf_of(tmp_path / "broken", suite)
    for kind in ("estimator", "victim", "attack"):
        with pytest.raises(KeyboardInterrupt):
            train(graph, broken, Watcher(stop=STEPS, label=kind))
        job = next(job for job in graph.jobs.values() if job.kind == kind)
        assert broken.find(job.kind, job.name, job.key) is None
        snapshot = broken.store.snapshot_file(job.kind, job.name, job.key)
        assert torch.load(snapshot, weights_only=True)["step"] == 20
    watcher = Watcher()
    assert [job.kind for job in train(graph, broken, watcher)] == ["attack"]
    assert watcher.resumed == 20  # it did go on from where it was
    torch.testing.assert_close(weights(graph, whole), weights(graph, broken), rtol=0, atol=0)
    assert not list((tmp_path / "broken" / "unfinished").rglob("*.pt"))


@pytest.mark.parametrize("executor", [None, Local(2)], ids=["inline", "local"])
def test_a_damaged_snapshot_is_named(suite, tmp_path, executor):
    graph, site = planned(), shelf_of(tmp_path, suite)
    job = missing_jobs(graph, site)[0]
    snapshot = Store(tmp_path).snapshot_file(job.kind, job.name, job.key)
    snapshot.parent.mkdir(parents=True)
    snapshot.write_bytes(b"half a snapsh")
    with pytest.raises(CamobenchError, match=r"is damaged .*remove it, and that tr"):
        train(graph, site, executor=executor)


def test_an_attack_is_handed_set_b_and_its_surrogates_only(suite, tmp_path, monkeypatch):
    seen = {}

    def fit(self, data, context):
        seen.update(data=data, context=context)
        return FitReport()

    monkeypatch.setattr("attacks.cgan.attack.CganAttack.fit", fit)
    train(planned(attacks=["cgan-img-wdf"]), shelf_of(tmp_path, suite))
    assert type(seen["data"]).__name__ == "AdversarySet"
    assert (seen["data"].images == suite.images("B")).all()
    surrogates = seen["context"].surrogates
    assert set(surrogates) == {"img-resnet18", "wdf-resnet18"}
    for surrogate in surrogates.values():
        assert not surrogate.training
        assert not any(weight.requires_grad for weight in surrogate.parameters())


def test_side_by_side_gives_the_same_networks(suite, tmp_path):
    graph = planned(attacks=["cgan-img"], victims=["wdf-resnet12", "img-resnet18"])
    threads = torch.get_num_threads()
    alone, together = shelf_of(tmp_path / "1", suite), shelf_of(tmp_path / "2", suite)
    watcher = Watcher()
    try:
        torch.set_num_threads(1)
        train(graph, alone)
        train(graph, together, watcher, executor=Local(2))
    finally:
        torch.set_num_threads(threads)
    assert len(watcher.started) == len(graph.jobs) == 5
    found = (weights(graph, shelf) for shelf in (alone, together))
    torch.testing.assert_close(*found, rtol=1e-3, atol=1e-5)
