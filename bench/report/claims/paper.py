"""The figures of the paper's printed tables, without intervals.

Every figure is recomputed from the printed cells of the three families, never taken from a Mean
column: the UASR one of Table 2 is an erratum, and one rule is better than two.
"""

from collections.abc import Sequence

import numpy as np

from bench.report.claims.statement import Draws, RowKey
from bench.report.published import FAMILIES, PublishedRow, published_rows


class Published:
    """Evidence from Tables 2 and 3 as printed."""

    def __init__(self) -> None:
        self._rows = {split: published_rows(split) for split in ("in", "out")}

    def mean(self, row: RowKey, split: str, families: Sequence[str]) -> Draws:
        """Mean of the printed family means."""
        cells = self._row(row, split).tasr
        return np.array([np.mean([cells[family].mean for family in families])])

    def spread(self, row: RowKey, split: str) -> Draws:
        """Sample standard deviation over all victims, pooled from mean ± spread of each family."""
        cells = [self._row(row, split).tasr[family] for family in FAMILIES]
        count, std, mean = (
            np.array([getattr(cell, name) for cell in cells], float)
            for name in ("n", "std", "mean")
        )
        overall = (count * mean).sum() / count.sum()
        squares = ((count - 1) * std**2 + count * (mean - overall) ** 2).sum()
        return np.array([np.sqrt(squares / (count.sum() - 1))])

    def lpips(self, row: RowKey, split: str) -> Draws:
        """The printed LPIPS."""
        return np.array([self._row(row, split).lpips])

    def _row(self, row: RowKey, split: str) -> PublishedRow:
        return self._rows[split][row]
