"""Files of a row that is half scored: one folder a shard, whole or not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.runner.cells import DISTORTION, rows_file
from bench.runner.kept import Recorder
from bench.runner.score import Scored
from bench.store import read_json, replacing, write_json


def is_whole(shard: Path, stems: Iterable[str]) -> bool:
    """Whether a shard holds all these files: rows of a victim that failed it does not."""
    return shard.is_dir() and all(rows_file(shard, stem).is_file() for stem in stems)


def parts_of(partial: Path, count: int) -> list[Path]:
    """The shards of a row half scored."""
    return [partial / f"{position:05d}" for position in range(count)]


def find_whole(folder: Path, cells: Sequence[str], count: int) -> Path | None:
    """A row all of whose shards filled these cells: it was killed while they were put together."""
    for partial in sorted(folder.glob("partial-*")):
        if set(cells) <= cells_in(parts_of(partial, count)):
            return partial
    return None


def cells_in(parts: Sequence[Path]) -> set[str]:
    """The cells that all of these shards filled."""
    records = [part / "shard.json" for part in parts]
    if not all(record.is_file() for record in records):
        return set()
    return set.intersection(*(set(read_json(record).get("cells", ())) for record in records))


def write_shard(
    shard: Path,
    scored: Scored,
    stems: Mapping[str, str],
    record: Mapping[str, Any],
    recorder: Recorder | None,
    images: Path,
) -> None:
    """Write the rows of a shard in one step, and its images where they are kept."""
    if recorder is not None:
        recorder.write(images, record["by"])
    if is_whole(shard, [stems[name] for name in scored.predictions]):
        return  # it was there, its images were not
    with replacing(shard) as target:
        target.mkdir()
        for victim, rows in scored.predictions.items():
            rows.to_parquet(rows_file(target, stems[victim]), index=False)
        if scored.distortion is not None:
            scored.distortion.to_parquet(rows_file(target, DISTORTION), index=False)
        write_json(target / "shard.json", record)
