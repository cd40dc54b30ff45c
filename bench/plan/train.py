"""Which networks a graph lacks, and their training."""

from __future__ import annotations

from contextlib import closing

from bench.execute import Executor, Inline
from bench.jobs.job import Limits, Site, TrainJob
from bench.jobs.networks import Shelf
from bench.jobs.outcome import Done
from bench.plan.failures import Failures
from bench.plan.graph import Graph
from bench.types import CamobenchError, Progress, Silent


def missing_jobs(graph: Graph, shelf: Shelf) -> list[TrainJob]:
    """Jobs that must run, dependencies first; a finished network does not need its own needs.

    An estimator is wanted by whoever is scored with it, so it always counts.
    """
    done = {
        key for key, job in graph.jobs.items() if shelf.find(job.kind, job.name, key) is not None
    }
    wanted: dict[str, TrainJob] = {}

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
    return sorted(
        wanted.values(),
        key=lambda job: 4 if job.kind == "victim" and job.needs else order[job.kind],
    )


def train(
    graph: Graph,
    shelf: Shelf,
    progress: Progress | None = None,
    failures: Failures | None = None,
    *,
    device: str = "cpu",
    executor: Executor | None = None,
    limits: Limits | None = None,
) -> list[TrainJob]:
    """Train every missing network of `graph`; returns the jobs that ran to their end.

    Args:
        graph: All networks.
        shelf: Where networks are looked for; its store gets them, and has the suite's sets.
        progress: Told how far it is.
        failures: Takes note of jobs that fail, and of those that need them; the others go on.
        device: Where they train.
        executor: Runs the jobs; this process by default.
        limits: What a job may take.

    Raises:
        CamobenchError: If a job fails and there is no `failures`; the others' checkpoints are kept.
    """
    jobs = missing_jobs(graph, shelf)
    site = Site(store_root=shelf.store.root, keys=graph.keys, device=device, shipped=shelf.shipped)
    trained = []
    running = (executor or Inline()).run(jobs, site, progress or Silent(), limits)
    with closing(running):  # ends what runs, when this is interrupted
        for job, outcome in running:
            if not isinstance(job, TrainJob):
                continue
            if isinstance(outcome, Done):
                trained.append(job)
                if failures is not None:
                    failures.clear(job.label)
            elif failures is None:
                said = outcome.reason.removeprefix(f"{job.label}: ")
                raise CamobenchError(f"{job.label}: {said}")
            elif outcome.cause:
                failures.jobs[job.key] = failures.follow(job.label, failures.jobs[outcome.cause])
            else:
                failures.jobs[job.key] = failures.note(job.label, outcome)
    return trained
