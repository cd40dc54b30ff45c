"""What a request lacks, without making any of it, and how long all of it takes on several nodes."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import product
from statistics import mean
from typing import TYPE_CHECKING, NamedTuple

from bench.jobs.job import TrainJob
from bench.jobs.scoring.condition import PLAIN
from bench.jobs.scoring.kept import kept_file
from bench.jobs.scoring.rows import DISTORTION, SHARD_IMAGES, read_record
from bench.plan.cells import row_key
from bench.plan.graph import missing_jobs
from bench.types import CamobenchError, Json

if TYPE_CHECKING:
    from bench.plan.session import Session


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What is to be done before a matrix is full.

    Attributes:
        jobs: Networks to be trained, dependencies first.
        cells: Victims that each attack has not been scored on, also under conditions: none where
            distortions or kept images alone are missing. Rows that lack nothing are left out.
        victims: All of the matrix.
        summary: One line.
    """

    jobs: tuple[TrainJob, ...]
    cells: Mapping[str, tuple[str, ...]]
    victims: tuple[str, ...]
    summary: str

    def rows(self) -> list[dict[str, Json]]:
        """One row a network to train, then one an attack to score."""
        rows: list[dict[str, Json]] = [
            {"work": "train", "name": job.label, "cells": None, "victims": ""} for job in self.jobs
        ]
        for attack, holes in self.cells.items():
            said = "all" if holes == self.victims and len(holes) > 1 else " ".join(holes)
            count = len(holes) or None
            rows.append({"work": "score", "name": attack, "cells": count, "victims": said})
        return rows


def find_missing(session: Session) -> Missing:
    """Compare a request with what the store and the package hold."""
    graph, shelf = session.graph, session.shelf
    jobs = missing_jobs(graph, shelf)
    untrained = {job.key for job in jobs} | session.failures.jobs.keys()  # or cannot be built
    asked, networks = session.request, session.networks
    lost = graph.estimators.get("A") in untrained
    stems = {
        victim: networks.victim_stem(victim)
        for victim, key in graph.victims.items()
        if key not in untrained and not (lost and networks.reads_residual(victim))
    }
    cells: dict[str, tuple[str, ...]] = {}
    shards = range(math.ceil(asked.source.count("C") / SHARD_IMAGES))
    for (attack, key), condition in product(graph.attacks.items(), asked.conditions):
        holes, whole = tuple(graph.victims), False
        if key not in untrained:
            row = session.row_folder(attack, condition)
            there = {v for v, stem in stems.items() if row.has(stem, shards)}
            holes, whole = tuple(v for v in holes if v not in there), row.has(DISTORTION, shards)
            if asked.keep_images and condition == PLAIN:
                kept = row_key(networks, attack)
                whole &= all(kept_file(session.store, kept, n).is_file() for n in shards)
        if holes or not whole:
            cells[f"{attack} {condition.said}".rstrip()] = holes
    took_s = sum(_trained_s(session).values())
    total = len(graph.attacks) * len(graph.victims) * len(asked.conditions)
    return Missing(
        jobs=tuple(jobs),
        cells=cells,
        victims=tuple(graph.victims),
        summary=f"{len(jobs)} of {len(graph.jobs)} networks and {sum(map(len, cells.values()))} of "
        f"{total} cells are missing"
        + (f"; the others took {took_s:.0f} s to train" if took_s else ""),
    )


def _trained_s(session: Session) -> dict[str, float]:
    """What each network that is there took to train, by key."""
    found = {
        key: session.shelf.find(job.kind, job.name, key) for key, job in session.graph.jobs.items()
    }
    return {key: float(one.card["seconds"]) for key, one in found.items() if one is not None}


class Task(NamedTuple):
    """A job: the seconds that it took, or the mean of its kind, and what comes before it."""

    seconds: float
    needs: tuple[str, ...] = ()


def makespan_s(tasks: Mapping[str, Task], nodes: int) -> float:
    """When the last of tasks, none before its needs, ends on nodes that do one at a time each.

    Whoever is free takes the task with the most work behind it, as soon as its needs are done; what
    machines of another kind would take, nobody knows from this.
    """
    rest = {name: task.seconds for name, task in tasks.items()}  # the longest chain from each
    for name in reversed([*tasks]):
        for need in tasks[name].needs:
            rest[need] = max(rest[need], tasks[need].seconds + rest[name])
    order = TopologicalSorter({name: task.needs for name, task in tasks.items()})
    order.prepare()
    ready, running, now = list[str](), list[tuple[float, str]](), 0.0
    while order.is_active():
        ready = sorted((*ready, *order.get_ready()), key=lambda name: (-rest[name], name))
        while ready and len(running) < nodes:
            name = ready.pop(0)
            heapq.heappush(running, (now + tasks[name].seconds, name))
        now, done = heapq.heappop(running)
        order.done(done)
    return now


def measured_tasks(session: Session) -> tuple[dict[str, Task], str]:
    """All jobs of a matrix, from scratch, and what their times come from.

    Raises:
        CamobenchError: If nothing of a kind has been measured.
    """
    graph, trained, scored = session.graph, _trained_s(session), _shard_seconds(session)
    found: dict[str, tuple[str, float | None, tuple[str, ...]]]
    found = {key: (job.kind, trained.get(key), job.needs) for key, job in graph.jobs.items()}
    networks = [*graph.victims.values(), *graph.estimators.values()]
    shards = range(max((1 + max(row) for row in scored.values()), default=1))
    for attack, key in graph.attacks.items():
        needs, row = (*networks, key), scored.get(attack, {})
        found |= {f"{attack}/{shard}": ("scoring", row.get(shard), needs) for shard in shards}
    usual: dict[str, list[float]] = {}
    for kind, seconds, _ in found.values():
        usual.setdefault(kind, []).extend([] if seconds is None else [seconds])
    if untimed := [kind for kind, times in usual.items() if not times]:
        raise CamobenchError(
            f"nothing of kind {untimed[0]} has been timed on this suite with this recipe; run a "
            "part first, then --nodes can tell"
        )
    tasks = {
        name: Task(
            mean(usual[kind]) if seconds is None else seconds,
            tuple(need for need in needs if need in found),  # some have nothing to learn
        )
        for name, (kind, seconds, needs) in found.items()
    }
    basis = (
        f"{len(trained)} of {len(graph.jobs)} trainings and {len(scored)} of {len(graph.attacks)} "
        "rows as they were timed, the others as the mean of their kind"
    )
    return tasks, basis


def _shard_seconds(session: Session) -> dict[str, dict[int, float]]:
    """What each shard of the rows that are there took, over all jobs that filled it, by attack."""
    found = {}
    for attack, key in session.graph.attacks.items():
        if key in session.graph.jobs and session.shelf.find("attack", attack, key) is None:
            continue
        jobs: dict[int, dict[float, float]] = {}
        for path in session.row_folder(attack).path.glob("*/*.parquet"):
            record = read_record(path)
            jobs.setdefault(int(path.stem), {})[record["at"]] = record["seconds"]
        if jobs:
            found[attack] = {shard: sum(seconds.values()) for shard, seconds in jobs.items()}
    return found
