"""What claims are judged by: the figures of a run, and those that the paper prints.

Those of a run come with draws of whole source photographs that all rows of a split share, and are
there only if they are whole: every victim of the families asked for, on every image that any row of
the paper's tables was scored on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.metrics.resampling import REPLICATES, photograph_draws, photograph_sums
from bench.metrics.success import TASR, target_named
from bench.records.participants import FAMILIES
from bench.records.run import RunData
from bench.report.claims.catalogue import ROWS, SPLITS, row_label
from bench.report.claims.statement import Draws, RowKey, UnmeasuredError
from bench.report.published import PublishedRow, published_rows


class Published:
    """Evidence from Tables 2 and 3 as printed, without intervals.

    Every figure is recomputed from the printed cells of the three families, never taken from a Mean
    column: the UASR one of Table 2 is an erratum, and one rule is better than two.
    """

    def __init__(self) -> None:
        self._rows = {split: published_rows(split) for split in ("in", "out")}

    def mean(self, row: RowKey, split: str, families: Sequence[str]) -> Draws:
        """Mean of the printed family means."""
        cells = self._row(row, split).cells[TASR.name]
        return np.array([np.mean([cells[family].mean for family in families])])

    def spread(self, row: RowKey, split: str) -> Draws:
        """Sample standard deviation over all victims, pooled from mean ± spread of each family."""
        cells = [self._row(row, split).cells[TASR.name][family] for family in FAMILIES]
        count, std, mean = (
            np.array([getattr(cell, name) for cell in cells], float)
            for name in ("n", "std", "mean")
        )
        overall = (count * mean).sum() / count.sum()
        squares = ((count - 1) * std**2 + count * (mean - overall) ** 2).sum()
        return np.array([np.sqrt(squares / (count.sum() - 1))])

    def lpips(self, row: RowKey, split: str) -> Draws:
        """The printed LPIPS."""
        return np.array([self._row(row, split).distortion["lpips"]])

    def _row(self, row: RowKey, split: str) -> PublishedRow:
        return self._rows[split][row]


class Measured:
    """Evidence from a run's Parquet files.

    Args:
        run: The run.
        replicates: Draws of photographs.
    """

    def __init__(self, run: RunData, *, replicates: int = REPLICATES) -> None:
        self.run = run
        self.victims = [victim for victim in run.victims if victim.family in FAMILIES]
        self._member = np.array([victim.family for victim in self.victims], dtype=str)
        self._attacks: dict[RowKey, list[str]] = {}
        for attack in run.attacks:
            if attack.row in ROWS:
                self._attacks.setdefault(attack.row, []).append(attack.name)
        alone = {row: names[0] for row, names in self._attacks.items() if len(names) == 1}
        names = [victim.name for victim in self.victims]
        self._splits = {
            split: _Split(run.predictions, split, alone, names, replicates) for split in SPLITS
        }

    def mean(self, row: RowKey, split: str, families: Sequence[str]) -> Draws:
        """TASR in per cent, averaged over architectures and then over `families`."""
        rates = self._rates(row, split, families)
        cells = [rates[:, self._member == family].mean(axis=1) for family in families]
        found: Draws = np.mean(cells, axis=0)
        return found

    def spread(self, row: RowKey, split: str) -> Draws:
        """Sample standard deviation of the TASR over all victims, in points."""
        found: Draws = self._rates(row, split, FAMILIES).std(axis=1, ddof=1)
        return found

    def lpips(self, row: RowKey, split: str) -> Draws:
        """Mean LPIPS over images and targets.

        Raises:
            UnmeasuredError: If the row or the split is missing or partial.
            ValueError: If a value is NaN.
        """
        attack, drawn = self._attack(row), self._split(split)
        frame = self.run.distortion
        rows = frame[(frame["split"] == split) & (frame["attack"] == attack)]
        values = rows["lpips"].to_numpy(np.float64)
        if np.isnan(values).any():
            raise ValueError(f"`lpips` is NaN for attack {attack!r}; score this attack anew")
        sums, counts = drawn.sums(rows, np.zeros(len(rows), np.intp), values, 1)
        _require_whole(counts[:, 0], drawn.expected, f"distortions of {row_label(row)}", split)
        return drawn.resampled(sums, counts)[:, 0]

    def _rates(self, row: RowKey, split: str, families: Sequence[str]) -> NDArray[np.float64]:
        """(1 + B, V) TASR in per cent by victim."""
        self._attack(row)
        drawn = self._split(split)
        absent = [family for family in families if family not in self._member]
        if absent:
            raise UnmeasuredError(f"no victim of the family {' or '.join(absent)}")
        for place in np.flatnonzero(np.isin(self._member, families)):
            what = f"predictions of {self.victims[place].name} on {row_label(row)}"
            _require_whole(drawn.counts[row][:, place], drawn.expected, what, split)
        return drawn.rates(row)

    def _split(self, split: str) -> "_Split":
        drawn = self._splits[split]
        if drawn.photographs.empty:
            raise UnmeasuredError(f"no images {SPLITS[split]}")
        if len(drawn.photographs) == 1:
            raise UnmeasuredError(f"one photograph {SPLITS[split]}, so no interval")
        return drawn

    def _attack(self, row: RowKey) -> str:
        names = self._attacks.get(row, [])
        if not names:
            raise UnmeasuredError(f"no row {row_label(row)}")
        if len(names) > 1:
            raise UnmeasuredError(f"several rows are {row_label(row)}: {', '.join(names)}")
        return names[0]


class _Split:
    """The predictions of one split by photograph, and draws of its photographs.

    Attributes:
        counts: By row, (P, V) numbers of predictions.
        expected: (P,) predictions a victim in a row that lacks none.
    """

    def __init__(
        self,
        predictions: pd.DataFrame,
        split: str,
        attacks: Mapping[RowKey, str],
        victims: Sequence[str],
        replicates: int,
    ) -> None:
        rows = predictions[predictions["split"] == split]
        self.photographs = pd.Index(rows["photo_id"].unique())
        number, seed = len(self.photographs), list(SPLITS).index(split)
        self.draws = np.ones((1, number))  # (1 + B, P): every photograph once, then the draws
        if number:
            drawn = photograph_draws(number, replicates=replicates, seed=seed)
            self.draws = np.vstack([self.draws, drawn])
        self.hits: dict[RowKey, NDArray[np.float64]] = {}
        self.counts: dict[RowKey, NDArray[np.float64]] = {}
        self.expected = np.zeros(number)
        self._rates: dict[RowKey, NDArray[np.float64]] = {}
        places = pd.Index(victims)
        for row, attack in attacks.items():
            mine = rows[(rows["attack"] == attack) & rows["victim"].isin(places)]
            self.hits[row], self.counts[row] = self.sums(
                mine,
                places.get_indexer(pd.Index(mine["victim"])),
                target_named(mine).to_numpy(dtype=np.float64),
                len(victims),
            )
            self.expected = np.maximum(self.expected, self.counts[row].max(axis=1, initial=0))

    def sums(
        self,
        rows: pd.DataFrame,
        columns: NDArray[np.intp],
        values: NDArray[np.floating[Any]],
        width: int,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sums and counts of `values`, one a row of the frame, by photograph: (P, width)."""
        photographs = self.photographs.get_indexer(pd.Index(rows["photo_id"]))
        if (photographs < 0).any():
            raise ValueError("distortion.parquet has photographs without predictions; run again")
        return photograph_sums(photographs, columns, values, (len(self.photographs), width))

    def rates(self, row: RowKey) -> NDArray[np.float64]:
        """(1 + B, V) TASR in per cent; NaN for a victim without predictions."""
        if row not in self._rates:
            self._rates[row] = 100 * self.resampled(self.hits[row], self.counts[row])
        return self._rates[row]

    def resampled(
        self, sums: NDArray[np.float64], counts: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(1 + B, width) means; NaN where nothing was counted."""
        with np.errstate(invalid="ignore"):
            found: NDArray[np.float64] = (self.draws @ sums) / (self.draws @ counts)
        return found


def _require_whole(
    counts: NDArray[np.float64], expected: NDArray[np.float64], what: str, split: str
) -> None:
    """Refuse a figure over fewer images than there are.

    Raises:
        UnmeasuredError: If there are none, or some are missing.
    """
    if not counts.sum():
        raise UnmeasuredError(f"no {what} {SPLITS[split]}")
    if (counts != expected).any():
        have, want = int(counts.sum()), int(expected.sum())
        raise UnmeasuredError(f"{have} of {want} {what} {SPLITS[split]}")
