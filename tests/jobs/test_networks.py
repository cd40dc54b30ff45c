import json
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from bench.jobs import networks
from bench.jobs.building import build_victim, untrained
from bench.jobs.networks import (
    Networks,
    Shelf,
    module_state,
    restore,
    save_checkpoint,
)
from bench.jobs.scoring.precision import Precision
from bench.nets.residual import ResidualEstimator
from bench.nets.storage import compact_state, expand_state
from bench.plan.graph import plan
from bench.plan.request import open_session
from bench.recipes import PAPER, SMOKE
from bench.store import Store
from bench.types import CamobenchError, FitReport
from tests.smoke import CPU, VICTIMS, ToySource, flip, request
from tests.toy_run import edit_json
from tests.toys import CLASSES, pixels, same_state, shaken


def planned(recipe=SMOKE, victims=("wdf-resnet12", "pef-resnet12"), attacks=("mislgan", "jpeg")):
    return plan(ToySource().card, recipe, attacks=attacks, victims=victims)


def job_of(graph, kind, name):
    return next(job for job in graph.jobs.values() if (job.kind, job.name) == (kind, name))


def made(job, graph):
    """An untrained network with noise on every weight, always the same."""
    torch.manual_seed(0)
    scale = 0.01 if job.kind == "estimator" else 0.05
    return shaken(untrained(job, graph), scale, seed=job.seed)


def store_all(store, graph):
    """A checkpoint of every job, as training would leave it."""
    return {
        job.key: save_checkpoint(
            store, job, graph, module_state(made(job, graph), graph.recipe), FitReport()
        )
        for job in graph.jobs.values()
    }


@pytest.fixture
def stored(tmp_path):
    store, graph = Store(tmp_path), planned()
    return Shelf(store=store), graph, store_all(store, graph)


@pytest.mark.parametrize("compact", [True, False])
def test_what_runs_is_what_was_stored(tmp_path, compact):
    store, graph = Store(tmp_path), planned(replace(SMOKE, compact=compact), attacks=[])
    store_all(store, graph)
    opened = Networks(graph, Shelf(store=store), CPU).victim("pef-resnet12")
    network = made(job_of(graph, "victim", "pef-resnet12"), graph)
    expected = expand_state(compact_state(network)) if compact else network.state_dict()
    assert same_state(opened.state_dict(), expected)
    assert not opened.training
    assert not any(weight.requires_grad for weight in opened.parameters())


def test_the_card_says_what_it_is(stored):
    _, graph, checkpoints = stored
    job = job_of(graph, "attack", "mislgan")
    card = json.loads((checkpoints[job.key].path / "card.json").read_text())
    assert (card["kind"], card["name"], card["key"]) == ("attack", "mislgan", job.key)
    assert card["trained_on"] == "Set-B"
    assert (card["suite"], card["suite_fingerprint"]) == ("toy-v1", "f" * 64)
    assert card["classes"] == list(CLASSES)
    assert (card["recipe"], card["seed"], card["needs"]) == ("smoke", job.seed, list(job.needs))
    assert card["hyperparameters"]["cgan"]["steps"] == 2
    assert {"commit", "dirty", "packages", "device"} <= card["provenance"].keys()
    checkpoints[job.key].verify()


def test_networks_of_a_graph(stored):
    shelf, graph, _ = stored
    opened = Networks(graph, shelf, CPU)
    images = pixels(2, 64, 64)
    wdf = opened.victim("wdf-resnet12")
    assert opened.victim("wdf-resnet12") is wdf
    assert wdf.estimator is opened.estimator("A")
    estimator = shelf.find("estimator", "wdf-v1", graph.estimators["A"])
    assert wdf.frontend_digest == estimator.sha256
    assert wdf.logits(images / 255).shape == (2, 3)
    assert opened.attack("mislgan")(images, torch.tensor([0, 1])).shape == images.shape
    assert opened.attack("jpeg")(images).shape == images.shape
    surrogate = opened.surrogate("pef-resnet18")
    assert not any(weight.requires_grad for weight in surrogate.parameters())
    leaf = (images / 255).requires_grad_()
    surrogate(leaf).sum().backward()
    assert leaf.grad.abs().sum() > 0


def test_a_wdf_checkpoint_holds_no_weight_of_the_estimator(stored):
    _, graph, checkpoints = stored
    job = job_of(graph, "victim", "wdf-resnet12")
    victim = made(job, graph)
    victim.attach(ResidualEstimator(SMOKE.estimator), "digest")
    assert any(name.startswith("estimator.") for name in victim.state_dict())
    for state in (module_state(victim, SMOKE), load_file(checkpoints[job.key].weights)):
        assert state
        assert not any(name.startswith("estimator.") for name in state)
    restore(victim, checkpoints[job.key], CPU)  # and its absence is no fault


def test_digests_are_of_everything_behind(stored):
    shelf, graph, _ = stored
    opened = Networks(graph, shelf, CPU)
    before = {name: opened.victim_stem(name) for name in graph.victims}
    assert len(set(before.values())) == 2
    job = graph.jobs[graph.estimators["A"]]
    other = module_state(shaken(made(job, graph), seed=9), SMOKE)
    save_checkpoint(shelf.store, job, graph, other, FitReport())
    after = {name: Networks(graph, shelf, CPU).victim_stem(name) for name in graph.victims}
    assert after["wdf-resnet12"] != before["wdf-resnet12"]
    assert after["pef-resnet12"] == before["pef-resnet12"]
    attack = job_of(graph, "attack", "mislgan")
    digest = opened.attack_digest("mislgan")
    state = module_state(shaken(made(attack, graph), seed=9), SMOKE)
    save_checkpoint(shelf.store, attack, graph, state, FitReport())
    assert opened.attack_digest("mislgan") != digest


def changed(edit):
    """Change the card in a folder."""
    return lambda folder: edit_json(folder / "card.json", edit)


def unsealed(edit):
    """Change it as of a version that wrote no seal."""
    return changed(lambda card: (card.pop("sha256"), edit(card)))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda folder: flip(folder / "weights.safetensors"),
            r"weights\.safetensors is damaged \(its checksum.*; remove .*, and the same",
        ),
        (lambda folder: (folder / "weights.safetensors").unlink(), "it is missing"),
        (lambda folder: (folder / "card.json").write_text("{"), r"card\.json is damaged"),
        (changed(lambda card: card.update(seconds=0)), r"card\.json is damaged \(its checksum"),
        (
            unsealed(lambda card: card.update(key="0" * 64)),
            "has another key on its card; remove it",
        ),
        (unsealed(lambda card: card.pop("key")), r"card\.json is damaged \(no key\); remove"),
        (unsealed(lambda card: card.pop("curves")), r"card\.json is damaged \(no curves\)"),
    ],
    ids=["weights", "no weights", "card", "figures", "another card", "no key", "no curves"],
)
def test_damage_is_found_and_named(stored, damage, message):
    shelf, graph, checkpoints = stored
    folder = checkpoints[graph.victims["pef-resnet12"]].path
    damage(folder)
    with pytest.raises(CamobenchError, match=message) as found:
        Networks(graph, shelf, CPU).victim("pef-resnet12")
    assert str(folder) in str(found.value)


@pytest.mark.parametrize(
    ("other", "recipe"),
    [("wdf-densenet40", SMOKE), ("pef-resnet34", SMOKE), ("pef-resnet12", PAPER)],
    ids=["architecture", "depth", "width"],
)
def test_weights_of_another_network_are_refused_in_one_line(stored, other, recipe):
    _, graph, checkpoints = stored
    checkpoint = checkpoints[graph.victims["pef-resnet12"]]
    with pytest.raises(CamobenchError, match=r"ConvNetVictim: build .*`__init__`") as found:
        restore(build_victim(other, CLASSES, recipe), checkpoint, CPU)
    assert "\n" not in str(found.value)
    assert str(checkpoint.path) in str(found.value)


def test_shipped_networks_are_used_unless_asked_not_to(stored, tmp_path, monkeypatch):
    shelf, graph, checkpoints = stored
    monkeypatch.setattr(networks, "shipped_root", lambda: tmp_path / "assets")
    key = graph.victims["pef-resnet12"]
    empty = Store(tmp_path / "empty")
    assert Shelf(store=empty).find("victim", "pef-resnet12", key) is None
    place = networks.shipped_folder("victim", "pef-resnet12", key)
    shutil.copytree(checkpoints[key].path, place)
    found = Shelf(store=empty).find("victim", "pef-resnet12", key)
    assert found is not None
    assert found.path == place
    assert Shelf(store=empty, shipped=False).find("victim", "pef-resnet12", key) is None
    assert shelf.find("victim", "pef-resnet12", key).path == checkpoints[key].path  # store first
    # a network of another suite, recipe or spec has another key: stale weights are not found
    other = planned(victims=["pef-resnet12"], recipe=PAPER).victims["pef-resnet12"]
    assert Shelf(store=empty).find("victim", "pef-resnet12", other) is None


def test_a_victim_that_cannot_be_reduced_is_scored_in_fp32(smoke):
    graph = open_session(request(), smoke.store).graph
    assert graph.reducible == set(VICTIMS)
    mixed = Precision(name="mixed")
    networks = Networks(graph, Shelf(store=smoke.store), CPU, precision=mixed)
    assert {networks.victim_precision(name) for name in VICTIMS} == {"bf16"}
    bound = replace(graph, reducible=frozenset(list(VICTIMS)[1:]))
    networks = Networks(bound, Shelf(store=smoke.store), CPU, precision=mixed)
    assert networks.victim_precision(next(iter(VICTIMS))) == "fp32"
