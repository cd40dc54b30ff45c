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
from pathlib import Path

import pandas as pd
import torch

from bench.contract import ATTACKS
from bench.execute import Executor, Inline
from bench.jobs.job import Job, Limits, ScoreJob, Site
from bench.jobs.networks import Networks, Shelf
from bench.jobs.outcome import Done, Failed
from bench.jobs.scoring.batches import AUTO
from bench.jobs.scoring.condition import PLAIN, Condition
from bench.jobs.scoring.kept import KeptImages, kept_file
from bench.jobs.scoring.precision import FP32, Precision
from bench.jobs.scoring.rows import DISTORTION, RowFolder, row_shards, write_rows
from bench.jobs.scoring.score import key_columns
from bench.jobs.scoring.scorer import Scorer
from bench.jobs.workplace import Workplace
from bench.plan.cells import Cells, Row, cell_stem, row_key
from bench.plan.failures import Failure, Failures
from bench.plan.graph import Graph
from bench.provenance import provenance
from bench.records.samples import most_complete
from bench.store import digest
from bench.suites.base import Suite
from bench.types import CamobenchError, Progress, Silent
from bench.wording import plural

LOST = Failed(reason="its rows are no longer in the store; run the same command again")
"""Of rows whose jobs are done."""


class Matrix:
    """Scores attacks against victims on one suite.

    Attributes:
        sampled: The attack of which `fill` keeps some images to be shown.

    Args:
        graph: All networks, trained.
        suite: Prepared, with Set-C.
        shelf: Where checkpoints are.
        device: Where everything runs.
        batch: Anonymised images at a time, or `AUTO`.
        precision: Of the victims.
        keep_images: Keep all anonymised images in the store; what is kept is used in any case.
        failures: Takes note of cells that fail, and the others go on; without it one stops all.
        executor: Runs the jobs; this process by default.
        limits: What a job may take.
    """

    def __init__(
        self,
        graph: Graph,
        suite: Suite,
        shelf: Shelf,
        device: torch.device,
        *,
        batch: int = AUTO,
        precision: Precision = FP32,
        keep_images: bool = False,
        failures: Failures | None = None,
        progress: Progress | None = None,
        executor: Executor | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.graph, self.suite, self.shelf, self.device = graph, suite, shelf, device
        self.keep_images, self.failures = keep_images, failures
        self.progress, self.limits = progress or Silent(), limits
        self.place = Workplace(
            Site(
                store_root=shelf.store.root,
                keys=graph.keys,
                device=str(device),
                precision=precision,
                shipped=shelf.shipped,
                batch=batch,
                began=provenance(),
            )
        )
        self.executor = executor or Inline(self.place)
        self.sampled: str | None = None
        self.shards = row_shards(self.scorer.order)

    @property
    def networks(self) -> Networks:
        """Trained, as they are scored."""
        return self.place.networks

    @property
    def scorer(self) -> Scorer:
        """Of Set-C."""
        return self.place.scorer

    def fill(
        self, attacks: Iterable[str], conditions: Sequence[Condition] = (PLAIN,)
    ) -> list[Cells]:
        """Score every missing cell of the attacks; returns all cells, old and new.

        Args:
            attacks: Rows to fill, by name.
            conditions: What happens to their images; each makes rows of its own.
        """
        names = list(attacks)
        able = [name for name in names if self.untrained("attack", name) is None]
        self.sampled = most_complete([ATTACKS.get(name).spec for name in able])
        rows = [self._row(name, condition) for condition in conditions for name in names]
        self._score({row.key: row for row in rows})
        return [self._cells(row) for row in rows]

    def put(self, attack: str, victim: str, rows: pd.DataFrame) -> None:
        """Keep a cell that was not computed here, as far as it is not there.

        Args:
            attack: By name.
            victim: By name.
            rows: What `prediction_rows` returns.
        """
        row, stem = RowFolder(self.row_folder(attack)), cell_stem(self.networks, victim)
        self._set_damaged_aside(row, attack, [stem])
        record = {"by": self.place.provenance, "at": time.time(), "seconds": 0.0, "suspicions": []}
        rows = rows.assign(**key_columns(self.place.site.keys, attack, victim))
        names = self.scorer.manifest["image_id"].to_numpy()
        for shard, indices in enumerate(self.shards):
            if not row.has(stem, [shard]):
                mine = rows["image_id"].isin(names[list(indices)])
                write_rows(row.file(stem, shard), rows[mine], record)

    def row_folder(self, attack: str) -> Path:
        """Where the rows of an attack are kept."""
        return self.shelf.store.prediction_folder(row_key(self.networks, attack))

    @property
    def sample(self) -> KeptImages | None:
        """Images of `sampled`, those of the first shard, unless it failed."""
        if self.sampled is None:
            return None
        keys = [row_key(self.networks, self.sampled), self._sample_key(self.sampled)]
        paths = [kept_file(self.shelf.store, key, 0) for key in keys]
        return next((KeptImages(one, targeted=True) for one in paths if one.is_file()), None)

    def untrained(self, kind: str, name: str) -> Failure | None:
        """Why there is no network of this attack or victim; `None` where there is one."""
        if self.failures is None:
            return None
        keys = [(self.graph.attacks if kind == "attack" else self.graph.victims)[name]]
        if kind == "victim" and self.networks.reads_residual(name):
            keys.append(self.graph.estimators.get("A", ""))
        found = [self.failures.jobs[key] for key in keys if key in self.failures.jobs]
        return found[0] if found else None

    def _row(self, name: str, condition: Condition) -> Row:
        row = Row(attack=name, condition=condition, broken=self.untrained("attack", name))
        for victim in self.graph.victims:
            if failure := row.broken or self.untrained("victim", victim):
                row.failed[victim] = failure
        if row.broken is not None:
            return row
        row.key = row_key(self.networks, name, condition)
        able = [victim for victim in self.graph.victims if victim not in row.failed]
        row.stems = {victim: cell_stem(self.networks, victim) for victim in able}
        files = RowFolder(self.shelf.store.prediction_folder(row.key))
        self._set_damaged_aside(files, name, [*row.stems.values(), DISTORTION])
        for shard, indices in enumerate(self.shards):
            stems = {v: stem for v, stem in row.stems.items() if not files.has(stem, [shard])}
            kept, keeps = row_key(self.networks, name), False
            if condition == PLAIN and (self.keep_images or (name == self.sampled and not shard)):
                key = kept if self.keep_images else self._sample_key(name)
                keeps = not kept_file(self.shelf.store, key, shard).is_file()
                kept = key if keeps else kept
            if stems or keeps or not files.has(DISTORTION, [shard]):
                row.jobs.append(
                    ScoreJob(
                        attack=name,
                        stems=tuple(stems.items()),
                        shard=shard,
                        images=len(indices),
                        row=row.key,
                        kept=kept,
                        condition=condition,
                        keep_images=keeps,
                    )
                )
        return row

    def _sample_key(self, attack: str) -> str:
        """Of images that are kept to be shown, apart from others: no rows are made of them."""
        return digest(["sample", row_key(self.networks, attack)])

    def _set_damaged_aside(self, row: RowFolder, attack: str, stems: Iterable[str]) -> None:
        gone = row.set_damaged_aside(stems)
        if gone:
            warnings.warn(
                f"{plural(len(gone), 'damaged file')} of {attack} set aside in {row.aside}: what "
                "is asked for is scored again, but for columns that were sent: score these again",
                stacklevel=2,
            )

    def _score(self, rows: dict[str, Row]) -> None:
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

        site = self.place.site
        running = self.executor.run(jobs, site, self.progress, self.limits, started)
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

    def _note(self, row: Row, job: ScoreJob, outcome: Done | Failed) -> None:
        """Take note of what failed.

        Raises:
            CamobenchError: Of the first failure, if nobody notes them.
        """
        if isinstance(outcome, Done):
            found = dict(outcome.failed)
        else:
            found = {} if outcome.cause else {job.blamed()[1]: outcome}
        for victim, failed in found.items():
            failure = self._noted(row, victim, failed)
            if victim:
                row.failed[victim] = failure
            else:
                row.broken = failure

    def _noted(self, row: Row, victim: str, failed: Failed) -> Failure:
        who, where = row.named(victim)
        if self.failures is None:
            raise CamobenchError(f"{who} {where}".rstrip() + f": {failed.reason}")
        return self.failures.note(who, failed, where)

    def _cells(self, row: Row) -> Cells:
        images = list(self.scorer.manifest["image_id"])
        cells = Cells(
            attack=row.attack, condition=row.condition, images=images, made_by=self.place.provenance
        )
        if not row.key:  # the attack is not trained
            return replace(cells, failed=row.failed)
        files, shards = RowFolder(self.shelf.store.prediction_folder(row.key)), self.shards
        whole = {v: stem for v, stem in row.stems.items() if files.has(stem, range(len(shards)))}
        measured = files.has(DISTORTION, range(len(shards)))
        failed, unmeasured = dict(row.failed), dict[str, Failure]()
        for victim in row.stems:  # no hole is left without a name
            if victim not in whole and victim not in failed:
                failed[victim] = row.broken or self._noted(row, victim, LOST)
        if not measured and len(failed) < len(self.graph.victims):
            unmeasured["distortion"] = row.broken or self._noted(row, "", LOST)
        if self.keep_images and row.broken is not None and len(failed) < len(self.graph.victims):
            kept = [kept_file(self.shelf.store, job.kept, job.shard) for job in row.jobs]
            if not all(path.is_file() for path in kept):
                unmeasured["kept images"] = row.broken
        if self.failures is not None and row.jobs:
            for victim in ("", *row.stems):
                if victim not in failed and not (row.broken and not victim):
                    self.failures.clear(*row.named(victim))
        return replace(
            cells,
            row=files,
            victims={v: stem for v, stem in whole.items() if v not in failed},
            measured=measured,
            failed=failed,
            unmeasured=unmeasured,
        )
