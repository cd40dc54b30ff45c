"""From logits and distortions to rows, and where they lie: one Parquet file a shard and victim.

`predictions/ROW/STEM/00000.parquet`: ROW is the key of all behind an attack's images, STEM that of
a victim (or "distortion"), the number a shard of Set-C. A file is final when it is there, carries
who made it in its metadata, and its SHA-256 beside it; the rows of a cell are the files of its
folder, put together by nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.contract import Victim
from bench.jobs.scoring.items import Item
from bench.records.frames import images_told
from bench.store import explaining_damage, replacing
from bench.store.checksums import keep_checksum, require_as_written
from bench.types import IN

SHARD_IMAGES = 32
"""Photographs that are scored and written together; no batch has more."""
DISTORTION = "distortion"
RECORD = b"camobench"
"""Under it a file's metadata say who made it, when, and in how long."""


@dataclass(frozen=True)
class RowFolder:
    """The files of one attack's row.

    Attributes:
        path: `Store.prediction_folder` of its key.
    """

    path: Path

    def file(self, stem: str, shard: int) -> Path:
        """The rows of one victim, or the distortions, on one shard."""
        return self.path / stem / f"{shard:05d}.parquet"

    def has(self, stem: str, shards: Iterable[int]) -> bool:
        """Whether they are there, on all of these shards."""
        return all(self.file(stem, shard).is_file() for shard in shards)

    def files(self, stem: str) -> list[Path]:
        """All that are there."""
        return sorted((self.path / stem).glob("*.parquet"))


def row_shards(order: Sequence[int]) -> list[Sequence[int]]:
    """Cut places in Set-C, mixed, into those that are scored and written together."""
    return [order[at : at + SHARD_IMAGES] for at in range(0, len(order), SHARD_IMAGES)]


def write_rows(path: Path, rows: pd.DataFrame, record: Mapping[str, Any]) -> None:
    """Write one Parquet file in one step, with who made it, and its checksum."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    told = {**(table.schema.metadata or {}), RECORD: json.dumps(record).encode()}
    with replacing(path) as target:
        pq.write_table(table.replace_schema_metadata(told), target)
        keep_checksum(path, target)


def read_rows(paths: Sequence[Path]) -> pd.DataFrame:
    """Read the rows of some files.

    Raises:
        CamobenchError: If one is damaged; names it and the remedy.
    """
    tables = []
    for path in paths:
        require_as_written(path)
        with explaining_damage(path):
            tables.append(pq.ParquetFile(path).read())
    filled = [table for table in tables if len(table)]  # images made elsewhere may be few
    kept = filled or tables[:1]
    return (
        pa.concat_tables(kept, promote_options="permissive").to_pandas() if kept else pd.DataFrame()
    )


def read_record(path: Path) -> dict[str, Any]:
    """Who made the rows of a file, when, and in how long.

    Raises:
        CamobenchError: If it is damaged; names it and the remedy.
    """
    with explaining_damage(path):
        found: dict[str, Any] = json.loads((pq.read_schema(path).metadata or {}).get(RECORD, b""))
    return found


def base_rows(
    items: Sequence[Item], manifest: pd.DataFrame, classes: Sequence[str], suite: str
) -> pd.DataFrame:
    """What both tables say of each item: where the image comes from and where it is sent."""
    rows = images_told(manifest.iloc[[item.index for item in items]]).reset_index(drop=True)
    targets = [None if item.target is None else classes[item.target] for item in items]
    return rows.assign(suite=suite, target=pd.array(targets, dtype="string"))


def prediction_rows(
    base: pd.DataFrame, victim: Victim, probabilities: NDArray[np.floating[Any]]
) -> pd.DataFrame:
    """Rows of one victim, given `base_rows` and (N, C) probabilities of its own classes."""
    column = {name: i for i, name in enumerate(victim.classes)}
    row = np.arange(len(probabilities))
    best = probabilities.argmax(1)

    def probability(labels: pd.Series[Any]) -> NDArray[np.floating[Any]]:
        places = [-1 if pd.isna(label) else column.get(label, -1) for label in labels]
        found = np.array(places, dtype=np.intp)
        return np.where(found >= 0, probabilities[row, found], np.nan)

    return base.assign(
        victim=victim.spec.name,
        predicted=np.array(victim.classes, dtype=object)[best],
        p_source=np.where(base["split"] == IN, probability(base["source"]), np.nan),
        p_target=probability(base["target"]),
        p_predicted=probabilities[row, best],
    )
