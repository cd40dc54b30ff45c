"""What a request lacks: networks to train and cells to score, without doing either."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

from bench.jobs.job import TrainJob
from bench.jobs.scoring.condition import PLAIN
from bench.jobs.scoring.kept import kept_files
from bench.jobs.scoring.rows import DISTORTION, SHARD_IMAGES, RowFolder
from bench.plan.cells import cell_stem, row_key
from bench.plan.request import Session
from bench.plan.train import missing_jobs
from bench.types import Json


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What is to be done before a matrix is full.

    Attributes:
        jobs: Networks to be trained, dependencies first.
        cells: Victims that each attack has not been scored on, also under conditions: none where
            distortions or kept images alone are missing. Rows that lack nothing are left out.
        networks_total: All networks of the graph.
        cells_total: All cells of the matrix.
        victims_total: All victims of the matrix.
        trained_s: What the networks that are there took to train, by their cards.
    """

    jobs: tuple[TrainJob, ...]
    cells: dict[str, tuple[str, ...]]
    networks_total: int
    cells_total: int
    victims_total: int
    trained_s: float

    @property
    def summary(self) -> str:
        """One line."""
        holes = sum(len(victims) for victims in self.cells.values())
        took = f"; the others took {self.trained_s:.0f} s to train" if self.trained_s else ""
        return (
            f"{len(self.jobs)} of {self.networks_total} networks and {holes} of "
            f"{self.cells_total} cells are missing{took}"
        )

    def rows(self) -> list[dict[str, Json]]:
        """One row a network to train, then one an attack to score."""

        def row(work: str, name: str, victims: tuple[str, ...] = ()) -> dict[str, Json]:
            cells, said = len(victims) or None, " ".join(victims)
            if len(victims) == self.victims_total > 1:
                said = "all"
            return {"work": work, "name": name, "cells": cells, "victims": said}

        return [
            *(row("train", job.label) for job in self.jobs),
            *(row("score", attack, names) for attack, names in self.cells.items()),
        ]


def find_missing(session: Session) -> Missing:
    """Compare a request with what the store and the package hold; makes nothing."""
    graph, shelf = session.graph, session.shelf
    jobs = missing_jobs(graph, shelf)
    untrained = {job.key for job in jobs}
    asked, store, networks = session.request, session.store, session.networks
    lost = graph.estimators.get("A") in untrained
    stems = {
        victim: cell_stem(networks, victim)
        for victim, key in graph.victims.items()
        if key not in untrained and not (lost and networks.reads_residual(victim))
    }
    cells: dict[str, tuple[str, ...]] = {}
    shards = range(math.ceil(asked.source.count("C") / SHARD_IMAGES))
    for (attack, key), condition in product(graph.attacks.items(), asked.conditions):
        holes, whole = tuple(graph.victims), False
        if key not in untrained:
            found = row_key(networks, attack, condition)
            row = RowFolder(store.prediction_folder(found))
            there = {v for v, stem in stems.items() if row.has(stem, shards)}
            holes, whole = tuple(v for v in holes if v not in there), row.has(DISTORTION, shards)
            if asked.keep_images and condition == PLAIN:
                whole &= all(path.is_file() for path in kept_files(store, found, len(shards)))
        if holes or not whole:
            cells[f"{attack} {condition.said}".rstrip()] = holes
    made = (shelf.find(job.kind, job.name, key) for key, job in graph.jobs.items())
    return Missing(
        jobs=tuple(jobs),
        cells=cells,
        networks_total=len(graph.jobs),
        cells_total=len(graph.attacks) * len(graph.victims) * len(asked.conditions),
        victims_total=len(graph.victims),
        trained_s=sum(found.card["seconds"] for found in made if found is not None),
    )
