"""The streaming scorer: anonymise once, round to 8 bits, share front-ends, score every victim.

One attack at a time; Set-C goes by in shards of photographs, each written as soon as it is done, so
memory does not grow with images x targets and a killed run continues with the next shard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from bench.checks import to_unit
from bench.contract import Attack, Victim
from bench.metrics.distortion import measure
from bench.metrics.lpips import Lpips
from bench.suites.base import Suite
from bench.types import IN


@dataclass(frozen=True, kw_only=True)
class Item:
    """One image of Set-C with one target; `target` is `None` for an untargeted attack."""

    index: int
    target: int | None


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What one shard gives: prediction rows by victim, and distortion rows."""

    predictions: Mapping[str, pd.DataFrame]
    distortion: pd.DataFrame


def shards(count: int, size: int) -> list[range]:
    """Cut `count` images into ranges of at most `size`."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def items_of(
    indices: Sequence[int], manifest: pd.DataFrame, classes: Sequence[str], *, targeted: bool
) -> list[Item]:
    """Which targets each image is sent to.

    In distribution every t other than s; out of distribution every t; untargeted attacks run once.
    """
    if not targeted:
        return [Item(index=i, target=None) for i in indices]
    models = manifest["model"].to_numpy()
    return [
        Item(index=i, target=t)
        for i in indices
        for t, name in enumerate(classes)
        if name != models[i]
    ]


class Scorer:
    """Scores attacks on Set-C of a suite.

    Args:
        suite: Its Set-C is streamed.
        device: Where everything runs.
        batch: Anonymised images at a time; results do not depend on it beyond rounding.
        lpips: The metric, where it can be had.
    """

    def __init__(self, suite: Suite, device: torch.device, batch: int, lpips: Lpips | None) -> None:
        self.device, self.batch, self.lpips = device, batch, lpips
        self.images = suite.images("C")
        self.manifest = suite.manifest("C")
        self.classes = suite.card.classes
        self.suite_name = suite.card.name

    @torch.no_grad()
    def score(
        self, attack: Attack, victims: Mapping[str, Victim], indices: Sequence[int]
    ) -> Scored:
        """Score one shard of images.

        Args:
            attack: On the scorer's device, in evaluation mode.
            victims: Likewise, by name.
            indices: Positions in Set-C.

        Raises:
            ValueError: If an attack or a victim returns a wrong shape, NaN or infinite values.
        """
        items = items_of(indices, self.manifest, self.classes, targeted=attack.spec.targeted)
        probabilities: dict[str, list[np.ndarray]] = defaultdict(list)
        distortions: list[dict[str, np.ndarray]] = []
        for batch in _batches(items, self.batch):
            chosen = torch.from_numpy(self.images[[item.index for item in batch]])
            originals = chosen.to(self.device)
            targets = None
            if attack.spec.targeted:
                targets = torch.tensor([item.target for item in batch], device=self.device)
            anonymised = attack(originals, targets)
            for name, values in self._classify(victims, anonymised).items():
                probabilities[name].append(values)
            measured = measure(originals, anonymised, self.lpips)
            distortions.append(
                {
                    "lpips": np.full(len(batch), np.nan)
                    if measured.lpips is None
                    else measured.lpips.numpy(),
                    "psnr_db": measured.psnr_db.numpy(),
                    "ssim": measured.ssim.double().numpy(),
                }
            )
        base = self._base(items)
        return Scored(
            predictions={
                name: self._prediction_rows(base, items, victims[name], np.concatenate(parts))
                for name, parts in probabilities.items()
            },
            distortion=base.assign(
                **{
                    figure: np.concatenate([part[figure] for part in distortions])
                    for figure in ("lpips", "psnr_db", "ssim")
                }
            ),
        )

    def _classify(self, victims: Mapping[str, Victim], images: Tensor) -> dict[str, np.ndarray]:
        unit = to_unit(images).contiguous(memory_format=torch.channels_last)
        shared: dict[str, Tensor] = {}
        out = {}
        for name, victim in victims.items():
            digest = victim.frontend_digest
            if digest is None:
                logits = victim.logits(unit)
            else:
                if digest not in shared:
                    shared[digest] = victim.frontend(unit)
                logits = victim.backbone(shared[digest])
            checked = victim.checked_logits(logits, len(images))
            out[name] = checked.float().softmax(1).cpu().numpy()
        return out

    def _base(self, items: Sequence[Item]) -> pd.DataFrame:
        rows = self.manifest.iloc[[item.index for item in items]]
        return pd.DataFrame(
            {
                "suite": self.suite_name,
                "split": rows["split"].to_numpy(),
                "image_id": rows["image_id"].to_numpy(),
                "photo_id": rows["photo_id"].to_numpy(),
                "device": rows["device"].to_numpy(),
                "source": rows["model"].to_numpy(),
                "target": pd.array(
                    [None if i.target is None else self.classes[i.target] for i in items],
                    dtype="string",
                ),
            }
        )

    def _prediction_rows(
        self, base: pd.DataFrame, items: Sequence[Item], victim: Victim, values: np.ndarray
    ) -> pd.DataFrame:
        column = {name: i for i, name in enumerate(victim.classes)}
        row = np.arange(len(values))
        best = values.argmax(1)

        def probability(labels: Any) -> np.ndarray:
            found = np.array([column.get(label, -1) for label in labels])
            return np.where(found >= 0, values[row, found], np.nan)

        return base.assign(
            victim=victim.spec.name,
            predicted=np.array(victim.classes, dtype=object)[best],
            p_source=np.where(base["split"] == IN, probability(base["source"]), np.nan),
            p_target=probability(
                [None if i.target is None else self.classes[i.target] for i in items]
            ),
            p_predicted=values[row, best],
        )


def _batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
