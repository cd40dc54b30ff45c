"""Parquet files of a run, or of an answer: written with checksums, and read whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.store import replacing


def write_frame(path: Path, rows: pd.DataFrame) -> None:
    """Write a file in one step, with a checksum of every page, by which damage is found."""
    with replacing(path) as target:
        rows.to_parquet(target, index=False, write_page_checksum=True)


def read_columns(path: Path, wanted: Collection[str]) -> tuple[pd.DataFrame, list[str]]:
    """Read those of some columns of a Parquet file that there are, and the names of all.

    Raises:
        ValueError: If it is no Parquet file, damaged, or has a column twice.
        OSError: If it cannot be read.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            names = [str(name) for name in file.schema_arrow.names]
            require_unique(names)
            known = [field for field in file.schema_arrow if field.name in wanted]
            table, said = file.read(columns=[field.name for field in known]), file.metadata
        groups = sum(said.row_group(number).num_rows for number in range(said.num_row_groups))
        if not table.num_rows == groups == said.num_rows:
            raise ValueError("it has another number of rows than it says")
        frame: pd.DataFrame = table.cast(pa.schema(map(_plain, known))).to_pandas(
            ignore_metadata=True
        )
    except pa.ArrowException as error:
        raise ValueError(" ".join(str(error).split())) from error
    return frame, names


def _plain(field: pa.Field) -> pa.Field:
    """With the values themselves, where the column has a dictionary of them."""
    return field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field


def require_unique(names: Iterable[str]) -> None:
    """Refuse a column that is there twice.

    Raises:
        ValueError: Names it.
    """
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"column {twice[0]!r} is there twice")
