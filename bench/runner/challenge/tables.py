"""A stranger's CSV or Parquet file as text columns, read only when it cannot be larger than asked.

Text is kept as it stands: an id or a class called `null` or `1e10` is no missing value and no
number.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from bench.records.parquet import CELL_BYTES, SPARE_BYTES, read_limited, require_unique
from bench.types import CamobenchError, WrongUsageError

PARQUET_MAGIC = b"PAR1"


def is_table(path: Path) -> bool:
    """Whether a file is a Parquet file or is named as a CSV one."""
    with path.open("rb") as stream:
        return stream.read(4) == PARQUET_MAGIC or path.suffix.lower() == ".csv"


def read_columns(path: Path, wanted: Collection[str], *, rows: int, columns: int) -> pd.DataFrame:
    """Read a CSV or Parquet file; every CSV cell is text.

    Args:
        path: The file.
        wanted: Columns that are read; any other is there by name, and empty.
        rows: More of them are refused.
        columns: Likewise.

    Raises:
        CamobenchError: If it is damaged, too large, or names a column twice.
        WrongUsageError: If it is neither.
    """
    if not is_table(path):
        raise WrongUsageError(f"{path} is neither CSV nor Parquet; give one of them")
    most_bytes = CELL_BYTES * (rows + 1) * (columns + 1) + SPARE_BYTES
    if path.stat().st_size > most_bytes:
        raise CamobenchError(
            f"{path} has {path.stat().st_size} bytes, one row an image takes {most_bytes} at most: "
            "send the columns that the README of the challenge names"
        )
    try:
        with path.open("rb") as stream:
            parquet = stream.read(4) == PARQUET_MAGIC
        if parquet:
            read, names = read_limited(path, wanted, rows=rows, columns=columns)
        else:
            read, names = _csv(path, wanted, rows, columns)
    except (ValueError, OSError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise CamobenchError(f"{path} cannot be read: {reason}; write it again") from error
    return read.reindex(columns=names)


def _csv(
    path: Path, wanted: Collection[str], rows: int, columns: int
) -> tuple[pd.DataFrame, list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        names = next(csv.reader(stream), [])
    if len(names) == 1 and ";" in names[0]:
        raise ValueError("its columns are separated by semicolons, expected commas")
    if len(names) > columns:
        raise ValueError(f"it has {len(names)} columns, expected {columns} at most")
    require_unique(names)
    read = pd.read_csv(
        path,
        dtype=str,
        keep_default_na=False,
        encoding="utf-8-sig",
        usecols=lambda name: name in wanted,
        nrows=rows + 1,
    )
    if len(read) > rows:
        raise ValueError(f"it has more than {rows} rows")
    return read, names
