"""Measures what is read of an attack's images: one Parquet file, in the attack's row folder.

For detectors, of Set-B as many images as they are trained on, each sent to one other camera, and of
Set-C the rows that are scored. For device linkage, of Set-C the rows of devices that have a
fingerprint. Treated or not, every image goes the same way to the same last save.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from bench.contract import ATTACKS
from bench.detect import features_of
from bench.jobs.fingerprints import Fingerprints
from bench.jobs.job import FeatureJob
from bench.jobs.opened_files import note_opened
from bench.jobs.outcome import Trial
from bench.jobs.scoring.condition import Condition
from bench.jobs.scoring.items import (
    GivenImages,
    ImageSource,
    Item,
    asked_of,
    batches_of,
    items_of,
    mixed,
)
from bench.jobs.scoring.rows import RowFolder, base_rows, write_rows
from bench.jobs.scoring.score import KEY_DIGITS
from bench.jobs.workplace import Workplace
from bench.store import Store
from bench.suites.base import Suite
from bench.types import SetName

FEATURES = "features"
PCE = "pce"
TRAINED = 240
"""Images of Set-B; twice as many gain 0.01 of AUC on simulated cameras, and cost as much again."""
LOT = 2
"""Seed of the targets in Set-B."""
TESTED = 600
"""Images of Set-C at most, by chance; each with all targets that are scored."""


def feature_file(store: Store, key: str) -> Path:
    """Where the features with this key are."""
    return RowFolder(store.prediction_folder(key)).file(FEATURES, 0)


def measure_features(job: FeatureJob, place: Workplace) -> None:
    """Write the features of one attack, unless they are there.

    Raises:
        ParticipantError: If the attack fails.
    """
    path = feature_file(place.store, job.key)
    with place.store.lock("predictions", f"{path.parents[1].name}-{path.stem}"):
        if path.is_file():
            return
        began, trial = time.monotonic(), Trial(strict=False)
        source = trial.attack(partial(place.attack, job.attack)) if job.attack else _Untouched()
        known = Fingerprints(place.store, job.fingerprints) if job.fingerprints else None
        sets: tuple[SetName, ...] = ("C",) if known else ("B", "C")
        parts = [_measured(job, place, source, trial, known, name) for name in sets]
        if job.attack:
            note_opened(place.store, place.site.keys.attacks[job.attack], ATTACKS.get(job.attack))
        took = time.monotonic() - began
        record = {"by": place.provenance, "at": time.time(), "seconds": took, "suspicions": []}
        write_rows(path, pd.concat(parts, ignore_index=True), record)


class _Untouched(ImageSource):
    """Images as they are, by the way that anonymised ones go."""

    targeted = False

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        return originals


@torch.no_grad()
def _measured(
    job: FeatureJob,
    place: Workplace,
    source: ImageSource,
    trial: Trial,
    known: Fingerprints | None,
    set_name: SetName,
) -> pd.DataFrame:
    suite, save = place.suite, Condition(quality_percent=job.quality_percent)
    asked, wanted = _items(suite, source, set_name, known.devices if known else None)
    names = suite.manifest(set_name)["image_id"].to_numpy()
    items, frames = [], []
    for batch in batches_of(asked):
        images = torch.from_numpy(suite.images(set_name)[[item.index for item in batch]])
        originals = images.to(place.device)
        treated = trial.attack(partial(source.anonymise, batch, originals))
        kept = [at for at, item in enumerate(batch) if item in wanted]
        if kept:
            images = save.of(originals[kept], treated[kept])
            shown = [names[batch[at].index] for at in kept]
            found = {PCE: known.pce(images, shown)} if known else features_of(images)
            frames.append(pd.DataFrame({name: list(one.numpy()) for name, one in found.items()}))
            items += [batch[at] for at in kept]
    card = suite.card
    base = base_rows(items, suite.manifest(set_name), card.classes, card.name).assign(set=set_name)
    key = place.site.keys.attacks[job.attack][:KEY_DIGITS] if job.attack else None
    base = base.assign(attack=job.attack or None, attack_key=key)
    return base.join(pd.concat(frames, ignore_index=True)) if frames else base


def _items(
    suite: Suite, source: ImageSource, set_name: SetName, devices: Sequence[str] | None
) -> tuple[list[Item], frozenset[Item]]:
    """What is asked of an attack, and what of it counts; of some devices, where these are given."""
    manifest, classes = suite.manifest(set_name), suite.card.classes
    some = None if devices is None else np.flatnonzero(manifest["device"].isin(devices))
    chosen = mixed(manifest, some)[: TRAINED if set_name == "B" else TESTED]
    items = items_of(chosen, manifest, classes, targeted=source.targeted)
    if set_name == "B":
        if isinstance(source, GivenImages):  # nobody sent any
            return [], frozenset()
        items = list(_one_each(items))
        return items, frozenset(items)
    asked = asked_of(chosen, len(classes), targeted=source.targeted)
    return [item for item in asked if source.has(item)], frozenset(items)


def _one_each(items: Sequence[Item]) -> Iterator[Item]:
    """One target of each image by lot, the same for every attack."""
    lot = np.random.default_rng(LOT)
    for _, mine in groupby(items, key=lambda item: item.index):
        targets = list(mine)
        yield targets[int(lot.integers(len(targets)))]
