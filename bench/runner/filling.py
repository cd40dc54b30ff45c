"""Scores what a row lacks, shard by shard, and puts the shards together."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from bench.contract import ATTACKS, VICTIMS, Victim
from bench.runner.cells import DISTORTION, RowFolder, key_columns, read_rows, row_shards, rows_file
from bench.runner.items import ImageSource, source_of
from bench.runner.kept import KeptImages, Recorder
from bench.runner.lookout import Lookout
from bench.runner.networks import Networks
from bench.runner.opened_files import note_opened
from bench.runner.recompress import RecompressedSource
from bench.runner.score import Scorer
from bench.runner.shard_files import (
    cells_in,
    find_whole,
    is_whole,
    parts_of,
    read_shard,
    write_shard,
)
from bench.store import digest
from bench.types import Json, Progress
from bench.wording import plural

Shard: TypeAlias = tuple[Path, Sequence[int], Path]
"""Folder of its rows, places of its images in Set-C, and file of its anonymised images."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """What a row lacked when it was looked at.

    Attributes:
        stems: File stem of the rows of each victim that had none.
        lacks_distortion: Whether nothing was measured.
        image_files: Of the anonymised images, by shard, there or not.
        wants_images: Whether those that are not there are wanted.
        quality_percent: Of the JPEG re-compression, if any.
    """

    stems: Mapping[str, str]
    lacks_distortion: bool
    image_files: Sequence[Path]
    wants_images: bool
    quality_percent: int | None

    def __bool__(self) -> bool:
        return bool(self.stems) or self.lacks_distortion or self.lacks_images

    @property
    def lacks_images(self) -> bool:
        """Whether images are wanted that are not there by now; the files are looked for anew."""
        return self.wants_images and not all(path.is_file() for path in self.image_files)


@dataclass(frozen=True, kw_only=True)
class RowFill:
    """One attempt at filling a row; what a killed one has scored is not scored again.

    Attributes:
        attack: By name.
        row: Its files.
        gap: What it lacks.
        networks: Trained.
        scorer: Whose trial runs attack and victims.
        provenance: Which code scores where, and how, by now.
        progress: Told of every shard.
    """

    attack: str
    row: RowFolder
    gap: Gap
    networks: Networks
    scorer: Scorer
    provenance: Callable[[], dict[str, Json]]
    progress: Progress

    def run(self) -> None:
        """Score what is missing.

        Raises:
            ParticipantError: If the attack fails; victims that fail are noted in the trial.
        """
        gap, trial = self.gap, self.scorer.trial
        opened = {v: trial.victim(v, partial(self.networks.victim, v)) for v in gap.stems}
        victims = {name: victim for name, victim in opened.items() if victim is not None}
        if not (victims or gap.lacks_distortion or gap.lacks_images):
            return
        measured = [DISTORTION] if gap.lacks_distortion else []
        cells = sorted(gap.stems.values()) + measured
        ranges = row_shards(self.scorer.order)
        unfinished = find_whole(self.row.path, cells, len(ranges))
        unfinished = unfinished or self.row.path / f"partial-{digest(cells)[:12]}"
        parts = parts_of(unfinished, len(ranges))
        files = [*gap.stems.values(), *measured]
        waiting = [
            (part, indices, images)
            for part, indices, images in zip(parts, ranges, gap.image_files, strict=True)
            if not is_whole(part, files) or (gap.wants_images and not images.is_file())
        ]
        total = len(self.scorer.images)
        done = total - sum(len(indices) for _, indices, _ in waiting)
        self.progress.start(self._title(len(victims)), total, done)
        self._score(waiting, victims)
        self.progress.finish()
        self._put_together(unfinished, parts)

    def _title(self, victims: int) -> str:
        what = f"scoring {self.attack} on {plural(victims, 'victim')}"
        if not victims:
            what = f"{'distortion' if self.gap.lacks_distortion else 'images'} of {self.attack}"
        quality = self.gap.quality_percent
        return what if quality is None else f"{what}, JPEG {quality}"

    def _score(self, waiting: Sequence[Shard], victims: Mapping[str, Victim]) -> None:
        gap, trial = self.gap, self.scorer.trial

        @cache
        def attack() -> ImageSource:  # opened when its first image is wanted: kept ones need none
            return source_of(trial.attack(partial(self.networks.attack, self.attack)))

        with ThreadPoolExecutor(1) as writer:
            writing: Future[None] | None = None
            for number, (part, indices, images) in enumerate(waiting):
                self.scorer.lookout = lookout = None if number else Lookout()
                began = time.monotonic()
                source, recorder = self._source(attack, images)
                scored = self.scorer.score(
                    source, trial.left(victims), indices, distortions=gap.lacks_distortion
                )
                self._note_opened(victims)
                self.scorer.lookout = None
                left = sorted(trial.left(gap.stems).values())
                record = {
                    "at": time.time(),
                    "seconds": time.monotonic() - began,
                    "cells": [*left, *([DISTORTION] if gap.lacks_distortion else [])],
                    "by": self.provenance(),
                    "suspicions": [] if lookout is None else self._suspicions(lookout),
                }
                if isinstance(source, KeptImages):
                    record["by"] = {**self.provenance(), "images_made_by": source.made_by}
                if writing is not None:
                    writing.result()
                writing = writer.submit(
                    write_shard, part, scored, gap.stems, record, recorder, images
                )
                self.progress.advance(len(indices))
            if writing is not None:
                writing.result()

    def _note_opened(self, victims: Iterable[str]) -> None:
        store, graph = self.networks.shelf.store, self.networks.graph
        note_opened(store, graph.attacks[self.attack], ATTACKS.get(self.attack))
        for name in victims:
            note_opened(store, graph.victims[name], VICTIMS.get(name))

    def _suspicions(self, lookout: Lookout) -> list[dict[str, str]]:
        """By cell; those of the attack are of none."""
        lookout.end()
        found = {"": lookout.attack}
        found |= {self.gap.stems[victim]: some for victim, some in lookout.victims.items()}
        return [{"cell": cell, **asdict(one)} for cell, some in found.items() for one in some]

    def _source(
        self, attack: Callable[[], ImageSource], images: Path
    ) -> tuple[ImageSource, Recorder | None]:
        """Where a shard's images come from, and what remembers them if they are to be kept."""
        there = images.is_file()
        targeted = ATTACKS.get(self.attack).spec.targeted
        source = KeptImages(images, targeted=targeted) if there else attack()
        if self.gap.quality_percent is not None:
            return RecompressedSource(source, self.gap.quality_percent), None
        if self.gap.wants_images and not there:
            recorder = Recorder(source)
            return recorder, recorder
        return source, None

    def _put_together(self, unfinished: Path, parts: Sequence[Path]) -> None:
        place = {name: at for at, name in enumerate(self.scorer.manifest["image_id"])}

        def gather(stem: str) -> pd.DataFrame:
            frames = [read_rows(rows_file(part, stem)) for part in parts]
            filled = [frame for frame in frames if len(frame)]  # images made elsewhere may be few
            rows = pd.concat(filled or frames[:1], ignore_index=True)
            places = rows["image_id"].map(place)  # rows follow the suite, not the attack's order
            return rows.iloc[places.argsort(kind="stable")].reset_index(drop=True)

        graph, row = self.networks.graph, self.row
        shards_done = [read_shard(part) for part in parts]
        row.note_fill(self.attack, unfinished.name, shards_done)
        if self.gap.lacks_distortion:
            row.keep(DISTORTION, gather(DISTORTION), key_columns(graph, self.attack))
        # Last: a victim's file says that its cell is done.
        for victim, stem in self.scorer.trial.left(self.gap.stems).items():
            row.keep(stem, gather(stem), key_columns(graph, self.attack, victim))
        if all(row.has(stem) for stem in cells_in(parts)):
            shutil.rmtree(unfinished, ignore_errors=True)
