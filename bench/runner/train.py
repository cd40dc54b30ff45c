"""Runs training jobs: one at a time here, or several side by side in worker processes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from bench.contract import ATTACKS, VICTIMS, FitContext, Snapshots
from bench.contract.fitting import timed_fit
from bench.data import AdversarySet
from bench.deadlines import deadline
from bench.global_state import kept_global_state
from bench.nets.residual import ResidualEstimator
from bench.registry import Registry
from bench.runner.crew import Lot, run_side_by_side
from bench.runner.failures import (
    Failures,
    JobFailedError,
    is_failure,
    reason_of,
    traceback_of,
)
from bench.runner.graph import Graph, Job, build_attack, build_victim
from bench.runner.networks import Networks, Shelf, module_state, save_checkpoint
from bench.runner.opened_files import note_opened
from bench.store import Store, replacing
from bench.suites.base import open_suite
from bench.supervision import at_work
from bench.training.residual import fit_estimator
from bench.types import FitReport, Progress, Silent, StoppingError


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where jobs run: everything a worker process needs beside the job itself.

    Attributes:
        workers: Jobs side by side; the processor's cores are shared out between them.
        fit_timeout_s: What one training may take, see `bench.deadlines`.
    """

    store_root: Path
    suite_folder: Path
    device: str = "cpu"
    shipped: bool = True
    workers: int = 1
    fit_timeout_s: float | None = None


def missing_jobs(graph: Graph, shelf: Shelf) -> list[Job]:
    """Jobs that must run, dependencies first; a finished network does not need its own needs.

    An estimator is wanted by whoever is scored with it, so it always counts.
    """
    done = {
        key for key, job in graph.jobs.items() if shelf.find(job.kind, job.name, key) is not None
    }
    wanted: dict[str, Job] = {}

    def want(key: str) -> None:
        if key in done or key in wanted or key not in graph.jobs:
            return
        wanted[key] = graph.jobs[key]
        for need in graph.jobs[key].needs:
            want(need)

    for key in (*graph.victims.values(), *graph.attacks.values()):
        want(key)
    if "A" in graph.estimators:
        want(graph.estimators["A"])
    order = {"estimator": 0, "surrogate": 1, "victim": 2, "attack": 3}
    return sorted(wanted.values(), key=lambda job: order[job.kind])


def run_job(job: Job, graph: Graph, site: Site, progress: Progress) -> None:
    """Train one network and write its checkpoint; continues a killed run.

    Two runs on one store take turns: the second finds the first one's checkpoint.
    """
    store = Store(site.store_root)
    folder = store.checkpoint_folder(job.kind, job.name, job.key)
    with store.lock("networks", job.kind, folder.name):
        _train_one(store, job, graph, site, progress)


def _train_one(store: Store, job: Job, graph: Graph, site: Site, progress: Progress) -> None:
    device = torch.device(site.device)
    shelf = Shelf(store=store, shipped=site.shipped)
    if shelf.find(job.kind, job.name, job.key) is not None:
        return
    suite = open_suite(site.suite_folder)
    data = suite.examiner_set() if job.set_name == "A" else suite.adversary_set()
    networks = Networks(graph, shelf, device)
    snapshot = store.snapshot_file(job.kind, job.name, job.key)
    recipe, classes = graph.recipe, graph.suite.classes
    torch.manual_seed(job.seed)

    def context(**more: Any) -> FitContext:
        return FitContext(
            device=device,
            seed=job.seed,
            recipe=recipe,
            progress=progress,
            snapshots=_snapshots(snapshot),
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
        report = _fitted(job, site, lambda: attack.fit(data, context(surrogates=surrogates)))
        module = attack
    else:
        victim = build_victim(job.name, classes, recipe)
        report = _fitted(job, site, lambda: victim.fit(data, context()))
        module = victim
    if job.kind != "estimator":
        registry: Registry[Any, Any] = ATTACKS if job.kind == "attack" else VICTIMS
        note_opened(store, job.key, registry.get(job.name))
    save_checkpoint(store, job, graph, module_state(module, recipe), report, device=device)
    snapshot.unlink(missing_ok=True)


def _fitted(job: Job, site: Site, fit: Callable[[], FitReport]) -> FitReport:
    """Run an author's `fit`.

    Raises:
        JobFailedError: Whatever it raises, if it takes too long, or if it returns something else.
    """
    try:
        limit_s = site.fit_timeout_s
        with at_work(job.label, "", limit_s), kept_global_state(), deadline(limit_s, "`fit`"):
            return timed_fit(fit)
    except BaseException as error:
        if not is_failure(error):
            raise
        raise JobFailedError(reason_of(error), traceback_of(error)) from error


def train(
    graph: Graph,
    site: Site,
    progress: Progress | None = None,
    failures: Failures | None = None,
) -> list[Job]:
    """Train every missing network of `graph`; returns the jobs that ran to their end.

    Args:
        graph: All networks.
        site: Where jobs run.
        progress: Told how far it is.
        failures: Takes note of jobs that fail, and of those that need them; the others go on.

    Raises:
        CamobenchError: If a job fails and there is no `failures`; the others' checkpoints are kept.
    """
    shelf = Shelf(store=Store(site.store_root), shipped=site.shipped)
    jobs = missing_jobs(graph, shelf)
    progress = progress or Silent()
    lot = Lot(graph, failures)
    away = [job for job in jobs if _can_travel(job)]
    if site.workers == 1 or len(away) < 2:
        away = []
    else:
        _train_side_by_side(away, graph, site, progress, lot)
    for job in jobs:
        if job not in away and lot.may_run(job):
            with lot.noting(job):
                run_job(job, graph, site, progress)
    return [job for job in jobs if failures is None or job.key not in failures.jobs]


def _can_travel(job: Job) -> bool:
    """Whether a worker process can build it: what a script registers is known to itself alone."""
    if job.kind == "estimator":
        return True
    if job.kind != "attack":
        return VICTIMS.is_installed(job.name)
    surrogates = ATTACKS.get(job.name).spec.surrogates
    return ATTACKS.is_installed(job.name) and all(map(VICTIMS.is_installed, surrogates))


def _train_side_by_side(
    jobs: list[Job], graph: Graph, site: Site, progress: Progress, lot: Lot
) -> None:
    # A recipe's read-only mapping cannot travel to another process, a dictionary can.
    plain = replace(graph.recipe, classifiers=dict(graph.recipe.classifiers))
    train_job = partial(_train_there, replace(graph, recipe=plain), site)
    run_side_by_side(jobs, train_job, site.workers, progress, lot)


def _train_there(graph: Graph, site: Site, job: Job, progress: Progress) -> None:
    run_job(job, graph, site, progress)


def _snapshots(path: Path) -> Snapshots:
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
