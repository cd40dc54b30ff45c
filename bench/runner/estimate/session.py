"""What a request lacks, in seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bench.processes import cpu_count
from bench.runner.api import Session
from bench.runner.estimate.scoring import scoring_seconds
from bench.runner.estimate.training import training_seconds
from bench.runner.estimate.tries import Tries
from bench.runner.missing import Missing
from bench.types import SETS, Json
from bench.wording import plural

BUDGET_S, DATA_S = 10.0, 1.0


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Seconds that the missing work will take.

    Attributes:
        data_s: Making images.
        train_s: By the key of the job, as if it were alone.
        score_s: By attack.
        untried: Trainings of plug-ins, which nobody can tell before they end.
        workers: Networks trained side by side.
    """

    data_s: float
    train_s: dict[str, float] = field(default_factory=dict)
    score_s: dict[str, float] = field(default_factory=dict)
    untried: int = 0
    workers: int = 1

    @property
    def total_s(self) -> float:
        """All of it, trainings shared out over the workers; none is cut in two."""
        trainings, score = list(self.train_s.values()), sum(self.score_s.values())
        train = max(sum(trainings) / self.workers, max(trainings, default=0.0))
        return self.data_s + train + score

    @property
    def summary(self) -> str:
        """One line."""
        beside = f", {self.workers} networks trained side by side" if self.workers > 1 else ""
        more = f", and {plural(self.untried, 'training')} of plug-ins (?)" if self.untried else ""
        return f"about {readable(self.total_s)}{beside}{more}"


def estimate(session: Session, missing: Missing, budget_s: float = BUDGET_S) -> Estimate:
    """Try what is missing for a few seconds.

    Args:
        session: The request.
        missing: What `find_missing` says of it.
        budget_s: Trying stops with the thing at hand when it is over.
    """
    workers = min(session.workers, max(1, len(missing.jobs)))
    share = budget_s / 2 if missing.jobs else budget_s
    train = training_seconds(session, missing.jobs, workers, Tries(share))
    return Estimate(
        data_s=_data_seconds(session) if missing.jobs or missing.cells else 0.0,
        score_s=scoring_seconds(session, missing, Tries(share)),
        train_s=train,
        untried=len(missing.jobs) - len(train),
        workers=workers,
    )


def work_rows(session: Session, missing: Missing, found: Estimate) -> list[dict[str, Json]]:
    """One row a thing to do, with what it will take: images, networks, cells."""
    seconds = {**found.train_s, **found.score_s}
    rows = missing.rows({name: readable(value) for name, value in seconds.items()})
    if not found.data_s:
        return rows
    name, takes = session.graph.suite.name, readable(found.data_s)
    made: dict[str, Json] = {"work": "make", "name": name, "time": takes}
    return [{**made, "cells": None, "victims": ""}, *rows]


def _data_seconds(session: Session) -> float:
    """Of the sets that are not on disk, from a second of making the first."""
    source = session.request.source
    folder = session.store.data_folder(source.card.name, source.card.fingerprint)
    wanted = [name for name in SETS if not (folder / name / "manifest.parquet").is_file()]
    if not wanted:
        return 0.0
    rows = iter(source.rows(wanted[0], 1))
    next(rows)  # pays for what is set up once
    began, made = time.perf_counter(), 0
    while time.perf_counter() - began < DATA_S and next(rows, None) is not None:
        made += 1
    each = (time.perf_counter() - began) / max(1, made)
    workers = session.request.workers or cpu_count()
    return each * sum(source.count(name) for name in wanted) / workers


def readable(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
