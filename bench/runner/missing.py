"""What a request lacks: networks to train and cells to score, without doing either."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from bench.metrics.lpips import trunk_digest
from bench.runner.api import Session
from bench.runner.graph import Job
from bench.runner.matrix import STEM_DIGITS, row_key
from bench.runner.networks import Networks
from bench.runner.train import missing_jobs
from bench.types import Json


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What is to be done before a matrix is full.

    Attributes:
        jobs: Networks to be trained, dependencies first.
        cells: Victims that each attack has not been scored on; attacks without a hole are left out.
        networks_total: All networks of the graph.
        cells_total: All cells of the matrix.
    """

    jobs: tuple[Job, ...]
    cells: dict[str, tuple[str, ...]]
    networks_total: int
    cells_total: int

    @property
    def summary(self) -> str:
        """One line."""
        holes = sum(len(victims) for victims in self.cells.values())
        return (
            f"{len(self.jobs)} of {self.networks_total} networks and {holes} of "
            f"{self.cells_total} cells are missing"
        )

    def rows(self) -> list[dict[str, Json]]:
        """One row a network to train, then one an attack to score."""
        train: list[dict[str, Json]] = [
            {"work": "train", "name": job.label, "cells": None, "victims": ""} for job in self.jobs
        ]
        return train + [
            {"work": "score", "name": attack, "cells": len(names), "victims": " ".join(names)}
            for attack, names in self.cells.items()
        ]


def find_missing(session: Session) -> Missing:
    """Compare a request with what the store and the package hold; makes nothing."""
    graph, shelf = session.graph, session.shelf
    jobs = missing_jobs(graph, shelf)
    untrained = {job.key for job in jobs}
    networks = Networks(graph, shelf, torch.device(session.request.device))
    estimator = graph.estimators.get("A")
    stems = {}
    for victim, key in graph.victims.items():
        if key not in untrained and not (
            networks.reads_residual(victim) and estimator in untrained
        ):
            stems[victim] = networks.victim_digest(victim)[:STEM_DIGITS]
    trunk, cells = trunk_digest(), {}
    for attack, key in graph.attacks.items():
        holes = tuple(graph.victims)
        if key not in untrained:
            where = row_key(networks, attack, trunk)
            folder = session.store.prediction_folder(where)
            holes = tuple(
                victim
                for victim in graph.victims
                if victim not in stems or not (folder / f"{stems[victim]}.parquet").is_file()
            )
        if holes:
            cells[attack] = holes
    return Missing(
        jobs=tuple(jobs),
        cells=cells,
        networks_total=len(graph.jobs),
        cells_total=len(graph.attacks) * len(graph.victims),
    )
