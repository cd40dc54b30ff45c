"""Trains one network and keeps its checkpoint; a killed training continues."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from bench.contract import ATTACKS, VICTIMS, FitContext, Snapshots
from bench.contract.fitting import timed_fit
from bench.contract.global_state import kept_global_state
from bench.data import AdversarySet, ExaminerSet
from bench.jobs.aware import aware_set
from bench.jobs.building import build_attack, build_victim
from bench.jobs.job import TrainJob
from bench.jobs.networks import Networks, module_state, save_checkpoint
from bench.jobs.opened_files import note_opened
from bench.jobs.workplace import Workplace
from bench.nets.residual import ResidualEstimator
from bench.registry import Registry
from bench.store import replacing
from bench.training.residual import fit_estimator
from bench.types import Progress, StoppingError


def train_network(job: TrainJob, place: Workplace, progress: Progress) -> None:
    """Train one network and write its checkpoint, unless it is there."""
    folder = place.store.checkpoint_folder(job.kind, job.name, job.key)
    with place.store.lock("networks", job.kind, folder.name):
        if place.shelf.find(job.kind, job.name, job.key) is None:
            _train(job, place, progress)


def _train(job: TrainJob, place: Workplace, progress: Progress) -> None:
    store, device, keys = place.store, place.device, place.site.keys
    suite, name = place.suite, job.set_name
    data = suite.adversary_set() if name == "B" else suite.examiner_set(name)
    networks = Networks(keys, place.shelf, device)
    snapshot = store.snapshot_file(job.kind, job.name, job.key)
    recipe, classes = keys.recipe, keys.suite.classes
    torch.manual_seed(job.seed)

    def context(**more: Any) -> FitContext:
        return FitContext(
            device=device,
            seed=job.seed,
            recipe=recipe,
            progress=progress,
            snapshots=snapshots_in(snapshot),
            label=job.label,
            **more,
        )

    module: torch.nn.Module
    if job.kind == "estimator":
        estimator = ResidualEstimator(recipe.estimator)
        report = fit_estimator(job.label, estimator, data, recipe.estimator, context())
        module = estimator
    elif job.kind == "attack":
        attack = build_attack(job.name, classes, recipe)
        surrogates = {name: networks.surrogate(name) for name in attack.spec.surrogates}
        if not isinstance(data, AdversarySet):
            raise TypeError("an attack is trained on Set-B")
        with kept_global_state():
            report = timed_fit(lambda: attack.fit(data, context(surrogates=surrogates)))
        module = attack
    else:
        victim = build_victim(job.name, data.classes, recipe)
        learnt = data
        if victim.spec.aware_of and isinstance(data, ExaminerSet):
            aware_of = victim.spec.aware_of
            attacks = {networks.attack_digest(name): networks.attack(name) for name in aware_of}
            with kept_global_state():
                learnt = aware_set(data, attacks, place.suite.folder / job.set_name, device)
        with kept_global_state():
            report = timed_fit(lambda: victim.fit(learnt, context()))
        module = victim
    if job.kind != "estimator":
        registry: Registry[Any, Any] = ATTACKS if job.kind == "attack" else VICTIMS
        note_opened(store, job.key, registry.get(job.name))
    save_checkpoint(store, job, keys, module_state(module, recipe), report, device=device)
    snapshot.unlink(missing_ok=True)


def snapshots_in(path: Path) -> Snapshots:
    """The state of an unfinished training, in a file."""

    def load() -> dict[str, Any] | None:
        if not path.is_file():
            return None
        try:
            # Our own file, in the user's own store; it holds optimiser state beside tensors.
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except (
            pickle.UnpicklingError,
            RuntimeError,
            EOFError,
            LookupError,
            ValueError,
            AttributeError,
        ) as error:
            reason = " ".join(str(error).split())
            raise StoppingError(
                f"{path} is damaged ({reason}); remove it, and that training starts anew"
            ) from error
        return state

    def save(state: dict[str, Any]) -> None:
        with replacing(path) as target:
            torch.save(state, target)

    return Snapshots(load=load, save=save)
