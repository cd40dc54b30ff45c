"""Anonymised images kept in the store, so that a new victim never runs a generator.

One Parquet file a shard of Set-C. An image is kept as its difference to the original, modulo 256,
which compresses well and loses nothing; the file carries the SHA-256 of all its differences and of
what they belong to, and the provenance of the run that made them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.jobs.scoring.items import ImageSource, Item
from bench.store import Store, damaged, replacing
from bench.types import Json

CHECKSUM, MADE_BY = b"sha256", b"made_by"
UNTARGETED = -1


class KeptImages:
    """Images of one shard, read back from a file that `Recorder.write` wrote.

    Raises:
        CamobenchError: If the file is damaged; names it and the remedy.
    """

    def __init__(self, path: Path, *, targeted: bool) -> None:
        self.targeted = targeted
        try:
            table = pq.read_table(path)
            values = table["difference"].to_pylist()
        except (pa.ArrowException, OSError, KeyError) as error:
            raise damaged(path, "no images can be read") from error
        metadata = table.schema.metadata or {}
        names = list(zip(table["index"].to_pylist(), table["target"].to_pylist(), strict=True))
        if metadata.get(CHECKSUM) != _checksum(names, values):
            raise damaged(path, "its checksum is another")
        self.made_by: dict[str, Json] = json.loads(metadata.get(MADE_BY, b"{}"))
        self._differences = dict(zip(names, values, strict=True))

    def has(self, item: Item) -> bool:
        """Whether this image is kept."""
        return _name(item) in self._differences

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """Add the kept differences to the originals."""
        kept = b"".join(self._differences[_name(item)] for item in items)
        difference = torch.frombuffer(bytearray(kept), dtype=torch.uint8).view(originals.shape)
        return originals + difference.to(originals.device)  # uint8 wraps around, as it was taken


class Recorder:
    """Passes on the images of another source and remembers them."""

    def __init__(self, source: ImageSource) -> None:
        self.source, self.targeted = source, source.targeted
        self._differences: dict[tuple[int, int], NDArray[np.uint8]] = {}

    def has(self, item: Item) -> bool:
        """As the other source says."""
        return self.source.has(item)

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """The other source's images; of what it is asked for again, the first are kept."""
        anonymised = self.source.anonymise(items, originals)
        differences = (anonymised - originals).cpu().contiguous().numpy()
        for item, difference in zip(items, differences, strict=True):
            self._differences.setdefault(_name(item), difference)
        return anonymised

    def write(self, path: Path, made_by: Mapping[str, Json]) -> None:
        """Write all images into one Parquet file, in one step, and forget them."""
        names = sorted(self._differences)
        values = [self._differences[name].tobytes() for name in names]
        table = pa.table(
            {
                "index": pa.array([index for index, _ in names], pa.int32()),
                "target": pa.array([target for _, target in names], pa.int32()),
                "difference": pa.array(values, pa.large_binary()),
            }
        )
        metadata = {CHECKSUM: _checksum(names, values), MADE_BY: json.dumps(made_by).encode()}
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as target:
            pq.write_table(
                table.replace_schema_metadata(metadata),
                target,
                compression="zstd",
                use_dictionary=False,
            )
        self._differences = {}


def kept_file(store: Store, key: str, shard: int) -> Path:
    """Where the images of one shard of a row with this key are kept."""
    return store.image_folder(key) / f"{shard:05d}.parquet"


def _checksum(names: Sequence[tuple[int, int]], differences: Sequence[bytes]) -> bytes:
    whole = hashlib.sha256(json.dumps(names).encode())
    for difference in differences:
        whole.update(difference)
    return whole.hexdigest().encode()


def _name(item: Item) -> tuple[int, int]:
    return item.index, UNTARGETED if item.target is None else item.target
