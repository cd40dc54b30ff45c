"""Files of a row that is half scored: one folder a shard, whole or not there."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.checksums import is_as_written, is_record, read_record, write_record
from bench.runner.cells import DISTORTION, rows_file, write_rows
from bench.runner.kept import Recorder
from bench.runner.score import Scored
from bench.store import replacing

RECORD = "shard.json"


def is_whole(shard: Path, stems: Iterable[str]) -> bool:
    """Whether a shard holds all these rows: rows of a victim that failed it does not."""
    files = [shard / RECORD, *(rows_file(shard, stem) for stem in stems)]
    return all(path.is_file() for path in files)


def drop_damaged_shards(folder: Path) -> None:
    """Remove the damaged shards of a row, so that they are scored again."""
    for record in folder.glob(f"partial-*/*/{RECORD}"):
        tables = record.parent.glob("*.parquet")
        if not (is_record(record) and all(is_as_written(path) for path in tables)):
            record.unlink()  # without it, what a killed removal leaves is no shard
            shutil.rmtree(record.parent)


def read_shard(shard: Path) -> dict[str, Any]:
    """What is noted of a shard: who filled which cells of it, when, and in how long."""
    return read_record(shard / RECORD, shard)


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
    if not all((part / RECORD).is_file() for part in parts):
        return set()
    return set.intersection(*(set(read_shard(part).get("cells", ())) for part in parts))


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
            write_rows(rows_file(target, stems[victim]), rows)
        if scored.distortion is not None:
            write_rows(rows_file(target, DISTORTION), scored.distortion)
        write_record(target / RECORD, record)
