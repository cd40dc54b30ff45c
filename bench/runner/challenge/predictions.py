"""Checks a table of predictions, all of it, before anything is scored.

What it says never depends on a source label, so that it can go back to whoever sent the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.runner.challenge.ids import Asked
from bench.runner.challenge.intake import NO_IMAGE
from bench.runner.challenge.naming import SUFFIX, close_match
from bench.runner.challenge.problems import Kind, Problems, printable
from bench.runner.challenge.tables import read_columns

IMAGE, PREDICTED = "image", "predicted"
SUM_TOLERANCE = 1e-3
"""What rounding to four decimals leaves of a sum of one, over a dozen classes."""
ROUNDED = 5e-6
"""A sum nearer to one than this is left alone: single precision does no better."""

NO_COLUMN = Kind(
    name="column missing",
    gravity="error",
    remedy=f"the columns are `{IMAGE}` and `{PREDICTED}`, and one of each class if you like",
)
NO_CLASS_COLUMN = Kind(
    name="probability column missing",
    gravity="error",
    remedy="add a column for each class, or leave all out",
)
SURPLUS_COLUMN = Kind(name="surplus column", gravity="note", remedy="none; it is ignored")
NO_ID = Kind(name="no such image", gravity="error", remedy="write ids as the files are named")
TWICE = Kind(name="image there twice", gravity="error", remedy="keep one row an image")
NO_CLASS = Kind(name="no such class", gravity="error", remedy="predict one of challenge.json")
NO_NUMBER = Kind(
    name="probability is no number",
    gravity="error",
    remedy="fill every row, or leave all probability columns out",
)
OUTSIDE = Kind(name="probability outside [0, 1]", gravity="error", remedy="apply the softmax")
NOT_ONE = Kind(name="probabilities do not sum to 1", gravity="error", remedy="apply the softmax")
NOT_BEST = Kind(
    name="predicted is not the most probable",
    gravity="error",
    remedy="let `predicted` be the class of the largest probability",
)


@dataclass(kw_only=True)
class Answered:
    """What came back, and what is wrong with it.

    Attributes:
        wanted: Number of images asked for.
        predicted: Class by id; complete in itself only where no problem is an error.
        probabilities: (N, C) in the order of `predicted` and of the classes, or `None`.
    """

    wanted: int
    predicted: dict[str, str] = field(default_factory=dict)
    probabilities: NDArray[np.float32] | None = None
    problems: Problems = field(default_factory=Problems)

    @property
    def summary(self) -> str:
        """One line."""
        sure = "without" if self.probabilities is None else "with"
        return f"{len(self.predicted)} of {self.wanted} images, {sure} probabilities"


def read_table(path: Path, images: int, classes: Sequence[str]) -> pd.DataFrame:
    """The file as a frame whose ids are text without `.png`, whatever else is wrong with it.

    Raises:
        CamobenchError: If it cannot be read, or is larger than an answer can be.
        WrongUsageError: If it is neither CSV nor Parquet.
    """
    wanted = (IMAGE, PREDICTED, *classes)
    table = read_columns(path, wanted, rows=2 * images + 1000, columns=2 * len(classes) + 20)
    if IMAGE in table:
        ids = table[IMAGE].astype(str).str.strip()
        table[IMAGE] = ids.str.removesuffix(SUFFIX)
    return table


def best_challenge(table: pd.DataFrame, mappings: Mapping[str, Mapping[str, Asked]]) -> str | None:
    """Key of the challenge that most ids are of; `None` where they are of none.

    Args:
        table: What `read_table` returns.
        mappings: What each id stands for, by the key of each challenge of the store.
    """
    ids = set(table[IMAGE]) if IMAGE in table else set()
    common = {key: len(ids & mapping.keys()) for key, mapping in mappings.items()}
    best = max(common, key=lambda key: common[key], default=None)
    return best if best is not None and common[best] else None


def check_predictions_table(
    table: pd.DataFrame, mapping: Mapping[str, Asked], classes: Sequence[str]
) -> Answered:
    """Check every row.

    Args:
        table: What `read_table` returns.
        mapping: What each id stands for.
        classes: Of the suite.
    """
    answered = Answered(wanted=len(mapping))
    problems = answered.problems
    if not _check_columns(table, classes, problems):
        return answered
    ids, labels = table[IMAGE], table[PREDICTED].astype(str)
    known, twice = ids.isin(list(mapping)), ids.duplicated(keep=False)
    _note(problems, NO_ID, ids[~known])
    _note(problems, TWICE, ids[twice].drop_duplicates())
    wrong = ~labels.isin(list(classes))
    for one, label in zip(ids[wrong], labels[wrong], strict=True):
        problems.add(NO_CLASS, f"{_cell(one)}: {_cell(label)}{close_match(label, classes)}")
    if all(name in table for name in classes):
        answered.probabilities = _probabilities(table, labels, classes, problems)
    whole = known & ~twice & ~wrong
    answered.predicted = dict(zip(ids[whole], labels[whole], strict=True))
    if answered.probabilities is not None:
        answered.probabilities = answered.probabilities[whole.to_numpy()]
    sent = set(ids)
    for opaque in mapping:
        if opaque not in sent:
            problems.add(NO_IMAGE, opaque)
    return answered


def _check_columns(table: pd.DataFrame, classes: Sequence[str], problems: Problems) -> bool:
    """Whether there are ids and labels at all."""
    names = [str(name) for name in table.columns]
    needed = (IMAGE, PREDICTED)
    for name in needed:
        if name not in names:
            like = [one for one in names if one.strip().casefold() == name]
            problems.add(NO_COLUMN, f"{name}; rename {_cell(like[0])}" if like else name)
    present = [name for name in classes if name in names]
    if present and len(present) < len(classes):
        for name in classes:
            if name not in names:
                problems.add(NO_CLASS_COLUMN, name)
    for name in names:
        if name not in (*needed, *classes):
            problems.add(SURPLUS_COLUMN, f"{_cell(name)}{close_match(name, classes)}")
    return all(name in names for name in needed)


def _probabilities(
    table: pd.DataFrame, labels: pd.Series[str], classes: Sequence[str], problems: Problems
) -> NDArray[np.float32]:
    """(N, C), as they were written but for what rounding took from their sum."""
    ids = table[IMAGE]
    values = table[list(classes)].apply(pd.to_numeric, errors="coerce").astype("float64")
    numbers = values.to_numpy()
    missing = np.isnan(numbers).any(axis=1)
    outside = ~missing & ((numbers < 0) | (numbers > 1)).any(axis=1)
    sums = numbers.sum(axis=1)
    apart = ~missing & ~outside & (np.abs(sums - 1) > SUM_TOLERANCE)
    place = {name: index for index, name in enumerate(classes)}
    mine = np.array([place.get(label, -1) for label in labels], dtype=np.intp)
    rows = np.arange(len(numbers))
    beaten = ~missing & (mine >= 0) & (numbers[rows, mine] < numbers.max(axis=1, initial=0))
    _note(problems, NO_NUMBER, ids[missing])
    _note(problems, OUTSIDE, ids[outside])
    for one, total in zip(ids[apart], sums[apart], strict=True):
        problems.add(NOT_ONE, f"{_cell(one)}: {total:.6g}")
    for index in np.flatnonzero(beaten):
        likelier = classes[int(numbers[index].argmax())]
        problems.add(NOT_BEST, f"{_cell(ids.iloc[index])}: {labels.iloc[index]}, not {likelier}")
    uneven = np.abs(sums - 1) > ROUNDED
    with np.errstate(invalid="ignore", divide="ignore"):
        evened = np.where(uneven[:, None], numbers / sums[:, None], numbers)
    single: NDArray[np.float32] = evened.astype(np.float32)
    return single


def _note(problems: Problems, kind: Kind, ids: pd.Series[str]) -> None:
    for one in ids:
        problems.add(kind, _cell(one))


def _cell(text: object) -> str:
    return printable(str(text)) or "nothing"
