"""Which networks a graph lacks, and their training."""

from __future__ import annotations

from contextlib import closing

from bench.execute import Executor, Inline
from bench.jobs.job import Limits, Site, TrainJob
from bench.jobs.networks import Shelf
from bench.jobs.outcome import Done
from bench.jobs.workplace import Workplace
from bench.plan.failures import Failures
from bench.plan.graph import Graph
from bench.types import Progress, Silent

_ORDER = ("estimator", "surrogate", "victim", "attack")


def missing_jobs(graph: Graph, shelf: Shelf) -> list[TrainJob]:
    """Jobs that must run, dependencies first; a finished network does not need its own needs.

    An estimator is wanted by whoever is scored with it, so it always counts.
    """
    wanted: dict[str, TrainJob] = {}

    def want(key: str) -> None:
        job = graph.jobs.get(key)
        if job and key not in wanted and shelf.find(job.kind, job.name, key) is None:
            wanted[key] = job
            for need in job.needs:
                want(need)

    for key in (*graph.victims.values(), *graph.attacks.values(), graph.estimators.get("A", "")):
        want(key)
    # A victim that needs attacks comes last.
    last = {key for key, job in wanted.items() if job.kind == "victim" and job.needs}
    return sorted(wanted.values(), key=lambda job: (job.key in last, _ORDER.index(job.kind)))


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

    The shelf's store has the suite's sets and gets the networks. `failures` takes note of jobs that
    fail, and of those that need them; the others go on.

    Raises:
        CamobenchError: If a job fails and there is no `failures`; the others' checkpoints are kept.
    """
    jobs, noted = missing_jobs(graph, shelf), failures or Failures()
    site = Site(store_root=shelf.store.root, keys=graph.keys, device=device, shipped=shelf.shipped)
    trained = []
    executor, place = executor or Inline(), Workplace(site)
    running = executor.run(jobs, place, progress or Silent(), limits)
    with closing(running):  # ends what runs, when this is interrupted
        for job, outcome in running:
            if not isinstance(job, TrainJob):
                continue
            if isinstance(outcome, Done):
                trained.append(job)
                noted.clear(job.label)
            elif outcome.cause:
                noted.jobs[job.key] = noted.follow(job.label, noted.jobs[outcome.cause])
            else:
                noted.jobs[job.key] = noted.note(job.label, outcome)
    return trained
