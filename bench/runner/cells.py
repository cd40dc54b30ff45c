"""Where the cells (attack, victim) of a row are kept in the store, and what is there of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from bench.checksums import (
    checksum_file,
    is_as_written,
    is_record,
    keep_checksum,
    read_record,
    require_as_written,
    write_record,
)
from bench.metrics import SCORER_VERSION
from bench.metrics.distortion import measured_by
from bench.metrics.lpips import RECORD as LPIPS
from bench.records.participants import Suspected
from bench.runner.failures import Failure
from bench.runner.graph import Graph
from bench.runner.items import ORDER_VERSION
from bench.runner.networks import Networks
from bench.runner.precision import cell_digest
from bench.runner.recompress import recompression
from bench.store import digest, explaining_damage, replacing
from bench.types import Json

IMAGE_PRECISION = "fp32"
"""Attacks always run in fp32; the precision of a victim is part of its own cells' key."""
SHARD_IMAGES = 32
"""Photographs that are scored and written together; no batch has more."""
KEY_DIGITS = 16
STEM_DIGITS = 24
DISTORTION = "distortion"


@dataclass(frozen=True, kw_only=True)
class Cells:
    """All rows of one attack.

    Attributes:
        attack: Its name.
        folder: Where its rows are kept; the store's root where the attack failed before it had any.
        victims: File stem of each victim's rows, by name; those that failed have none.
        measured: Whether the distortion rows are there.
        seconds: Time that scoring took, over all runs that filled it.
        scored_by: Provenance of every run that filled it, the last one first.
        failed: What went wrong in the other cells, by victim.
        unmeasured: What went wrong where no cell of a victim hangs on it, by what is missing:
            "distortion", "kept images".
        suspicions: What its images, or a victim's first logits, looked like.
    """

    attack: str
    folder: Path
    victims: Mapping[str, str]
    measured: bool
    seconds: float
    scored_by: tuple[dict[str, Json], ...]
    failed: Mapping[str, Failure] = field(default_factory=dict)
    unmeasured: Mapping[str, Failure] = field(default_factory=dict)
    suspicions: tuple[Suspected, ...] = ()

    def predictions(self) -> pd.DataFrame:
        """Rows of all victims."""
        frames = [self._read(stem) for stem in self.victims.values()]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def distortion(self) -> pd.DataFrame:
        """One row an image and target."""
        return self._read(DISTORTION) if self.measured else pd.DataFrame()

    def _read(self, stem: str) -> pd.DataFrame:
        return read_rows(rows_file(self.folder, stem))


@dataclass(frozen=True)
class RowFolder:
    """The files of one attack's row: a Parquet file a cell, one of distortions, and `row.json`.

    Attributes:
        path: `Store.prediction_folder` of its `row_key`.
    """

    path: Path

    def file(self, stem: str) -> Path:
        """The rows of one cell, or the distortions."""
        return rows_file(self.path, stem)

    def has(self, stem: str) -> bool:
        """Whether they are there; a victim's file says that its cell is done."""
        return self.file(stem).is_file()

    def keep(self, stem: str, rows: pd.DataFrame, keys: Mapping[str, str]) -> None:
        """Write rows in one step, with these columns added."""
        write_rows(self.file(stem), rows.assign(**keys))

    @property
    def aside(self) -> Path:
        """Where damaged files are set aside."""
        return self.path / "damaged"

    def set_damaged_aside(self) -> list[str]:
        """Move away what is damaged, so that it is scored again; the caller holds the row's lock.

        Rows of which nobody knows any more who scored them go as well. Nothing is deleted.

        Returns:
            The files' stems.
        """
        known = self._row.is_file() and is_record(self._row)
        gone = [path for path in self.path.glob("*.parquet") if not (known and is_as_written(path))]
        if known and gone:
            self._forget({path.stem for path in gone})
        moved = [*gone, *map(checksum_file, gone), *([] if known else [self._row])]
        for path in (path for path in moved if path.is_file()):
            self.aside.mkdir(exist_ok=True)
            path.replace(self.aside / path.name)
        return sorted(path.stem for path in gone)

    def _forget(self, stems: Collection[str]) -> None:
        """Take note that nobody filled these any more."""

        def left(one: dict[str, Any]) -> dict[str, Any]:
            cells = one.get("cells")  # old records do not say
            return one if cells is None else {**one, "cells": [c for c in cells if c not in stems]}

        record = read_record(self._row, self.path)
        fills = {fill: list(map(left, noted)) for fill, noted in record["fills"].items()}
        record["fills"] = {
            fill: [one for one in noted if one.get("cells", True)] for fill, noted in fills.items()
        }
        write_record(self._row, record)

    def note_fill(self, attack: str, fill: str, shards: Sequence[Mapping[str, Any]]) -> None:
        """Take note of who filled which cells, and in how long.

        Args:
            attack: By name.
            fill: What the fill goes by; one of before with this name is replaced.
            shards: Who, when, which cells and how long, of each of its shards.
        """
        record = {"attack": attack, "fills": {**self._fills(), fill: shards}}
        write_record(self._row, record)

    def shards(self, stems: Collection[str]) -> list[dict[str, Any]]:
        """What is noted of every shard that filled one of these, the last one first."""
        noted = (shard for fill in self._fills().values() for shard in fill)
        return sorted(
            (shard for shard in noted if _concerns(shard, stems)),
            key=lambda shard: (shard["by"]["created"], shard.get("at", 0)),
            reverse=True,
        )

    @property
    def _row(self) -> Path:
        return self.path / "row.json"

    def _fills(self) -> dict[str, Any]:
        if not self._row.is_file():
            return {}
        fills: dict[str, Any] = read_record(self._row, self.path)["fills"]
        return fills


def row_shards(order: Sequence[int]) -> list[Sequence[int]]:
    """Cut places in Set-C, mixed, into those that are scored and written together."""
    return [order[at : at + SHARD_IMAGES] for at in range(0, len(order), SHARD_IMAGES)]


def rows_file(folder: Path, stem: str) -> Path:
    """The rows of one cell, or distortions, in the folder of a row or of one of its shards."""
    return folder / f"{stem}.parquet"


def _concerns(shard: Mapping[str, Any], stems: Collection[str]) -> bool:
    """Whether it filled one of these files; old records do not say."""
    cells = shard.get("cells")
    return cells is None or not set(cells).isdisjoint(stems)


def write_rows(path: Path, rows: pd.DataFrame) -> None:
    """Write one Parquet file of the store in one step, and its checksum."""
    with replacing(path) as target:
        rows.to_parquet(target, index=False)
        keep_checksum(path, target)


def read_rows(path: Path) -> pd.DataFrame:
    """Read one Parquet file of the store.

    Raises:
        CamobenchError: If it is damaged; names it and the remedy.
    """
    require_as_written(path)
    with explaining_damage(path):
        return pd.read_parquet(path)


def row_key(networks: Networks, attack: str, quality_percent: int | None = None) -> str:
    """Digest of everything behind an attack's rows but the victims.

    With a quality, of the rows after JPEG re-compression.
    """
    changed = {} if quality_percent is None else {"recompressed": recompression(quality_percent)}
    # The same source gives other pixels where libraries or processors differ.
    pixels = {} if networks.set_c is None else {"set_c": networks.set_c}
    return digest(
        {
            **changed,
            **pixels,
            "asked": ORDER_VERSION,
            "attack": networks.attack_digest(attack),
            "suite": networks.graph.suite.fingerprint,
            "scorer": SCORER_VERSION,
            "precision": IMAGE_PRECISION,
            "device": networks.device.type,
            "lpips": LPIPS,
            **({"metrics": measured} if (measured := measured_by()) else {}),
        }
    )


def cell_stem(networks: Networks, victim: str) -> str:
    """File stem of a victim's rows: hangs on all that is behind its logits, and its precision."""
    precision, found = networks.victim_precision(victim), networks.victim_digest(victim)
    return cell_digest(found, precision)[:STEM_DIGITS]


def key_columns(graph: Graph, attack: str, victim: str | None = None) -> dict[str, str]:
    """What every row of a cell says of its networks; without a victim, of distortions."""
    keys = {"attack": attack, "attack_key": graph.attacks[attack][:KEY_DIGITS]}
    return keys if victim is None else keys | {"victim_key": graph.victims[victim][:KEY_DIGITS]}
