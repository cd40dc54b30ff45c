"""The images of a challenge for makers of victims: those that the store keeps, the others anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from bench.contract import ATTACKS
from bench.runner.cells import SHARD_IMAGES, row_key
from bench.runner.challenge.ids import Asked
from bench.runner.items import ImageSource, Item, shards, source_of
from bench.runner.kept import KeptImages, kept_files
from bench.runner.networks import Networks
from bench.store import Store
from bench.suites.base import Suite

BATCH = 32


@torch.no_grad()
def anonymised(
    suite: Suite, store: Store, networks: Networks, name: str, wanted: Mapping[str, Asked]
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Images of one attack by id, (3, H, W), in the order of the suite.

    `run --keep-images` keeps what the protocol scores; t = s is not among it.

    Raises:
        CamobenchError: If kept images are damaged, or the attack is not trained.
    """
    classes, images = suite.card.classes, suite.images("C")
    targeted = ATTACKS.get(name).spec.targeted
    place = {image: index for index, image in enumerate(suite.manifest("C")["image_id"])}
    by_shard: dict[int, list[tuple[str, Item]]] = defaultdict(list)
    for opaque, asked in wanted.items():
        target = None if asked.target is None else classes.index(asked.target)
        index = place[asked.image_id]
        by_shard[index // SHARD_IMAGES].append((opaque, Item(index=index, target=target)))

    @cache
    def attack() -> ImageSource:
        return source_of(networks.attack(name))

    count = len(shards(len(images), SHARD_IMAGES))
    for number, path in enumerate(kept_files(store, row_key(networks, name), count)):
        mine = sorted(by_shard[number], key=lambda pair: pair[1].index)
        kept = KeptImages(path, targeted=targeted) if mine and path.is_file() else None
        there = [pair for pair in mine if kept is not None and kept.has(pair[1])]
        rest = [pair for pair in mine if kept is None or not kept.has(pair[1])]
        for pairs in (there, rest):
            for start in range(0, len(pairs), BATCH):
                batch = pairs[start : start + BATCH]
                originals = torch.from_numpy(images[[item.index for _, item in batch]])
                source = kept if kept is not None and pairs is there else attack()
                made = source.anonymise([item for _, item in batch], originals.to(networks.device))
                yield from zip((one for one, _ in batch), made.cpu().numpy(), strict=True)
