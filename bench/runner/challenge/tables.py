"""A stranger's CSV or Parquet file as text columns, read only when it cannot be larger than asked.

Text is kept as it stands: an id or a class called `null` or `1e10` is no missing value and no
number.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.types import CamobenchError, WrongUsageError

PARQUET_MAGIC = b"PAR1"
CELL_BYTES = 64
"""Of one cell at most, on average: a number with 17 digits has 24."""


def is_table(path: Path) -> bool:
    """Whether a file is a Parquet file or is named as a CSV one."""
    with path.open("rb") as stream:
        return stream.read(4) == PARQUET_MAGIC or path.suffix.lower() == ".csv"


def read_columns(path: Path, *, rows: int, columns: int) -> pd.DataFrame:
    """Read a CSV or Parquet file; every CSV cell is text.

    Args:
        path: The file.
        rows: More of them are refused.
        columns: Likewise.

    Raises:
        CamobenchError: If it is damaged, too large, or names a column twice.
        WrongUsageError: If it is neither.
    """
    if not is_table(path):
        raise WrongUsageError(f"{path} is neither CSV nor Parquet")
    most_bytes = CELL_BYTES * (rows + 1) * (columns + 1) + (1 << 20)
    if path.stat().st_size > most_bytes:
        raise CamobenchError(
            f"{path} has {path.stat().st_size} bytes; one row an image takes {most_bytes} at most"
        )
    try:
        with path.open("rb") as stream:
            parquet = stream.read(4) == PARQUET_MAGIC
        read = _parquet(path, rows, columns, most_bytes) if parquet else _csv(path)
    except (pa.ArrowException, ValueError, OSError, csv.Error) as error:
        raise CamobenchError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if len(read) > rows:
        raise CamobenchError(f"{path} has {len(read)} rows; {rows} are too many already")
    return read


def _parquet(path: Path, rows: int, columns: int, most_bytes: int) -> pd.DataFrame:
    with pq.ParquetFile(path) as file:
        said = file.metadata
        size = sum(said.row_group(i).total_byte_size for i in range(said.num_row_groups))
        for what, found, most in (
            ("rows", said.num_rows, rows),
            ("columns", said.num_columns, columns),
            ("bytes", size, most_bytes),
        ):
            if found > most:
                raise ValueError(f"it says that it has {found} {what}, expected {most} at most")
        _require_unique(file.schema_arrow.names)
        frame: pd.DataFrame = file.read().to_pandas()
        return frame


def _csv(path: Path) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        _require_unique(next(csv.reader(stream), []))
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def _require_unique(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"column {twice[0]!r} is there twice")
