"""Fills the attack x victim matrix of trained networks: scores what is missing, keeps the rest.

Predictions are kept by cell (attack, victim) under the digest of everything behind them, so a new
victim costs one column and a new attack one row.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from functools import partial as later
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from bench.contract import ATTACKS, VICTIMS
from bench.metrics import SCORER_VERSION
from bench.metrics.lpips import load_lpips
from bench.metrics.lpips_golden import check_golden
from bench.provenance import processor_name, provenance
from bench.runner.batches import AUTO
from bench.runner.failures import Failure, Failures, ParticipantError, Trial
from bench.runner.graph import Graph
from bench.runner.items import ImageSource, shards, source_of
from bench.runner.kept import KeptImages, Recorder, kept_files
from bench.runner.networks import Networks, Shelf
from bench.runner.precision import FP32, Precision, cell_digest
from bench.runner.recompress import RecompressedSource, recompression
from bench.runner.score import Scorer
from bench.runner.shard_files import cells_in, concerns, find_whole, is_whole, parts_of, write_shard
from bench.store import digest, explaining_damage, read_json, replacing, write_json
from bench.suites.base import Suite
from bench.types import Json, Progress, Silent

IMAGE_PRECISION = "fp32"
"""Attacks always run in fp32; the precision of a victim is part of its own cells' key."""
SHARD_IMAGES = 16
KEY_DIGITS = 16
STEM_DIGITS = 24


@dataclass(frozen=True, kw_only=True)
class Cells:
    """All rows of one attack.

    Attributes:
        attack: Its name.
        folder: Where its rows are kept; `None` where the attack failed before it had any.
        victims: File stem of each victim's rows, by name; those that failed have none.
        measured: File stem of the distortion rows, if there are any.
        seconds: Time that scoring took, over all runs that filled it.
        scored_by: Provenance of every run that filled it, the last one first.
        failed: What went wrong in the other cells, by victim.
        unmeasured: What went wrong where no cell of a victim hangs on it, by what is missing:
            "distortion", "kept images".
    """

    attack: str
    folder: Path
    victims: Mapping[str, str]
    measured: str
    seconds: float
    scored_by: tuple[dict[str, Json], ...]
    failed: Mapping[str, Failure] = field(default_factory=dict)
    unmeasured: Mapping[str, Failure] = field(default_factory=dict)

    def predictions(self) -> pd.DataFrame:
        """Rows of all victims."""
        files = [self.folder / f"{stem}.parquet" for stem in self.victims.values()]
        if not files:
            return pd.DataFrame()
        return pd.concat([_read(file) for file in files], ignore_index=True)

    def distortion(self) -> pd.DataFrame:
        """One row an image and target."""
        if not self.measured:
            return pd.DataFrame()
        return _read(self.folder / f"{self.measured}.parquet")


def _read(path: Path) -> pd.DataFrame:
    with explaining_damage(path):
        return pd.read_parquet(path)


def row_key(networks: Networks, attack: str, quality_percent: int | None = None) -> str:
    """Digest of everything behind an attack's rows but the victims and LPIPS.

    With a quality, of the rows after JPEG re-compression.
    """
    changed = {} if quality_percent is None else {"recompressed": recompression(quality_percent)}
    return digest(
        {
            **changed,
            "attack": networks.attack_digest(attack),
            "suite": networks.graph.suite.fingerprint,
            "scorer": SCORER_VERSION,
            "precision": IMAGE_PRECISION,
            "device": networks.device.type,
            "lpips": None,  # it has a file of its own; former versions rescored a row for it
        }
    )


def cell_stem(networks: Networks, victim: str) -> str:
    """File stem of a victim's rows: hangs on all that is behind its logits, and its precision."""
    precision, found = networks.victim_precision(victim), networks.victim_digest(victim)
    return cell_digest(found, precision)[:STEM_DIGITS]


def distortion_stem(lpips_sha256: str | None) -> str:
    """File stem of distortion rows: LPIPS is measured anew when its trunk comes or changes."""
    return "distortion" if lpips_sha256 is None else f"distortion-{lpips_sha256[:KEY_DIGITS]}"


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
        folder = self.row_folder(attack)
        folder.mkdir(parents=True, exist_ok=True)
        stem = cell_stem(self.networks, victim)
        with self.shelf.store.lock("predictions", folder.name):
            if (folder / f"{stem}.parquet").is_file():
                return
            fill = {"seconds": 0.0, "cells": [stem], "by": self.provenance}
            self._note_fill(attack, folder, f"put-{stem}", [fill])
            self._keep(attack, rows, folder / f"{stem}.parquet", victim=victim)

    def _keep(
        self, attack: str, rows: pd.DataFrame, path: Path, *, victim: str | None = None
    ) -> None:
        keys = {"attack": attack, "attack_key": self.graph.attacks[attack][:KEY_DIGITS]}
        if victim is not None:
            keys["victim_key"] = self.graph.victims[victim][:KEY_DIGITS]
        with replacing(path) as target:
            rows.assign(**keys).to_parquet(target, index=False)

    def _note_fill(self, attack: str, folder: Path, name: str, shards_done: list[Any]) -> None:
        row = folder / "row.json"
        fills = read_json(row)["fills"] if row.is_file() else {}
        write_json(row, {"attack": attack, "fills": {**fills, name: shards_done}})

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
        folder = self.shelf.store.prediction_folder(row_key(self.networks, name, quality))
        stems = {
            victim: cell_stem(self.networks, victim)
            for victim in self.graph.victims
            if victim not in failed
        }
        folder.mkdir(parents=True, exist_ok=True)
        unmeasured: dict[str, Failure] = {}
        turn = self.shelf.store.lock("predictions", folder.name)
        with turn:  # a second run waits, then finds the first one's rows
            missing = {
                victim: stem
                for victim, stem in stems.items()
                if not (folder / f"{stem}.parquet").is_file()
            }
            kept = self._kept_files(row_key(self.networks, name))
            to_keep = self._keeps(quality) and not all(path.is_file() for path in kept)
            if missing or to_keep or not (folder / f"{self.measured}.parquet").is_file():
                lost, no_attack = self._try(name, folder, missing, kept, quality)
                failed |= lost
                if no_attack is not None and len(failed) < len(self.graph.victims):
                    if not (folder / f"{self.measured}.parquet").is_file():
                        unmeasured["distortion"] = no_attack
                    if to_keep:
                        unmeasured["kept images"] = no_attack
        there = {
            victim: stem for victim, stem in stems.items() if (folder / f"{stem}.parquet").is_file()
        }
        row, measured = folder / "row.json", folder / f"{self.measured}.parquet"
        shards_done = [
            shard
            for fill in (read_json(row)["fills"] if row.is_file() else {}).values()
            for shard in fill
            if concerns(shard, [*stems.values(), self.measured])
        ]
        shards_done.sort(
            key=lambda shard: (shard["by"]["created"], shard.get("at", 0)), reverse=True
        )
        records = {digest(shard["by"]): shard["by"] for shard in shards_done}
        return Cells(
            attack=name,
            folder=folder,
            victims=there,
            measured=self.measured if measured.is_file() else "",
            seconds=sum(shard["seconds"] for shard in shards_done),
            scored_by=tuple(records.values()) or (self.provenance,),
            failed=failed,
            unmeasured=unmeasured,
        )

    def _keeps(self, quality: int | None) -> bool:
        """Whether images are kept: those as the attack leaves them, which others are made from."""
        return self.keep_images and quality is None

    def _try(
        self,
        name: str,
        folder: Path,
        missing: Mapping[str, str],
        kept: Sequence[Path],
        quality: int | None,
    ) -> tuple[dict[str, Failure], Failure | None]:
        """Score what is missing; returns what went wrong, by victim, and with the attack."""
        failures = self.failures
        trial = Trial(
            attack_name=name,
            after="" if quality is None else f"after JPEG {quality}",
            strict=failures is None,
            limit_s=None if failures is None else failures.cell_timeout_s,
        )
        self.scorer.trial = trial
        who, after = trial.named()
        try:
            self._score_missing(name, folder, missing, kept, quality)
        except ParticipantError as error:
            if failures is None:
                raise
            failure = failures.note(who, error, after)
            return dict.fromkeys(missing, failure), failure
        if failures is None:
            return {}, None
        failures.clear(who, after)
        found = {}
        for victim in missing:
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

    def _kept_files(self, key: str) -> list[Path]:
        count = len(shards(len(self.scorer.images), SHARD_IMAGES))
        return kept_files(self.shelf.store, key, count)

    def _score_missing(
        self,
        name: str,
        folder: Path,
        missing: Mapping[str, str],
        kept: Sequence[Path],
        quality: int | None,
    ) -> None:
        trial = self.scorer.trial
        opened = {v: trial.victim(v, later(self.networks.victim, v)) for v in missing}
        victims = {name: victim for name, victim in opened.items() if victim is not None}
        measures = not (folder / f"{self.measured}.parquet").is_file()
        work = sorted(missing.values()) + ([self.measured] if measures else [])
        files = [*missing.values(), *(["distortion"] if measures else [])]
        ranges = shards(len(self.scorer.images), SHARD_IMAGES)
        partial = find_whole(folder, work, len(ranges)) or folder / f"partial-{digest(work)[:12]}"
        parts = parts_of(partial, len(ranges))
        waiting = [
            (part, indices, images)
            for part, indices, images in zip(parts, ranges, kept, strict=True)
            if not is_whole(part, files) or (self._keeps(quality) and not images.is_file())
        ]
        to_keep = self._keeps(quality) and not all(path.is_file() for path in kept)
        if not (victims or measures or to_keep):
            return
        total = len(self.scorer.images)
        done = total - sum(len(indices) for _, indices, _ in waiting)
        what = f"scoring {name} on {len(victims)} victims"
        if not victims:
            what = f"{'distortion' if measures else 'images'} of {name}"
        what += "" if quality is None else f", JPEG {quality}"
        self.progress.start(what, total, done)

        @cache
        def attack() -> ImageSource:  # opened when its first image is wanted: kept ones need none
            return source_of(trial.attack(later(self.networks.attack, name)))

        targeted = ATTACKS.get(name).spec.targeted
        with ThreadPoolExecutor(1) as writer:
            writing: Future[None] | None = None
            for part, indices, images in waiting:
                began = time.monotonic()
                source, recorder = self._source(attack, images, quality, targeted=targeted)
                scored = self.scorer.score(
                    source, trial.left(victims), indices, distortions=measures
                )
                left = sorted(trial.left(missing).values())
                record = {
                    "at": time.time(),
                    "seconds": time.monotonic() - began,
                    "cells": [*left, *([self.measured] if measures else [])],
                    "by": self.provenance,
                }
                if isinstance(source, KeptImages):
                    record["by"] = {**self.provenance, "images_made_by": source.made_by}
                if writing is not None:
                    writing.result()
                writing = writer.submit(
                    write_shard, part, scored, missing, record, recorder, images
                )
                self.progress.advance(len(indices))
            if writing is not None:
                writing.result()
        self.progress.finish()

        def gather(file: str) -> pd.DataFrame:
            frames = [_read(part / file) for part in parts]
            filled = [frame for frame in frames if len(frame)]  # images made elsewhere may be few
            return pd.concat(filled or frames[:1], ignore_index=True)

        done_now = [read_json(part / "shard.json") for part in parts]
        self._note_fill(name, folder, partial.name, done_now)
        if measures:
            self._keep(name, gather("distortion.parquet"), folder / f"{self.measured}.parquet")
        # Last: a victim's file says that its cell is done.
        for victim, stem in trial.left(missing).items():
            file = f"{stem}.parquet"
            self._keep(name, gather(file), folder / file, victim=victim)
        if all((folder / f"{stem}.parquet").is_file() for stem in cells_in(parts)):
            shutil.rmtree(partial, ignore_errors=True)
