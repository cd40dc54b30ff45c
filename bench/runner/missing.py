"""What a request lacks: networks to train and cells to score, without doing either."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import torch

from bench.contract import ATTACKS
from bench.runner.api import Session
from bench.runner.cells import DISTORTION, SHARD_IMAGES, RowFolder, cell_stem, row_key
from bench.runner.challenge.specs import SentImagesSpec
from bench.runner.graph import Job
from bench.runner.networks import Networks
from bench.runner.train import missing_jobs
from bench.types import Json


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What is to be done before a matrix is full.

    Attributes:
        jobs: Networks to be trained, dependencies first.
        cells: Victims that each attack has not been scored on, also after re-compression; those
            without a hole are left out.
        attack_of: The attack behind each name in `cells`.
        kept: Attacks whose images are all kept, or were sent.
        measured: Names in `cells` whose distortions are there.
        networks_total: All networks of the graph.
        cells_total: All cells of the matrix.
    """

    jobs: tuple[Job, ...]
    cells: dict[str, tuple[str, ...]]
    attack_of: dict[str, str]
    kept: frozenset[str]
    measured: frozenset[str]
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

    def rows(self, times: Mapping[str, str]) -> list[dict[str, Json]]:
        """One row a network to train, then one an attack to score.

        Args:
            times: What each will take, by the job's key or the attack's name.
        """

        def row(work: str, name: str, key: str, victims: tuple[str, ...] = ()) -> dict[str, Json]:
            return {
                "work": work,
                "name": name,
                "time": times.get(key, "?"),
                "cells": len(victims) or None,
                "victims": " ".join(victims),
            }

        return [
            *(row("train", job.label, job.key) for job in self.jobs),
            *(row("score", attack, attack, names) for attack, names in self.cells.items()),
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
    attack_of: dict[str, str] = {}
    kept, measured = set(), set()
    image_files = math.ceil(session.request.source.count("C") / SHARD_IMAGES)
    qualities = (None, *session.request.recompress)
    for (attack, key), quality in product(graph.attacks.items(), qualities):
        holes = tuple(graph.victims)
        if key not in untrained:
            row = RowFolder(session.store.prediction_folder(row_key(networks, attack, quality)))
            images = session.store.image_folder(row_key(networks, attack))
            sent = isinstance(ATTACKS.get(attack).spec, SentImagesSpec)
            if sent or len(list(images.glob("*.parquet"))) == image_files:
                kept.add(attack)
            holes = tuple(
                victim
                for victim in graph.victims
                if victim not in stems or not row.has(stems[victim])
            )
            if holes and row.has(DISTORTION):
                measured.add(_cells_name(attack, quality))
        if holes:
            name = _cells_name(attack, quality)
            cells[name], attack_of[name] = holes, attack
    return Missing(
        jobs=tuple(jobs),
        cells=cells,
        attack_of=attack_of,
        kept=frozenset(kept),
        measured=frozenset(measured),
        networks_total=len(graph.jobs),
        cells_total=len(graph.attacks) * len(graph.victims) * len(qualities),
    )


def _cells_name(attack: str, quality_percent: int | None) -> str:
    return attack if quality_percent is None else f"{attack}, JPEG {quality_percent}"
