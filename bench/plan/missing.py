"""What a request lacks: networks to train and cells to score, without doing either."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import torch

from bench.jobs.job import TrainJob
from bench.jobs.networks import Networks
from bench.jobs.scoring.rows import SHARD_IMAGES, RowFolder
from bench.plan.cells import cell_stem, row_key
from bench.plan.request import Session
from bench.plan.train import missing_jobs
from bench.types import Json


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What is to be done before a matrix is full.

    Attributes:
        jobs: Networks to be trained, dependencies first.
        cells: Victims that each attack has not been scored on, also under conditions; those
            without a hole are left out.
        networks_total: All networks of the graph.
        cells_total: All cells of the matrix.
        trained_s: What the networks that are there took to train, by their cards.
    """

    jobs: tuple[TrainJob, ...]
    cells: dict[str, tuple[str, ...]]
    networks_total: int
    cells_total: int
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
            cells = len(victims) or None
            return {"work": work, "name": name, "cells": cells, "victims": " ".join(victims)}

        return [
            *(row("train", job.label) for job in self.jobs),
            *(row("score", attack, names) for attack, names in self.cells.items()),
        ]


def find_missing(session: Session) -> Missing:
    """Compare a request with what the store and the package hold; makes nothing."""
    graph, shelf = session.graph, session.shelf
    jobs = missing_jobs(graph, shelf)
    untrained = {job.key for job in jobs}
    networks = Networks(
        graph, shelf, torch.device(session.request.device), precision=session.request.scored_in
    )
    estimator = graph.estimators.get("A")
    stems = {}
    for victim, key in graph.victims.items():
        if key not in untrained and not (
            networks.reads_residual(victim) and estimator in untrained
        ):
            stems[victim] = cell_stem(networks, victim)
    cells: dict[str, tuple[str, ...]] = {}
    shards = range(math.ceil(session.request.source.count("C") / SHARD_IMAGES))
    conditions = session.request.conditions
    for (attack, key), condition in product(graph.attacks.items(), conditions):
        holes = tuple(graph.victims)
        if key not in untrained:
            row = RowFolder(session.store.prediction_folder(row_key(networks, attack, condition)))
            holes = tuple(
                victim
                for victim in graph.victims
                if victim not in stems or not row.has(stems[victim], shards)
            )
        if holes:
            cells[f"{attack} {condition.said}".rstrip()] = holes
    there = (shelf.find(job.kind, job.name, key) for key, job in graph.jobs.items())
    return Missing(
        jobs=tuple(jobs),
        cells=cells,
        networks_total=len(graph.jobs),
        cells_total=len(graph.attacks) * len(graph.victims) * len(conditions),
        trained_s=sum(found.card["seconds"] for found in there if found is not None),
    )
