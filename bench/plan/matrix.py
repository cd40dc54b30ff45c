"""Fills the attack x victim matrix of trained networks: scores what is missing, keeps the rest.

Predictions are kept by cell (attack, victim) under the digest of everything behind them, so a new
victim costs one column and a new attack one row.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace

import pandas as pd

from bench.contract import ATTACKS
from bench.execute import Executor, Inline
from bench.jobs.job import Job, Limits, ScoreJob, Site
from bench.jobs.outcome import Done, Failed
from bench.jobs.scoring.condition import PLAIN, Condition
from bench.jobs.scoring.kept import KeptImages, kept_file
from bench.jobs.scoring.rows import DISTORTION, RowFolder, row_shards, write_rows
from bench.jobs.scoring.score import key_columns
from bench.jobs.workplace import Workplace
from bench.plan.cells import Cells, cell_stem, row_key
from bench.plan.failures import Failure, Failures
from bench.plan.graph import Graph
from bench.provenance import provenance
from bench.records.samples import most_complete
from bench.store import digest
from bench.types import Progress, Silent
from bench.wording import plural

LOST = Failed(reason="its rows are no longer in the store; run the same command again")
"""Of rows whose jobs are done."""


class Matrix:
    """Scores attacks against victims on one suite, whose Set-C is in the site's store.

    Attributes:
        keep_images: Keep all anonymised images in the store; what is kept is used in any case.
        failures: Takes note of cells that fail, and the others go on; without it one stops all.
        sampled: The attack of which `fill` keeps some images to be shown; "" for none.
    """

    def __init__(
        self,
        graph: Graph,
        site: Site,
        *,
        keep_images: bool = False,
        failures: Failures | None = None,
        progress: Progress | None = None,
        executor: Executor | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.graph, self.keep_images, self.failures = graph, keep_images, failures or Failures()
        self.progress, self.limits = progress or Silent(), limits
        self.executor = executor or Inline()
        self.place = place = Workplace(replace(site, began=provenance()))
        self.shelf, self.networks, self.scorer = place.shelf, place.networks, place.scorer
        self.shards = row_shards(self.scorer.order)
        self.sampled = ""

    def fill(
        self, attacks: Iterable[str], conditions: Sequence[Condition] = (PLAIN,)
    ) -> list[Cells]:
        """Score every missing cell of attacks; returns all, old and new, row after row.

        Each condition makes rows of its own.
        """
        names = list(attacks)
        able = [name for name in names if self._untrained(self.graph.attacks[name]) is None]
        self.sampled = most_complete([ATTACKS.get(name).spec for name in able]) or ""
        every = [self._planned(name, condition) for condition in conditions for name in names]
        self._score({cells.key: cells for cells in every})
        for cells in every:
            self._settle(cells)
        return every

    def put(self, attack: str, victim: str, rows: pd.DataFrame) -> None:
        """Keep the `prediction_rows` of a cell that was not computed here, where there are none."""
        row, stem = self.row_folder(attack), cell_stem(self.networks, victim)
        self._set_damaged_aside(row, attack, [stem])
        record = {"by": self.place.provenance, "at": time.time(), "seconds": 0.0, "suspicions": []}
        rows = rows.assign(**key_columns(self.place.site.keys, attack, victim))
        names = self.scorer.manifest["image_id"].to_numpy()
        for shard, indices in enumerate(self.shards):
            if not row.has(stem, [shard]):
                mine = rows["image_id"].isin(names[list(indices)])
                write_rows(row.file(stem, shard), rows[mine], record)

    def row_folder(self, attack: str) -> RowFolder:
        """Where the rows of an attack are kept."""
        return RowFolder(self.shelf.store.prediction_folder(row_key(self.networks, attack)))

    @property
    def sample(self) -> KeptImages | None:
        """Images of `sampled`, those of the first shard, unless it failed."""
        if not self.sampled:
            return None
        keys = [row_key(self.networks, self.sampled), self._sample_key(self.sampled)]
        paths = [kept_file(self.shelf.store, key, 0) for key in keys]
        return next((KeptImages(one, targeted=True) for one in paths if one.is_file()), None)

    def _sample_key(self, attack: str) -> str:
        """Of images that are kept to be shown, apart from others: no rows are made of them."""
        return digest(["sample", row_key(self.networks, attack)])

    def _untrained(self, *keys: str) -> Failure | None:
        """Why one of these networks was not trained."""
        return next((self.failures.jobs[key] for key in keys if key in self.failures.jobs), None)

    def _planned(self, name: str, condition: Condition) -> Cells:
        """The row of an attack, with the jobs that it lacks."""
        images, graph = list(self.scorer.manifest["image_id"]), self.graph
        cells = Cells(attack=name, condition=condition, images=images)
        cells.broken = self._untrained(graph.attacks[name])
        for victim, key in graph.victims.items():
            estimator = graph.estimators.get("A", "")
            behind = (key, estimator) if self.networks.reads_residual(victim) else (key,)
            if failure := cells.broken or self._untrained(*behind):
                cells.failed[victim] = failure
            else:
                cells.stems[victim] = cell_stem(self.networks, victim)
        if cells.broken is not None:
            return cells
        images_key, store = row_key(self.networks, name), self.shelf.store
        cells.key = row_key(self.networks, name, condition)
        cells.row = row = RowFolder(store.prediction_folder(cells.key))
        self._set_damaged_aside(row, name, [*cells.stems.values(), DISTORTION])
        for shard, indices in enumerate(self.shards):
            stems = {v: stem for v, stem in cells.stems.items() if not row.has(stem, [shard])}
            kept, keeps = images_key, False
            if condition == PLAIN and (self.keep_images or (name == self.sampled and not shard)):
                key = images_key if self.keep_images else self._sample_key(name)
                keeps = not kept_file(store, key, shard).is_file()
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

    def _set_damaged_aside(self, row: RowFolder, attack: str, stems: Iterable[str]) -> None:
        gone = row.set_damaged_aside(stems)
        if gone:
            warnings.warn(
                f"{plural(len(gone), 'damaged file')} of {attack} set aside in {row.aside}: what "
                "is asked for is scored again, but for columns that were sent: score these again",
                stacklevel=2,
            )

    def _score(self, rows: dict[str, Cells]) -> None:
        """Run the jobs of rows, by the rows' keys."""
        jobs = [job for row in rows.values() for job in row.jobs]
        left = {key: {job.shard for job in row.jobs} for key, row in rows.items()}
        bars: dict[str, Progress] = {}

        def started(job: Job) -> None:
            if isinstance(job, ScoreJob) and job.row not in bars:
                waiting = sum(one.images for one in rows[job.row].jobs)
                total = len(self.scorer.images)
                bars[job.row] = self.progress.fork()
                bars[job.row].start(job.label, total, total - waiting)

        running = self.executor.run(jobs, self.place, self.progress, self.limits, started)
        with closing(running):  # ends what runs, when this is interrupted
            for job, outcome in running:
                if not isinstance(job, ScoreJob):
                    continue
                self._note(rows[job.row], job, outcome)
                if job.row in bars and job.shard in left[job.row]:
                    left[job.row].discard(job.shard)
                    bars[job.row].advance(job.images)
                    if not left[job.row]:
                        bars[job.row].finish()

    def _note(self, row: Cells, job: ScoreJob, outcome: Done | Failed) -> None:
        """Take note of what failed, but not of what was left out because of it."""
        if isinstance(outcome, Failed):
            found = {} if outcome.cause else {job.blamed()[1]: outcome}
        else:
            found = dict(outcome.failed)
        for victim, failed in found.items():
            failure = self._failure(row, failed, victim)
            if victim:
                row.failed[victim] = failure
            else:
                row.broken = failure

    def _failure(self, row: Cells, failed: Failed, victim: str = "") -> Failure:
        who, where = row.named(victim)
        return self.failures.note(who, failed, where)

    def _settle(self, cells: Cells) -> None:
        """See what there is of a row by now, and leave no hole without a name."""
        cells.made_by = self.place.provenance
        if cells.row is None:  # the attack is not trained
            return
        shards = range(len(self.shards))
        for victim, stem in cells.stems.items():
            if victim in cells.failed:
                continue
            if cells.row.has(stem, shards):
                cells.victims[victim] = stem
            else:
                cells.failed[victim] = cells.broken or self._failure(cells, LOST, victim)
        cells.measured = cells.row.has(DISTORTION, shards)
        if len(cells.failed) < len(self.graph.victims):
            if not cells.measured:
                cells.unmeasured["distortion"] = cells.broken or self._failure(cells, LOST)
            kept = [kept_file(self.shelf.store, job.kept, job.shard) for job in cells.jobs]
            if self.keep_images and cells.broken and not all(path.is_file() for path in kept):
                cells.unmeasured["kept images"] = cells.broken
        if cells.jobs:
            works = [victim for victim in cells.stems if victim not in cells.failed]
            for victim in works if cells.broken else ["", *works]:
                self.failures.clear(*cells.named(victim))
