"""Fills the attack x victim matrix of trained networks: scores what is missing, keeps the rest.

Predictions are kept by cell (attack, victim) under the digest of everything behind them, so a new
victim costs one column and a new attack one row.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from functools import partial as later
from pathlib import Path

import pandas as pd
import torch

from bench.contract import ATTACKS, VICTIMS
from bench.metrics.lpips import load_lpips
from bench.metrics.lpips_golden import check_golden
from bench.provenance import processor_name, provenance
from bench.runner.batches import AUTO
from bench.runner.cells import (
    KEY_DIGITS,
    SHARD_IMAGES,
    Cells,
    Gap,
    RowFolder,
    cell_stem,
    distortion_stem,
    read_rows,
    row_key,
)
from bench.runner.failures import Failure, Failures, ParticipantError, Trial
from bench.runner.graph import Graph
from bench.runner.items import ImageSource, shards, source_of
from bench.runner.kept import KeptImages, Recorder, kept_files
from bench.runner.networks import Networks, Shelf
from bench.runner.precision import FP32, Precision
from bench.runner.recompress import RecompressedSource
from bench.runner.score import Scorer
from bench.runner.shard_files import cells_in, find_whole, is_whole, parts_of, write_shard
from bench.store import digest, read_json
from bench.suites.base import Suite
from bench.types import Json, Progress, Silent


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
        lpips, self.lpips_record = load_lpips(device)
        self.measured = distortion_stem(None if lpips is None else lpips.trunk_sha256)
        if lpips is not None:
            check_golden(lpips, device, shelf.store)
        self._origin = self._provenance()
        self.scorer = Scorer(suite, device, batch, lpips)
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
            if row.has(stem):
                return
            fill = {"seconds": 0.0, "cells": [stem], "by": self.provenance}
            row.note_fill(attack, f"put-{stem}", [fill])
            row.keep(stem, rows, self._keys(attack, victim))

    def _keys(self, attack: str, victim: str | None = None) -> dict[str, str]:
        keys = {"attack": attack, "attack_key": self.graph.attacks[attack][:KEY_DIGITS]}
        if victim is not None:
            keys["victim_key"] = self.graph.victims[victim][:KEY_DIGITS]
        return keys

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
                measured="",
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
            gap = self._gap(name, row, stems, quality)
            if gap:
                lost, no_attack = self._try(name, row, gap)
                failed |= lost
                if no_attack is not None and len(failed) < len(self.graph.victims):
                    if gap.measures:
                        unmeasured["distortion"] = no_attack
                    if gap.lacks_images:
                        unmeasured["kept images"] = no_attack
        shards_done = row.shards([*stems.values(), self.measured])
        records = {digest(shard["by"]): shard["by"] for shard in shards_done}
        return Cells(
            attack=name,
            folder=row.path,
            victims={victim: stem for victim, stem in stems.items() if row.has(stem)},
            measured=self.measured if row.has(self.measured) else "",
            seconds=sum(shard["seconds"] for shard in shards_done),
            scored_by=tuple(records.values()) or (self.provenance,),
            failed=failed,
            unmeasured=unmeasured,
        )

    def _gap(self, name: str, row: RowFolder, stems: Mapping[str, str], quality: int | None) -> Gap:
        count = len(shards(len(self.scorer.images), SHARD_IMAGES))
        return Gap(
            stems={victim: stem for victim, stem in stems.items() if not row.has(stem)},
            measures=not row.has(self.measured),
            images=kept_files(self.shelf.store, row_key(self.networks, name), count),
            # Kept are those as the attack leaves them, which others are made from.
            keeps=self.keep_images and quality is None,
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
            self._score_missing(name, row, gap)
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
        cuda = self.device.type == "cuda"
        tf32 = torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32
        return {
            **provenance(),
            "device": str(self.device),
            "device_name": torch.cuda.get_device_name(self.device) if cuda else processor_name(),
            "precision": self.precision.name,
            "tf32": cuda and tf32,
        }

    def _source(
        self,
        attack: Callable[[], ImageSource],
        images: Path,
        quality: int | None,
        *,
        targeted: bool,
    ) -> tuple[ImageSource, Recorder | None]:
        """Where a shard's images come from, and what remembers them if they are to be kept."""
        there = images.is_file()
        source = KeptImages(images, targeted=targeted) if there else attack()
        if quality is not None:
            return RecompressedSource(source, quality), None
        if self.keep_images and not there:
            recorder = Recorder(source)
            return recorder, recorder
        return source, None

    def _score_missing(self, name: str, row: RowFolder, gap: Gap) -> None:
        trial = self.scorer.trial
        opened = {v: trial.victim(v, later(self.networks.victim, v)) for v in gap.stems}
        victims = {name: victim for name, victim in opened.items() if victim is not None}
        work = sorted(gap.stems.values()) + ([self.measured] if gap.measures else [])
        files = [*gap.stems.values(), *(["distortion"] if gap.measures else [])]
        ranges = shards(len(self.scorer.images), SHARD_IMAGES)
        partial = find_whole(row.path, work, len(ranges))
        partial = partial or row.path / f"partial-{digest(work)[:12]}"
        parts = parts_of(partial, len(ranges))
        waiting = [
            (part, indices, images)
            for part, indices, images in zip(parts, ranges, gap.images, strict=True)
            if not is_whole(part, files) or (gap.keeps and not images.is_file())
        ]
        if not (victims or gap.measures or gap.lacks_images):
            return
        total = len(self.scorer.images)
        done = total - sum(len(indices) for _, indices, _ in waiting)
        what = f"scoring {name} on {len(victims)} victims"
        if not victims:
            what = f"{'distortion' if gap.measures else 'images'} of {name}"
        what += "" if gap.quality_percent is None else f", JPEG {gap.quality_percent}"
        self.progress.start(what, total, done)

        @cache
        def attack() -> ImageSource:  # opened when its first image is wanted: kept ones need none
            return source_of(trial.attack(later(self.networks.attack, name)))

        targeted = ATTACKS.get(name).spec.targeted
        with ThreadPoolExecutor(1) as writer:
            writing: Future[None] | None = None
            for part, indices, images in waiting:
                began = time.monotonic()
                source, recorder = self._source(
                    attack, images, gap.quality_percent, targeted=targeted
                )
                scored = self.scorer.score(
                    source, trial.left(victims), indices, distortions=gap.measures
                )
                left = sorted(trial.left(gap.stems).values())
                record = {
                    "at": time.time(),
                    "seconds": time.monotonic() - began,
                    "cells": [*left, *([self.measured] if gap.measures else [])],
                    "by": self.provenance,
                }
                if isinstance(source, KeptImages):
                    record["by"] = {**self.provenance, "images_made_by": source.made_by}
                if writing is not None:
                    writing.result()
                writing = writer.submit(
                    write_shard, part, scored, gap.stems, record, recorder, images
                )
                self.progress.advance(len(indices))
            if writing is not None:
                writing.result()
        self.progress.finish()
        self._put_together(name, row, gap, partial, parts)

    def _put_together(
        self, name: str, row: RowFolder, gap: Gap, partial: Path, parts: Sequence[Path]
    ) -> None:
        def gather(stem: str) -> pd.DataFrame:
            frames = [read_rows(RowFolder(part).file(stem)) for part in parts]
            filled = [frame for frame in frames if len(frame)]  # images made elsewhere may be few
            return pd.concat(filled or frames[:1], ignore_index=True)

        row.note_fill(name, partial.name, [read_json(part / "shard.json") for part in parts])
        if gap.measures:
            row.keep(self.measured, gather("distortion"), self._keys(name))
        # Last: a victim's file says that its cell is done.
        for victim, stem in self.scorer.trial.left(gap.stems).items():
            row.keep(stem, gather(stem), self._keys(name, victim))
        if all(row.has(stem) for stem in cells_in(parts)):
            shutil.rmtree(partial, ignore_errors=True)
