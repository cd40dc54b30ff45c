"""Parquet files of a run, and a stranger's: read where they are no larger than expected, and whole.

A small file can hold endless rows, and one long text a million times as a dictionary of one value
(CWE-409). So the footer is looked at before anything is read, and texts are counted before they are
laid out. A footer that lies about its pages costs the memory that these take, before it is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.store import replacing

CELL_BYTES = 64
"""Of a cell on average over all columns: a number with 17 digits has 24."""
TEXT_BYTES = 256
"""Of a cell on average over one column of text."""
SPARE_BYTES = 1 << 20


def write_frame(path: Path, rows: pd.DataFrame) -> None:
    """Write a file in one step, with a checksum of every page, by which damage is found."""
    with replacing(path) as target:
        rows.to_parquet(target, index=False, write_page_checksum=True)


def read_limited(
    path: Path, wanted: Collection[str], *, rows: int, columns: int = 1000
) -> tuple[pd.DataFrame, list[str]]:
    """Read some columns of a Parquet file.

    Args:
        path: The file.
        wanted: Columns to read; those that are not there are left out.
        rows: More of them are refused.
        columns: Likewise, read or not.

    Returns:
        The wanted columns that there are, and the names of all.

    Raises:
        ValueError: If it is no Parquet file, damaged, larger than expected, has a column twice, or
            one of another type than text or number.
        OSError: If it cannot be read.
    """
    try:
        with pq.ParquetFile(path) as file:
            names = [str(name) for name in file.schema_arrow.names]
            _check_footer(file.metadata, wanted, rows, columns)
            require_unique(names)
            known = [field for field in file.schema_arrow if field.name in wanted]
        plain = pa.schema([(field.name, _plain(field)) for field in known])
        texts = [field.name for field in plain if _is_text(field.type)]
        with pq.ParquetFile(path, read_dictionary=texts, page_checksum_verification=True) as file:
            table = file.read(columns=plain.names)
            if table.num_rows != file.metadata.num_rows:
                raise ValueError("it has another number of rows than it says")
        for name in texts:
            _check_text(name, table[name])
        frame: pd.DataFrame = table.cast(plain).to_pandas(ignore_metadata=True)
    except pa.ArrowException as error:
        raise ValueError(" ".join(str(error).split())) from error
    return frame, names


def require_unique(names: Iterable[str]) -> None:
    """Refuse a column that is there twice.

    Raises:
        ValueError: Names it.
    """
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"column {twice[0]!r} is there twice")


def _check_footer(said: pq.FileMetaData, wanted: Collection[str], rows: int, columns: int) -> None:
    groups = [said.row_group(number) for number in range(said.num_row_groups)]
    chunks = [group.column(place) for group in groups for place in range(group.num_columns)]
    size = sum(one.total_uncompressed_size for one in chunks if one.path_in_schema in wanted)
    most = CELL_BYTES * (said.num_rows + 1) * (len(wanted) + 1) + SPARE_BYTES
    for what, found, limit in (
        ("rows", said.num_rows, rows),
        ("columns", said.num_columns, columns),
        ("bytes", size, most),
    ):
        if found > limit:
            raise ValueError(f"it says that it has {found} {what}, expected {limit} at most")
    if sum(group.num_rows for group in groups) != said.num_rows:
        raise ValueError("its row groups have another number of rows than it says")


def _plain(field: pa.Field) -> pa.DataType:
    """The type of a column, or of the values of its dictionary."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if not (
        _is_text(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
    ):
        raise ValueError(f"column {field.name!r} has type {field.type}, not text or number")
    return kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _check_text(name: str, column: pa.ChunkedArray) -> None:
    """Refuse a dictionary of text that would be too large once each cell has its own."""
    lengths = (pc.binary_length(one.dictionary).take(one.indices) for one in column.chunks)
    size = sum(pc.sum(one.cast(pa.int64())).as_py() or 0 for one in lengths)
    most = TEXT_BYTES * len(column) + SPARE_BYTES
    if size > most:
        raise ValueError(f"column {name!r} has {size} bytes of text, expected {most} at most")
