"""Runs training jobs: one at a time here, or several side by side in worker processes."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from bench.contract import ATTACKS, VICTIMS, FitContext, Snapshots
from bench.data import AdversarySet
from bench.runner.graph import Graph, Job, build_attack, build_victim
from bench.runner.networks import Networks, Shelf, module_state, save_checkpoint
from bench.runner.relay import RelayedProgress, Reports, relayed
from bench.store import Store, replacing
from bench.suites.base import open_suite
from bench.training.residual import ResidualEstimator, fit_estimator
from bench.training.side_by_side import start_training_process
from bench.types import CamobenchError, FitReport, Progress, Silent


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where jobs run: everything a worker process needs beside the job itself.

    Attributes:
        workers: Jobs side by side; the processor's cores are shared out between them.
    """

    store_root: Path
    suite_folder: Path
    device: str = "cpu"
    shipped: bool = True
    workers: int = 1


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
        report = attack.fit(data, context(surrogates=surrogates))
        module = attack
    else:
        victim = build_victim(job.name, classes, recipe)
        report = victim.fit(data, context())
        module = victim
    if not isinstance(report, FitReport):
        raise CamobenchError(f"{job.label}: `fit` must return a FitReport")
    save_checkpoint(store, job, graph, module_state(module, recipe), report, device=device)
    snapshot.unlink(missing_ok=True)


def train(graph: Graph, site: Site, progress: Progress | None = None) -> list[Job]:
    """Train every missing network of `graph`; returns the jobs that ran.

    Raises:
        CamobenchError: If a job fails; the others' checkpoints are kept.
    """
    shelf = Shelf(store=Store(site.store_root), shipped=site.shipped)
    jobs = missing_jobs(graph, shelf)
    progress = progress or Silent()
    away = [job for job in jobs if _can_travel(job)]
    if site.workers == 1 or len(away) < 2:
        away = []
    else:
        _train_side_by_side(away, graph, site, progress)
    for job in jobs:
        if job not in away:
            run_job(job, graph, site, progress)
    return jobs


def _can_travel(job: Job) -> bool:
    """Whether a worker process can build it: plug-ins of a script are known only to its process."""
    if job.kind == "estimator":
        return True
    if job.kind != "attack":
        return VICTIMS.is_installed(job.name)
    surrogates = ATTACKS.get(job.name).spec.surrogates
    return ATTACKS.is_installed(job.name) and all(map(VICTIMS.is_installed, surrogates))


def _train_side_by_side(jobs: list[Job], graph: Graph, site: Site, progress: Progress) -> None:
    spawn = multiprocessing.get_context("spawn")
    # A recipe's read-only mapping cannot travel to another process, a dictionary can.
    plain = replace(graph.recipe, classifiers=dict(graph.recipe.classifiers))
    graph = replace(graph, recipe=plain)
    with relayed(spawn, progress) as reports:
        pool = ProcessPoolExecutor(
            site.workers,
            mp_context=spawn,
            initializer=_start_worker,
            initargs=(reports, site.workers),
        )
        waiting = list(jobs)
        running: dict[Future[None], Job] = {}
        try:
            while waiting or running:
                unfinished = {job.key for job in (*waiting, *running.values())}
                ready = [job for job in waiting if not unfinished & set(job.needs)]
                for job in ready[: site.workers - len(running)]:
                    waiting.remove(job)
                    running[pool.submit(_worker_job, job, graph, site)] = job
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    del running[future]
                    future.result()
        except BrokenProcessPool as error:
            raise CamobenchError(
                "a training process was killed, probably for want of memory; run the same command "
                "again with fewer --workers, it continues"
            ) from error
        except BaseException:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_worker_progress: Progress = Silent()


def _start_worker(reports: Reports, workers: int) -> None:
    global _worker_progress
    start_training_process(workers)
    _worker_progress = RelayedProgress(reports)


def _worker_job(job: Job, graph: Graph, site: Site) -> None:
    run_job(job, graph, site, _worker_progress)


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
            raise CamobenchError(
                f"{path} is damaged ({reason}); remove it, and that training starts anew"
            ) from error
        return state

    def save(state: dict[str, Any]) -> None:
        with replacing(path) as target:
            torch.save(state, target)

    return Snapshots(load=load, save=save)
