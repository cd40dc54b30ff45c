"""A request made concrete: its networks, and the matrix of attacks x victims that they fill.

Networks are trained and cells scored where they are missing; the rest is kept. Predictions are kept
by cell (attack, victim) under the digest of everything behind them, so a new victim costs one
column and a new attack one row.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bench.contract import ATTACKS
from bench.execute import executor_of
from bench.execute.base import Outcome
from bench.jobs.job import Job, ScoreJob, Site, TrainJob
from bench.jobs.networks import Networks
from bench.jobs.outcome import Done
from bench.jobs.scoring.condition import PLAIN, Condition
from bench.jobs.scoring.kept import KeptImages, kept_file
from bench.jobs.scoring.precision import Precision
from bench.jobs.scoring.rows import DISTORTION, RowFolder, row_shards, write_rows
from bench.jobs.scoring.score import key_columns
from bench.jobs.workplace import Workplace
from bench.plan.cells import Cells, row_key
from bench.plan.failures import Failure, Failures
from bench.plan.graph import missing_jobs, plan
from bench.processes import cpu_count, default_workers, keep_freed_memory
from bench.provenance import provenance
from bench.recipes import get_recipe
from bench.records.samples import most_complete
from bench.store import Store, digest, replacing
from bench.suites.audit.record import audit_and_keep, is_quick, kept_audit
from bench.suites.base import Suite, prepare
from bench.types import SETS, Progress, SetName

if TYPE_CHECKING:
    from bench.plan.request import Request

MOST_SCORING = 4
"""Jobs of scoring at a time where nobody says how many: each process opens all victims."""


class Session:
    """Trains what a request lacks, scores what it lacks, and tells what there is.

    Attributes:
        failures: Takes note of what fails, and the others go on.
        sampled: The attack of which `fill` keeps some images to be shown; "" for none.
    """

    def __init__(
        self, request: Request, store: Store, progress: Progress, failures: Failures
    ) -> None:
        self.request, self.store, self.progress = request, store, progress
        self.failures, self.sampled = failures, ""
        self.graph = plan(
            request.source.card,
            get_recipe(request.recipe),
            attacks=request.attacks,
            victims=request.victims,
            seed=request.seed,
            attack_seed=request.attack_seed,
            failures=failures,
            store=store,
        )
        self.place = Workplace(
            Site(
                store_root=store.root,
                keys=self.graph,
                device=request.device,
                precision=Precision(name=request.precision, exempt=request.keep_fp32),
                shipped=request.shipped,
                batch=request.batch,
                began=provenance(),
            )
        )
        self.shelf = self.place.shelf

    @property
    def networks(self) -> Networks:
        """Trained or not, as the request's victims are scored."""
        return self.place.networks

    @cached_property
    def shards(self) -> list[Sequence[int]]:
        """Places in Set-C that are scored and written together."""
        return row_shards(self.place.scorer.order)

    def prepare(self, sets: tuple[SetName, ...]) -> Suite:
        """Make the sets that are missing."""
        workers = self.request.workers or cpu_count()
        source, progress = self.request.source, self.progress
        return prepare(source, self.store, sets, workers=workers, progress=progress)

    def run(
        self,
        jobs: Sequence[Job],
        most: int | None = None,
        started: Callable[[Job], None] = lambda job: None,
    ) -> Generator[tuple[Job, Outcome], None, None]:
        """Run jobs, at most so many at a time where nobody says how many: see `Executor.run`."""
        asked, usual = self.request, default_workers(self.place.device)
        workers = asked.workers or min(usual, most or usual)
        executor = executor_of(asked.executor, self.graph, workers, asked.address)
        return executor.run(jobs, self.place, self.progress, asked.limit_s, started)

    def train(self) -> list[TrainJob]:
        """Train what is missing; returns the jobs that ran to their end.

        `failures` takes note of jobs that fail, and of those that need them.
        """
        jobs, noted, trained = missing_jobs(self.graph, self.shelf), self.failures, []
        if not jobs:
            return []
        self.prepare(tuple(sorted({job.set_name for job in jobs})))
        with closing(self.run(jobs)) as running:  # ends what runs, when this is interrupted
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

    def export(self, folder: Path) -> None:
        """Copy every checkpoint of the graph into `folder`, by kind, name and key."""
        for job in self.graph.jobs.values():
            found = self.shelf.find(job.kind, job.name, job.key)
            if found is not None:
                found.verify()
                with replacing(folder / job.kind / found.path.name) as target:
                    shutil.copytree(found.path, target)

    def prepare_scoring(self) -> None:
        """Make Set-C and its audit: called before `fill` and `put`, whose keys hash its pixels."""
        suite = self.prepare(("C",))
        if kept_audit(suite) is None and is_quick(self.request.source):
            audit_and_keep(self.prepare(SETS), self.progress)
        if self.request.device == "cpu":
            keep_freed_memory()
        # Keys of rows hash Set-C, which may have been made just now; scoring begins here.
        self.place = Workplace(replace(self.place.site, began=provenance()))

    def fill(self, attacks: Iterable[str] | None = None) -> list[Cells]:
        """Score every missing cell of attacks, by default all; returns all, row after row.

        Each condition makes rows of its own; what fails under one fails under all.
        """
        names = list(self.request.attacks if attacks is None else attacks)
        able = [name for name in names if self._untrained(self.graph.attacks[name]) is None]
        self.sampled = most_complete([ATTACKS.get(name).spec for name in able]) or ""
        conditions = self.request.conditions
        every = [self._planned(name, condition) for condition in conditions for name in names]
        self._score({cells.key: cells for cells in every})
        for cells in every:
            cells.made_by = self.place.provenance
            kept = [kept_file(self.store, job.kept, job.shard) for job in cells.jobs]
            wanted = kept if self.request.keep_images else []
            cells.settle(range(len(self.shards)), wanted, self.failures)
        for cells in every:
            cells.share_failures([one for one in every if one.attack == cells.attack])
        return every

    def put(self, attack: str, victim: str, rows: pd.DataFrame) -> None:
        """Keep the `prediction_rows` of a cell that was not computed here, where there are none."""
        row, stem = self.row_folder(attack), self.networks.victim_stem(victim)
        record = {"by": self.place.provenance, "at": time.time(), "seconds": 0.0, "suspicions": []}
        rows = rows.assign(**key_columns(self.graph, attack, victim))
        names = self.place.scorer.manifest["image_id"].to_numpy()
        for shard, indices in enumerate(self.shards):
            if not row.has(stem, [shard]):
                mine = rows["image_id"].isin(names[list(indices)])
                write_rows(row.file(stem, shard), rows[mine], record)

    def row_folder(self, attack: str, condition: Condition = PLAIN) -> RowFolder:
        """Where the rows of an attack are kept."""
        key = row_key(self.networks, attack, condition)
        return RowFolder(self.store.prediction_folder(key))

    @property
    def sample(self) -> KeptImages | None:
        """Images of `sampled`, those of the first shard, unless it failed."""
        if not self.sampled:
            return None
        keys = [row_key(self.networks, self.sampled), self._sample_key(self.sampled)]
        paths = [kept_file(self.store, key, 0) for key in keys]
        return next((KeptImages(one, targeted=True) for one in paths if one.is_file()), None)

    def _sample_key(self, attack: str) -> str:
        """Of images that are kept to be shown, apart from others: no rows are made of them."""
        return digest(["sample", row_key(self.networks, attack)])

    def _untrained(self, *keys: str) -> Failure | None:
        """Why one of these networks was not trained."""
        return next((self.failures.jobs[key] for key in keys if key in self.failures.jobs), None)

    def _planned(self, name: str, condition: Condition) -> Cells:
        """The row of an attack, with the jobs that it lacks."""
        images, graph = list(self.place.scorer.manifest["image_id"]), self.graph
        suite = graph.suite.name
        cells = Cells(attack=name, suite=suite, images=images, condition=condition)
        cells.broken = self._untrained(graph.attacks[name])
        for victim, key in graph.victims.items():
            estimator = graph.estimators.get("A", "")
            behind = (key, estimator) if self.networks.reads_residual(victim) else (key,)
            if failure := cells.broken or self._untrained(*behind):
                cells.failed[victim] = failure
            else:
                cells.stems[victim] = self.networks.victim_stem(victim)
        if cells.broken is not None:
            return cells
        cells.key = row_key(self.networks, name, condition)
        cells.row = row = self.row_folder(name, condition)
        images_key, keep_images = row_key(self.networks, name), self.request.keep_images
        for shard, indices in enumerate(self.shards):
            stems = {v: stem for v, stem in cells.stems.items() if not row.has(stem, [shard])}
            kept, keeps = images_key, False
            if condition == PLAIN and (keep_images or (name == self.sampled and not shard)):
                key = images_key if keep_images else self._sample_key(name)
                keeps = not kept_file(self.store, key, shard).is_file()
                kept = key if keeps else kept
            if stems or keeps or not row.has(DISTORTION, [shard]):
                cells.jobs.append(
                    ScoreJob(
                        attack=name,
                        stems=tuple(stems.items()),
                        shard=shard,
                        images=len(indices),
                        row=cells.key,
                        kept=kept,
                        condition=condition,
                        keep_images=keeps,
                    )
                )
        return cells

    def _score(self, rows: dict[str, Cells]) -> None:
        """Run the jobs of rows, by the rows' keys."""
        jobs = [job for row in rows.values() for job in row.jobs]
        left = {key: {job.shard for job in row.jobs} for key, row in rows.items()}
        bars: dict[str, Progress] = {}

        def started(job: Job) -> None:
            if isinstance(job, ScoreJob) and job.row not in bars:
                waiting = sum(one.images for one in rows[job.row].jobs)
                total = len(self.place.scorer.images)
                bars[job.row] = self.progress.fork()
                bars[job.row].start(job.label, total, total - waiting)

        with closing(self.run(jobs, MOST_SCORING, started)) as running:  # as in `train`
            for job, outcome in running:
                if not isinstance(job, ScoreJob):
                    continue
                rows[job.row].note(job, outcome, self.failures)
                if job.row in bars and job.shard in left[job.row]:
                    left[job.row].discard(job.shard)
                    bars[job.row].advance(job.images)
                    if not left[job.row]:
                        bars[job.row].finish()
