"""The streaming scorer: anonymise once, round to 8 bits, share front-ends, score every victim.

One attack at a time; Set-C goes by in shards of photographs, each written as soon as it is done, so
memory does not grow with images x targets and a killed run continues with the next shard. The next
batch is read while this one is computed, and results leave the device once a batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.checks import to_unit
from bench.contract import Victim
from bench.metrics.distortion import Distortion, measure
from bench.runner.batches import AUTO, batch_for, find_batch, free_cached, is_out_of_memory
from bench.runner.failures import Trial
from bench.runner.items import ImageSource, Item, items_of
from bench.runner.rows import base_rows, prediction_rows
from bench.suites.base import Suite
from bench.suites.mapped import forget_pages
from bench.types import Progress, Silent

FIGURES = ("lpips", "psnr_db", "ssim")


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What one shard gives: prediction rows by victim, and distortion rows if asked for."""

    predictions: Mapping[str, pd.DataFrame]
    distortion: pd.DataFrame | None


@dataclass(frozen=True, kw_only=True)
class _Originals:
    """Images of a batch, each once, and which of them each item is made from."""

    images: Tensor  # (U, 3, H, W) uint8
    place: Tensor  # (N,) positions in `images`


class Scorer:
    """Scores attacks on Set-C of a suite.

    Args:
        suite: Its Set-C is streamed.
        device: Where everything runs.
        batch: Anonymised images at a time, or `AUTO`; halved when memory runs out. Results do not
            depend on it beyond rounding.

    Attributes:
        trial: How attack and victims are run; by default one that fails stops the run.
        foreign: Victims that are somebody else's code: they share nothing with the others.
    """

    def __init__(self, suite: Suite, device: torch.device, batch: int = AUTO) -> None:
        self.device, self.trial = device, Trial()
        self.foreign: Collection[str] = ()
        self.images = suite.images("C")
        self.manifest = suite.manifest("C")
        self.classes = suite.card.classes
        self.suite_name = suite.card.name
        if batch < 0:
            raise ValueError(f"expected a `batch` of at least 1, or {AUTO} to choose, got {batch}")
        self.batch = batch
        if batch == AUTO and device.type == "cpu":
            self.batch = batch_for(*self.images.shape[-2:])

    @torch.no_grad()
    def score(
        self,
        source: ImageSource,
        victims: Mapping[str, Victim],
        indices: Sequence[int],
        *,
        distortions: bool = True,
        progress: Progress | None = None,
    ) -> Scored:
        """Score one shard of images.

        Args:
            source: Of the anonymised images.
            victims: On the scorer's device, in evaluation mode, by name.
            indices: Positions in Set-C.
            distortions: Measure them too.
            progress: Advanced by anonymised images.

        Raises:
            ValueError: If an attack or a victim returns a wrong shape, NaN or infinite values.
            torch.OutOfMemoryError: If a single image does not fit.
        """
        progress = progress or Silent()
        wanted = items_of(indices, self.manifest, self.classes, targeted=source.targeted)
        items = [item for item in wanted if source.has(item)]
        self._find_batch(source, victims, items)
        logits: dict[str, list[Tensor]] = defaultdict(list)
        measured: list[Distortion] = []
        for count, part, distortion in self._parts(source, victims, items, distortions):
            for name, values in part.items():
                logits[name].append(values)
            if distortion is not None:
                measured.append(distortion)
            progress.advance(count)
        forget_pages(self.images)
        base = base_rows(items, self.manifest, self.classes, self.suite_name)
        predictions = {}
        for name, victim in self.trial.left(victims).items():
            found = self.trial.victim(name, partial(_probabilities, victim, logits[name]))
            if found is not None:
                predictions[name] = prediction_rows(base, victim, found)
        figures = {name: _gathered(name, measured, len(base)) for name in FIGURES}
        return Scored(
            predictions=predictions, distortion=base.assign(**figures) if distortions else None
        )

    def _parts(
        self,
        source: ImageSource,
        victims: Mapping[str, Victim],
        items: Sequence[Item],
        distortions: bool,
    ) -> Iterator[tuple[int, dict[str, Tensor], Distortion | None]]:
        """Logits and distortions, batch by batch; a batch that does not fit is halved.

        Once a victim has failed for want of memory even so, the others get their batch back.
        """
        done, whole = 0, self.batch
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(self._read, items[: self.batch])
            while done < len(items):
                batch = items[done : done + self.batch]
                originals = ahead.result()
                following = done + len(batch)
                ahead = reader.submit(self._read, items[following : following + self.batch])
                part = None
                try:
                    part = self._run(source, victims, batch, originals, distortions)
                except Exception as error:
                    if not is_out_of_memory(error) or len(batch) == 1:
                        raise
                if part is None:  # outside of `except`, which keeps the tensors of the failed batch
                    free_cached(self.device)
                    self.batch = max(1, len(batch) // 2)
                    ahead = reader.submit(self._read, items[done : done + self.batch])
                    continue
                yield len(batch), *part
                done = following
                if self.batch < whole and self.trial.lost_to_memory():
                    self.batch = whole
                    ahead = reader.submit(self._read, items[done : done + self.batch])

    def _read(self, items: Sequence[Item]) -> _Originals:
        places: dict[int, int] = {}
        place = [places.setdefault(item.index, len(places)) for item in items]
        images = torch.from_numpy(self.images[list(places)])
        pinned = images.pin_memory() if self.device.type == "cuda" else images
        return _Originals(images=pinned, place=torch.tensor(place, dtype=torch.int64))

    def _run(
        self,
        source: ImageSource,
        victims: Mapping[str, Victim],
        items: Sequence[Item],
        read: _Originals,
        distortions: bool,
    ) -> tuple[dict[str, Tensor], Distortion | None]:
        images = read.images.to(self.device, non_blocking=True)
        place = read.place.to(self.device, non_blocking=True)
        originals = images if len(images) == len(items) else images[place]
        anonymised = self.trial.attack(partial(source.anonymise, items, originals), len(items))
        measured = measure(images, anonymised, place) if distortions else None
        return self._classify(victims, anonymised), measured

    def _classify(self, victims: Mapping[str, Victim], images: Tensor) -> dict[str, Tensor]:
        unit = to_unit(images).contiguous(memory_format=torch.channels_last)
        shared: dict[str, Tensor] = {}

        def run(name: str, victim: Victim) -> Tensor:
            digest = victim.frontend_digest
            if name in self.foreign:  # may write into what it is given, or state another's digest
                logits = victim.logits(unit.clone())
            elif digest is None:
                logits = victim.logits(unit)
            else:
                if digest not in shared:
                    shared[digest] = victim.frontend(unit)
                logits = victim.backbone(shared[digest])
            return victim.shaped_logits(logits, len(images))

        out = {}
        for name, victim in victims.items():
            logits = self.trial.victim(name, partial(run, name, victim), len(images))
            if logits is not None:
                out[name] = logits
        return out

    def _find_batch(
        self, source: ImageSource, victims: Mapping[str, Victim], items: Sequence[Item]
    ) -> None:
        """Measure which batch suits the device, once, on the first items there are."""
        if self.batch != AUTO or not items:
            return

        def run(size: int) -> None:
            repeated = [items[i % len(items)] for i in range(size)]
            logits, _ = self._run(source, victims, repeated, self._read(repeated), True)
            for values in logits.values():
                float(values.sum())  # waits for the device

        self.batch = find_batch(run, self.device)


def _probabilities(victim: Victim, logits: Sequence[Tensor]) -> NDArray[np.float32]:
    if not logits:  # none of the shard's images is there
        return np.empty((0, len(victim.classes)), np.float32)
    values = torch.cat(list(logits)).float().cpu()
    return victim.checked_logits(values, len(values)).softmax(1).numpy()


def _gathered(name: str, parts: Sequence[Distortion], count: int) -> NDArray[np.float64]:
    if not parts:  # not asked for, or none of the shard's images is there
        return np.full(count, np.nan)
    return torch.cat([getattr(part, name) for part in parts]).double().numpy()
