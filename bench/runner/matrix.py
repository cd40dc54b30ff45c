"""Fills the attack x victim matrix of trained networks: scores what is missing, keeps the rest.

Predictions are kept by cell (attack, victim) under the digest of everything behind them, so a new
victim costs one column and a new attack one row.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from bench.contract import VICTIMS
from bench.provenance import processor_name, provenance
from bench.records.participants import Suspected
from bench.runner.batches import AUTO
from bench.runner.cells import (
    DISTORTION,
    Cells,
    RowFolder,
    cell_stem,
    key_columns,
    row_key,
    row_shards,
)
from bench.runner.failures import Failure, Failures, ParticipantError, Trial
from bench.runner.filling import Gap, RowFill
from bench.runner.graph import Graph
from bench.runner.kept import kept_files
from bench.runner.networks import Networks, Shelf
from bench.runner.precision import FP32, Precision
from bench.runner.score import Scorer
from bench.runner.shard_files import drop_damaged_shards
from bench.store import digest
from bench.suites.base import Suite
from bench.types import Json, Progress, Silent
from bench.wording import plural


class Matrix:
    """Scores attacks against victims on one suite.

    Args:
        graph: All networks, trained.
        suite: Prepared, with Set-C.
        shelf: Where checkpoints are.
        device: Where everything runs.
        batch: Anonymised images at a time, or `AUTO`.
        precision: Of the victims.
        keep_images: Keep all anonymised images in the store; what is kept is used in any case.
        failures: Takes note of cells that fail, and the others go on; without it one stops all.
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
    ) -> None:
        self.failures = failures
        self.graph, self.suite, self.shelf, self.device = graph, suite, shelf, device
        self.precision, self.keep_images = precision, keep_images
        self.progress = progress or Silent()
        self.networks = Networks(graph, shelf, device, precision=precision)
        self._origin = self._provenance()
        self.scorer = Scorer(suite, device, batch)
        self.scorer.foreign = {name for name in graph.victims if not VICTIMS.is_own(name)}

    def fill(self, attack_names: Iterable[str], quality_percent: int | None = None) -> list[Cells]:
        """Score every missing cell of the attacks; returns all cells, old and new.

        Args:
            attack_names: Rows to fill.
            quality_percent: Save all anonymised images as JPEG before they are scored.
        """
        return [self._fill_row(name, quality_percent) for name in attack_names]

    def put(self, attack: str, victim: str, rows: pd.DataFrame) -> None:
        """Keep a cell that was not computed here, unless it is there.

        Args:
            attack: By name.
            victim: By name.
            rows: What `prediction_rows` returns.
        """
        row = RowFolder(self.row_folder(attack))
        row.path.mkdir(parents=True, exist_ok=True)
        stem = cell_stem(self.networks, victim)
        with self.shelf.store.lock("predictions", row.path.name):
            self._set_damaged_aside(row, attack)
            if row.has(stem):
                return
            fill = {"seconds": 0.0, "cells": [stem], "by": self.provenance}
            row.note_fill(attack, f"put-{stem}", [fill])
            row.keep(stem, rows, key_columns(self.graph, attack, victim))

    def row_folder(self, attack: str) -> Path:
        """Where the rows of an attack are kept."""
        return self.shelf.store.prediction_folder(row_key(self.networks, attack))

    def untrained(self, kind: str, name: str) -> Failure | None:
        """Why there is no network of this attack or victim; `None` where there is one."""
        if self.failures is None:
            return None
        keys = [(self.graph.attacks if kind == "attack" else self.graph.victims)[name]]
        if kind == "victim" and self.networks.reads_residual(name):
            keys.append(self.graph.estimators.get("A", ""))
        found = [self.failures.jobs[key] for key in keys if key in self.failures.jobs]
        return found[0] if found else None

    def _fill_row(self, name: str, quality: int | None = None) -> Cells:
        without = {victim: self.untrained("victim", victim) for victim in self.graph.victims}
        failed = {victim: failure for victim, failure in without.items() if failure is not None}
        no_attack = self.untrained("attack", name)
        if no_attack is not None:
            failed = dict.fromkeys(self.graph.victims, no_attack)
            return Cells(
                attack=name,
                folder=self.shelf.store.root,
                victims={},
                measured=False,
                seconds=0.0,
                scored_by=(self.provenance,),
                failed=failed,
            )
        key = row_key(self.networks, name, quality)
        row = RowFolder(self.shelf.store.prediction_folder(key))
        stems = {
            victim: cell_stem(self.networks, victim)
            for victim in self.graph.victims
            if victim not in failed
        }
        row.path.mkdir(parents=True, exist_ok=True)
        unmeasured: dict[str, Failure] = {}
        turn = self.shelf.store.lock("predictions", row.path.name)
        with turn:  # a second run waits, then finds the first one's rows
            self._set_damaged_aside(row, name)
            gap = self._gap(name, row, stems, quality)
            if gap:
                lost, no_attack = self._try(name, row, gap)
                failed |= lost
                if no_attack is not None and len(failed) < len(self.graph.victims):
                    if gap.lacks_distortion:
                        unmeasured["distortion"] = no_attack
                    if gap.lacks_images:
                        unmeasured["kept images"] = no_attack
        shards_done = row.shards([*stems.values(), DISTORTION])
        records = {digest(shard["by"]): shard["by"] for shard in shards_done}
        return Cells(
            attack=name,
            folder=row.path,
            victims={victim: stem for victim, stem in stems.items() if row.has(stem)},
            measured=row.has(DISTORTION),
            seconds=sum(shard["seconds"] for shard in shards_done),
            scored_by=tuple(records.values()) or (self.provenance,),
            failed=failed,
            unmeasured=unmeasured,
            suspicions=_suspicions(shards_done, stems),
        )

    def _set_damaged_aside(self, row: RowFolder, attack: str) -> None:
        drop_damaged_shards(row.path)
        stems = row.set_damaged_aside()
        if stems:
            warnings.warn(
                f"{plural(len(stems), 'damaged file')} of {attack} set aside in {row.aside}: what "
                "is asked for is scored again, but for columns that were sent: score these again",
                stacklevel=2,
            )

    def _gap(self, name: str, row: RowFolder, stems: Mapping[str, str], quality: int | None) -> Gap:
        count = len(row_shards(range(len(self.scorer.images))))
        return Gap(
            stems={victim: stem for victim, stem in stems.items() if not row.has(stem)},
            lacks_distortion=not row.has(DISTORTION),
            image_files=kept_files(self.shelf.store, row_key(self.networks, name), count),
            # Kept are those as the attack leaves them, which others are made from.
            wants_images=self.keep_images and quality is None,
            quality_percent=quality,
        )

    def _try(
        self, name: str, row: RowFolder, gap: Gap
    ) -> tuple[dict[str, Failure], Failure | None]:
        """Score what is missing; returns what went wrong, by victim, and with the attack."""
        failures = self.failures
        trial = Trial(
            attack_name=name,
            after="" if gap.quality_percent is None else f"after JPEG {gap.quality_percent}",
            strict=failures is None,
            limit_s=None if failures is None else failures.cell_timeout_s,
        )
        self.scorer.trial = trial
        who, after = trial.named()
        try:
            RowFill(
                attack=name,
                row=row,
                gap=gap,
                networks=self.networks,
                scorer=self.scorer,
                provenance=lambda: self.provenance,
                progress=self.progress,
            ).run()
        except ParticipantError as error:
            if failures is None:
                raise
            failure = failures.note(who, error, after)
            return dict.fromkeys(gap.stems, failure), failure
        if failures is None:
            return {}, None
        failures.clear(who, after)
        found = {}
        for victim in gap.stems:
            who, where = trial.named(victim)
            if victim in trial.failed:
                found[victim] = failures.note(who, trial.failed[victim], where)
            else:
                failures.clear(who, where)
        return found, None

    @property
    def provenance(self) -> dict[str, Json]:
        """Which code scores where, and how; the batch is what it is by now."""
        return {**self._origin, "batch_size": self.scorer.batch}

    def _provenance(self) -> dict[str, Json]:
        cuda, images = self.device.type == "cuda", self.suite.checksum("C")
        tf32 = torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32
        return {
            **provenance(),
            "device": str(self.device),
            "device_name": torch.cuda.get_device_name(self.device) if cuda else processor_name(),
            "precision": self.precision.name,
            "tf32": cuda and tf32,
            **({"set_c_sha256": images} if images else {}),
        }


def _suspicions(
    shards: Sequence[Mapping[str, Any]], stems: Mapping[str, str]
) -> tuple[Suspected, ...]:
    """Each once, of the attack or of a victim whose cell is here."""
    names = {"": ""} | {stem: victim for victim, stem in stems.items()}
    told = {
        (one["cell"], one["kind"]): Suspected(
            victim=names[one["cell"]], kind=one["kind"], finding=one["finding"]
        )
        for shard in shards
        for one in shard.get("suspicions", ())
        if one["cell"] in names
    }
    return tuple(told.values())
