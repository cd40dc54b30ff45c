"""How long a whole matrix takes on several nodes: its jobs with the seconds that they took before.

Simulated: whoever is free takes the job with the most work behind it, as soon as its needs are
done; what machines of another kind would take, nobody knows from this.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import mean

from bench.jobs.job import TrainJob
from bench.jobs.scoring.condition import PLAIN
from bench.jobs.scoring.rows import RowFolder, read_record
from bench.jobs.train import snapshots_in
from bench.plan.cells import row_key
from bench.plan.request import Session
from bench.types import CamobenchError


@dataclass(frozen=True, kw_only=True)
class Task:
    """A job with the time that it took.

    Attributes:
        seconds: Measured, or the mean of its kind.
        needs: Names of the tasks that come before it.
    """

    seconds: float
    needs: tuple[str, ...] = ()


def makespan_s(tasks: Mapping[str, Task], nodes: int) -> float:
    """When the last task ends, if so many nodes share them.

    Args:
        tasks: By name, none before its needs.
        nodes: Each does one task at a time.
    """
    rest = dict.fromkeys(tasks, 0.0)  # the longest chain behind each
    for name in reversed([*tasks]):
        for need in tasks[name].needs:
            rest[need] = max(rest[need], rest[name] + tasks[name].seconds)
    missing = {name: set(task.needs) for name, task in tasks.items()}
    waiting, running, now = set(tasks), list[tuple[float, str]](), 0.0
    while waiting or running:
        ready = [name for name in waiting if not missing[name]]
        ready.sort(key=lambda name: (-rest[name] - tasks[name].seconds, name))
        for name in ready[: nodes - len(running)]:
            waiting.discard(name)
            heapq.heappush(running, (now + tasks[name].seconds, name))
        now, done = heapq.heappop(running)
        for needs in missing.values():
            needs.discard(done)
    return now


def measured_tasks(session: Session) -> tuple[dict[str, Task], str]:
    """All jobs of a matrix, from scratch, and what their times come from.

    Raises:
        CamobenchError: If nothing of a kind has been measured.
    """
    graph, shelf = session.graph, session.shelf
    found = {key: shelf.find(job.kind, job.name, key) for key, job in graph.jobs.items()}
    trained = {key: float(one.card["seconds"]) for key, one in found.items() if one is not None}
    begun = {key: _begun_s(session, graph.jobs[key]) for key, one in found.items() if one is None}
    known = trained | {key: seconds for key, seconds in begun.items() if seconds is not None}
    scored = _shard_seconds(session)
    tasks = {}
    for kind in ("estimator", "surrogate", "victim", "attack"):
        mine = {key: job for key, job in graph.jobs.items() if job.kind == kind}
        usual = [known[key] for key in mine if key in known]
        for key, job in mine.items():
            tasks[key] = Task(seconds=known.get(key) or _mean(usual, kind), needs=job.needs)
    networks = [*graph.victims.values(), *graph.estimators.values()]
    count = max((1 + max(row) for row in scored.values()), default=1)
    every = [seconds for row in scored.values() for seconds in row.values()]
    for attack, key in graph.attacks.items():
        needs = tuple(one for one in (*networks, key) if one in tasks)
        for shard in range(count):
            seconds = scored.get(attack, {}).get(shard) or _mean(every, "scoring")
            tasks[f"{attack}/{shard}"] = Task(seconds=seconds, needs=needs)
    basis = (
        f"{len(trained)} of {len(graph.jobs)} trainings and {len(scored)} of {len(graph.attacks)} "
        f"rows as they were timed, {len(known) - len(trained)} by the steps that are done, "
        "the others as the mean of their kind"
    )
    return tasks, basis


def _begun_s(session: Session, job: TrainJob) -> float | None:
    """What an unfinished training takes in all, by the steps that it has done."""
    saved = snapshots_in(session.store.snapshot_file(job.kind, job.name, job.key)).load() or {}
    done = saved.get("step") and saved.get("steps") and saved.get("seconds")
    return saved["seconds"] * saved["steps"] / saved["step"] if done else None


def _shard_seconds(session: Session) -> dict[str, dict[int, float]]:
    """What each shard of the rows that are there took, over all jobs that filled it, by attack."""
    networks = session.networks
    found = {}
    for attack, key in session.graph.attacks.items():
        if key in session.graph.jobs and session.shelf.find("attack", attack, key) is None:
            continue
        folder = RowFolder(session.store.prediction_folder(row_key(networks, attack, PLAIN)))
        jobs: dict[int, dict[float, float]] = {}
        for path in folder.path.glob("*/*.parquet"):
            record = read_record(path)
            jobs.setdefault(int(path.stem), {})[record["at"]] = record["seconds"]
        if jobs:
            found[attack] = {shard: sum(seconds.values()) for shard, seconds in jobs.items()}
    return found


def _mean(seconds: list[float], kind: str) -> float:
    if not seconds:
        raise CamobenchError(
            f"nothing of kind {kind} has been timed on this suite with this recipe; run a part "
            "first, then --nodes can tell"
        )
    return mean(seconds)
