"""Checks a table of predictions, all of it, before anything is scored.

What it says never depends on a source label, so that it can go back to whoever sent the table. Text
is kept as it stands: an id or a class called `null` or `1e10` is no missing value and no number.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.challenge.findings import Findings, Kind
from bench.challenge.image_checks import SUFFIX
from bench.records.parquet import read_columns, require_unique
from bench.types import CamobenchError
from bench.wording import one_line

IMAGE, PREDICTED = "image", "predicted"
PARQUET_MAGIC = b"PAR1"
SUM_TOLERANCE = 1e-3
"""What rounding to four decimals leaves of a sum of one, over a dozen classes."""
ROUNDED = 5e-6
"""A sum nearer to one than this is left alone: single precision does no better."""

NO_COLUMN = Kind("column missing", "error", f"name the columns `{IMAGE}` and `{PREDICTED}`")
NO_CLASS_COLUMN = Kind("probability column missing", "error", "add one a class, or leave all out")
SURPLUS_COLUMN = Kind("surplus column", "note", "none; it is ignored")
NO_ID = Kind("no such image", "error", "write ids as the files are named")
NO_ROW = Kind("image missing", "error", "send a row for every image")
TWICE = Kind("image there twice", "error", "keep one row an image")
NO_CLASS = Kind("no such class", "error", "predict one of challenge.json")
NO_NUMBER = Kind("probability is no number", "error", "fill every row, or leave all out")
OUTSIDE = Kind("probability outside [0, 1]", "error", "apply the softmax")
NOT_ONE = Kind("probabilities do not sum to 1", "error", "apply the softmax")
NOT_BEST = Kind("predicted is not the most probable", "error", "predict the most probable class")


@dataclass(kw_only=True)
class CheckedPredictions:
    """What came back, and what is wrong with it.

    Attributes:
        predicted: Place in the table and class, by id; complete only where no finding is an error.
        probabilities: (N, C), by place and class, or `None`.
    """

    wanted: int
    predicted: dict[str, tuple[int, str]] = field(default_factory=dict)
    probabilities: NDArray[np.float32] | None = None
    findings: Findings = field(default_factory=Findings)

    @property
    def summary(self) -> str:
        """One line."""
        sure = "without" if self.probabilities is None else "with"
        return f"{len(self.predicted)} of {self.wanted} images, {sure} probabilities"


def is_table(path: Path) -> bool:
    """Whether an answer is a Parquet file or is named as a CSV one: predictions, not images."""
    return path.is_file() and (_is_parquet(path) or path.suffix.lower() == ".csv")


def read_table(path: Path, classes: Sequence[str]) -> pd.DataFrame:
    """Read what `is_table` takes for one; ids lose their `.png`, and every cell of CSV is text.

    Columns other than those of ids, labels and classes are there, and empty.

    Raises:
        CamobenchError: If it is damaged or names a column twice.
    """
    wanted = (IMAGE, PREDICTED, *classes)
    try:
        if _is_parquet(path):
            read, names = read_columns(path, wanted)
        else:
            with path.open(encoding="utf-8-sig", newline="") as stream:
                names = next(csv.reader(stream), [])
            require_unique(names)
            options: dict[str, Any] = {"encoding": "utf-8-sig", "keep_default_na": False}
            options |= {"dtype": str, "index_col": False}  # surplus fields move no column
            read = pd.read_csv(path, usecols=lambda name: name in wanted, **options)
    except (ValueError, OSError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise CamobenchError(f"{path} cannot be read: {reason}; write it again") from error
    table = read.reindex(columns=names)
    if IMAGE in table:
        table[IMAGE] = table[IMAGE].astype(str).str.strip().str.removesuffix(SUFFIX)
    return table


def check_predictions(
    table: pd.DataFrame, asked: Collection[str], classes: Sequence[str]
) -> CheckedPredictions:
    """Check every row of what `read_table` returns against the ids that were asked for."""
    checked = CheckedPredictions(wanted=len(asked))
    findings = checked.findings
    if not _check_columns(table, classes, findings):
        return checked
    ids, labels = table[IMAGE], table[PREDICTED].astype(object).fillna("").astype(str)
    label_places = pd.Index(classes).get_indexer(pd.Index(labels))

    def note(kind: Kind, which: Any, detail: Callable[[int], str] = lambda _: "") -> None:
        for at in np.flatnonzero(which):
            findings.add(kind, _cell(ids.iloc[at]) + detail(int(at)))

    unknown, twice, wrong = ~ids.isin(list(asked)), ids.duplicated(keep=False), label_places < 0
    note(NO_ID, unknown)
    note(TWICE, twice & ~ids.duplicated())
    note(NO_CLASS, wrong, lambda at: f": {_cell(labels[at])}")
    whole = ~(unknown | twice | wrong)
    checked.predicted = {ids[at]: (at, labels[at]) for at in np.flatnonzero(whole).tolist()}
    for one in sorted(set(asked) - set(ids)):
        findings.add(NO_ROW, one)
    if not all(name in table for name in classes):
        return checked
    numbers = table[list(classes)].apply(pd.to_numeric, errors="coerce").to_numpy("float64")
    missing, sums = np.isnan(numbers).any(axis=1), numbers.sum(axis=1)
    outside = ((numbers < 0) | (numbers > 1)).any(axis=1) & ~missing
    mine = numbers[np.arange(len(labels)), label_places]
    note(NO_NUMBER, missing)
    note(OUTSIDE, outside)
    apart = (np.abs(sums - 1) > SUM_TOLERANCE) & ~outside
    note(NOT_ONE, apart, lambda at: f": {sums[at]:.6g}")
    beaten = (mine < numbers.max(axis=1)) & ~wrong
    best = numbers.argmax(axis=1)
    note(NOT_BEST, beaten, lambda at: f": {labels[at]}, not {classes[best[at]]}")
    with np.errstate(invalid="ignore", divide="ignore"):
        uneven = np.abs(sums - 1)[:, None] > ROUNDED
        evened = np.where(uneven, numbers / sums[:, None], numbers)
    checked.probabilities = evened.astype(np.float32)
    return checked


def _check_columns(table: pd.DataFrame, classes: Sequence[str], findings: Findings) -> bool:
    """Whether there are ids and labels at all."""
    names, needed = [str(name) for name in table.columns], (IMAGE, PREDICTED)
    absent = [name for name in needed if name not in names]
    for name in absent:
        findings.add(NO_COLUMN, name)
    lacking = [name for name in classes if name not in names]
    for name in lacking if len(lacking) < len(classes) else ():
        findings.add(NO_CLASS_COLUMN, name)
    for name in names:
        if name not in (*needed, *classes):
            findings.add(SURPLUS_COLUMN, _cell(name))
    return not absent


def _cell(text: object) -> str:
    return one_line(str(text)) or "nothing"


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == PARQUET_MAGIC
