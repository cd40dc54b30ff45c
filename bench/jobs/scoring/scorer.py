"""The streaming scorer: anonymise once, round to 8 bits, share front-ends, score every victim.

One attack at a time, which is asked for more than is scored (see `items`). Set-C goes by in shards
of photographs, each written as soon as it is done, so memory does not grow with images x targets
and a killed run continues with the next shard. How many images go through the networks at a time
changes no result beyond rounding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.checks import to_unit
from bench.contract import Victim
from bench.jobs.outcome import Trial, is_out_of_memory
from bench.jobs.scoring.condition import PLAIN, Condition
from bench.jobs.scoring.items import AUTO, ImageSource, Item, asked_of, batch_for, items_of, mixed
from bench.jobs.scoring.lookout import Lookout
from bench.jobs.scoring.rows import base_rows, prediction_rows
from bench.metrics.distortion import measure
from bench.records.metric import image_metrics
from bench.suites.base import Suite
from bench.suites.set_files import forget_pages

_Part: TypeAlias = "tuple[dict[str, Tensor], dict[str, Tensor] | None]"
"""Logits by victim, and distortions if they are asked for, of a batch."""
_Run: TypeAlias = "Callable[[Sequence[Item]], _Part]"
"""Reads, anonymises and classifies items."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What one shard gives: prediction rows by victim, and distortion rows if asked for."""

    predictions: Mapping[str, pd.DataFrame]
    distortion: pd.DataFrame | None


class Scorer:
    """Scores attacks on Set-C of a suite.

    Args:
        batch: Anonymised images at a time, or `AUTO`; halved for a shard when memory runs out.

    Attributes:
        batch: What the last shard was scored in, at least.
        trial: How attack and victims are run; by default one that fails stops the run.
        foreign: Victims that are somebody else's code: they share nothing with the others.
        lookout: Is shown images and logits, where there is one.
    """

    def __init__(self, suite: Suite, device: torch.device, batch: int = AUTO) -> None:
        self.device, self.trial = device, Trial()
        self.foreign: Collection[str] = ()
        self.lookout: Lookout | None = None
        self.images = suite.images("C")
        self.manifest = suite.manifest("C")
        self.classes = suite.card.classes
        self.suite_name = suite.card.name
        if batch < 0:
            raise ValueError(f"expected a `batch` of at least 1, or {AUTO} to choose, got {batch}")
        suited = batch_for(*self.images.shape[-2:], processor=device.type == "cpu")
        self.batch = self.wanted = suited if batch == AUTO else batch

    @cached_property
    def order(self) -> list[int]:
        """All places in Set-C, in the order in which attacks are asked for them."""
        return mixed(self.manifest)

    @torch.no_grad()
    def score(
        self,
        source: ImageSource,
        victims: Mapping[str, Victim],
        indices: Sequence[int],
        *,
        condition: Condition = PLAIN,
        distortions: bool = True,
    ) -> Scored:
        """Score one shard of images.

        Args:
            source: Of the anonymised images.
            victims: On the scorer's device, in evaluation mode, by name.
            indices: Positions in Set-C, of `order`; rows come in theirs.
            condition: What happens to the images before they are scored.
            distortions: Measure them too.

        Raises:
            ValueError: If an attack or a victim returns a wrong shape, NaN or infinite values.
            torch.OutOfMemoryError: If a single image does not fit.
        """
        targeted = source.targeted
        wanted = items_of(indices, self.manifest, self.classes, targeted=targeted)
        asked = asked_of(indices, len(self.classes), targeted=targeted)
        asked = [item for item in asked if source.has(item)]
        scored = set(wanted)
        run = partial(self._run, source, condition, victims, scored, distortions)
        logits: dict[str, list[Tensor]] = defaultdict(list)
        measured: list[dict[str, Tensor]] = []
        for part, distortion in self._parts(run, asked):
            for name, values in part.items():
                logits[name].append(values)
            if distortion is not None:
                measured.append(distortion)
        forget_pages(self.images)
        if self.lookout is not None:
            self.lookout.end(logits)
        found = {item: at for at, item in enumerate(item for item in asked if item in scored)}
        items = [item for item in wanted if item in found]
        order = torch.tensor([found[item] for item in items], dtype=torch.int64)
        base = base_rows(items, self.manifest, self.classes, self.suite_name)
        predictions = {}
        for name, victim in victims.items():
            shares = self.trial.victim(name, partial(_probabilities, victim, logits[name], order))
            if shares is not None:
                predictions[name] = prediction_rows(base, victim, shares)
        figures = {m.name: _gathered(m.name, measured, order) for m in image_metrics()}
        return Scored(
            predictions=predictions, distortion=base.assign(**figures) if distortions else None
        )

    def _parts(self, run: _Run, items: Sequence[Item]) -> Iterator[_Part]:
        """Logits and distortions, batch by batch; a batch that does not fit is halved.

        Once a victim has failed for want of memory even so, the others get their batch back.
        """
        failed = len(self.trial.failed)
        done, most = 0, len({item.index for item in items})
        self.batch = self.wanted
        while done < len(items):
            batch = items[done : done + min(self.batch, most)]
            part = None
            try:
                part = run(batch)
            except Exception as error:
                if not is_out_of_memory(error) or len(batch) == 1:
                    raise
            if part is None:  # outside of `except`, which keeps the tensors of the failed batch
                torch.cuda.empty_cache()  # nothing, where there is no CUDA
                self.batch = max(1, len(batch) // 2)
                continue
            yield part
            done += len(batch)
            if len(self.trial.failed) > failed:
                failed, self.batch = len(self.trial.failed), self.wanted

    def _run(
        self,
        source: ImageSource,
        condition: Condition,
        victims: Mapping[str, Victim],
        scored: Collection[Item],
        distortions: bool,
        items: Sequence[Item],
    ) -> _Part:
        read = torch.from_numpy(self.images[[item.index for item in items]])
        originals = read.to(self.device)

        def made(start: int) -> Tensor:
            some = originals[start:]
            return condition.of(some, source.anonymise(items[start:], some))

        anonymised = self.trial.attack(partial(made, 0), len(items))
        if self.lookout is not None:
            alone = partial(self.trial.attack, partial(made, len(items) - 1))
            self.lookout.see_images(originals, anonymised, alone)
        kept = [at for at, item in enumerate(items) if item in scored]
        if not kept:
            return {}, None
        if len(kept) < len(items):
            originals, anonymised = originals[kept], anonymised[kept]
        measured = measure(originals, anonymised) if distortions else None
        return self._classify(victims, anonymised), measured

    def _classify(self, victims: Mapping[str, Victim], images: Tensor) -> dict[str, Tensor]:
        unit = to_unit(images)
        shared: dict[str, Tensor] = {}

        def run(name: str, victim: Victim) -> Tensor:
            digest = victim.frontend_digest
            if name in self.foreign or digest is None:  # may state another's digest
                return victim.checked_logits(unit, shape_alone=True)
            if digest not in shared:
                shared[digest] = victim.frontend(unit)
            logits = victim.backbone(shared[digest])
            return victim.require_logits(logits, len(images), shape_alone=True)

        out = {}
        for name, victim in victims.items():
            logits = self.trial.victim(name, partial(run, name, victim), len(images))
            if logits is not None:
                out[name] = logits
                if self.lookout is not None:
                    alone = partial(victim.checked_logits, unit[-1:], shape_alone=True)
                    self.lookout.see_logits(name, logits, partial(self.trial.victim, name, alone))
        return out


def _probabilities(victim: Victim, logits: Sequence[Tensor], order: Tensor) -> NDArray[np.float32]:
    if not logits:  # none of the shard's images is there
        return np.empty((0, len(victim.classes)), np.float32)
    values = torch.cat(list(logits)).float().cpu()[order]
    return victim.require_logits(values, len(values)).softmax(1).numpy()


def _gathered(name: str, parts: Sequence[dict[str, Tensor]], order: Tensor) -> NDArray[np.float64]:
    if not parts:  # not asked for, or none of the shard's images is there
        return np.full(len(order), np.nan)
    return torch.cat([part[name] for part in parts])[order].double().numpy()
