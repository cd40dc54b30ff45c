"""The images of a challenge for makers of victims: those that the store keeps, the others anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from bench.contract import ATTACKS
from bench.jobs.items import ImageSource, Item, asked_of, batches_of, mixed, source_of
from bench.jobs.kept import KeptImages, kept_files
from bench.jobs.networks import Networks
from bench.jobs.rows import row_shards
from bench.runner.cells import row_key
from bench.runner.challenge.ids import Asked
from bench.store import Store
from bench.suites.base import Suite


@torch.no_grad()
def anonymised(
    suite: Suite, store: Store, networks: Networks, name: str, wanted: Mapping[str, Asked]
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Images of one attack by id, (3, H, W); those that `run --keep-images` has kept are read.

    Raises:
        CamobenchError: If kept images are damaged, or the attack is not trained.
    """
    manifest, classes, images = suite.manifest("C"), suite.card.classes, suite.images("C")
    targeted = ATTACKS.get(name).spec.targeted
    place = {image: index for index, image in enumerate(manifest["image_id"])}
    ids = {
        Item(
            index=place[asked.image_id],
            target=None if asked.target is None else classes.index(asked.target),
        ): opaque
        for opaque, asked in wanted.items()
    }

    @cache
    def attack() -> ImageSource:
        return source_of(networks.attack(name))

    parts = row_shards(mixed(manifest))
    files = kept_files(store, row_key(networks, name), len(parts))
    for indices, path in zip(parts, files, strict=True):
        asked_for = asked_of(indices, len(classes), targeted=targeted)
        mine = [item for item in asked_for if item in ids]
        if not mine:
            continue
        kept = KeptImages(path, targeted=targeted) if path.is_file() else None
        source = kept if kept is not None and all(map(kept.has, mine)) else attack()
        for batch in batches_of([item for item in asked_for if source.has(item)]):
            originals = torch.from_numpy(images[[item.index for item in batch]])
            made = source.anonymise(batch, originals.to(networks.device)).cpu().numpy()
            yield from ((ids[i], m) for i, m in zip(batch, made, strict=True) if i in ids)
