"""What claims are judged by: the figures of a run, and those that the paper prints.

Those of a run come with draws of whole scenes that all rows of a split share, and are
there only if they are whole: every victim of the families asked for, on every image that any row of
the paper's tables was scored on.
"""

from collections.abc import Sequence
from itertools import product
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.metrics.resampling import scene_draws, scene_sums
from bench.metrics.success import TASR, target_named
from bench.records.participants import FAMILIES, RowKey
from bench.records.run import RunData
from bench.report.statistics import attack_rows
from bench.report.tables.published import ARCHITECTURES_PER_FAMILY, published_rows
from bench.types import IN, OUT, SPLITS

BOTH: tuple[str, ...] = (IN, OUT)
"""The splits that the paper's tables are of."""
ROWS: dict[str, RowKey] = {
    name: (frozenset(name.removesuffix("†").split("+")), name.endswith("†"))
    for name in ("img", "wdf", "wdf†", "pef", "img+wdf", "img+pef", "pef†", "img+wdf+pef")
}
"""The rows of these tables, by LAACs and sCFA (†)."""
Draws: TypeAlias = NDArray[np.float64]
"""(1 + B,): a figure, then the same from each of B draws; B is 0 for printed figures."""
Sums: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Sums and counts, both (P, K): by scene and column."""


class UnmeasuredError(LookupError):
    """A figure that cannot be had; the message says what is missing."""


class Published:
    """Evidence from Tables 2 and 3 as printed, without intervals.

    Every figure is recomputed from the printed cells of the three families, never taken from a Mean
    column: the UASR one of Table 2 is an erratum, and one rule is better than two.
    """

    def scenes(self, splits: Sequence[str]) -> int:
        """None is drawn from."""
        return 0

    def mean(self, row: str, split: str, families: Sequence[str]) -> Draws:
        """Mean of the printed family means."""
        figures = published_rows(split)[ROWS[row]]
        return np.array([np.mean([figures[f"{TASR.name}_{one}_percent"] for one in families])])

    def spread(self, row: str, split: str) -> Draws:
        """Sample standard deviation over all victims, pooled from mean ± spread of each family."""
        figures, count = published_rows(split)[ROWS[row]], ARCHITECTURES_PER_FAMILY
        mean, std = (
            np.array([figures[f"{TASR.name}_{one}{which}_percent"] for one in FAMILIES])
            for which in ("", "_std")
        )
        squares = ((count - 1) * std**2 + count * (mean - mean.mean()) ** 2).sum()
        return np.array([np.sqrt(squares / (count * len(FAMILIES) - 1))])

    def lpips(self, row: str, split: str) -> Draws:
        """The printed LPIPS."""
        return np.array([published_rows(split)[ROWS[row]]["lpips"]])


class Measured:
    """Evidence from a run's Parquet files; all raise `UnmeasuredError` for what is not whole."""

    def __init__(self, run: RunData) -> None:
        self.run = run
        self._victims = pd.Index([victim.name for victim in run.victims])
        self._families = np.array([victim.family for victim in run.victims], dtype=str)
        self._attacks = {
            name: [a.name for a in run.attacks if a.row == row] for name, row in ROWS.items()
        }
        alone = [names[0] for names in self._attacks.values() if len(names) == 1]
        scenes = run.predictions.groupby("split")["scene"].unique()
        self._scenes = {split: pd.Index(sorted(scenes.get(split, []))) for split in BOTH}
        alike = self._scenes[BOTH[0]].equals(self._scenes[BOTH[1]])  # they move together
        self._seeds = {split: 0 if alike else place for place, split in enumerate(BOTH)}
        self._hits = {(s, name): self._hits_of(s, name) for s, name in product(BOTH, alone)}

    def scenes(self, splits: Sequence[str]) -> int:
        """Drawn from, of the split with fewest."""
        return min(len(self._scenes[split]) for split in splits)

    def mean(self, row: str, split: str, families: Sequence[str]) -> Draws:
        """TASR in per cent, averaged over architectures and then over `families`."""
        rates = self._rates(row, split, families)
        cells = [rates[:, self._families == family].mean(axis=1) for family in families]
        found: Draws = np.mean(cells, axis=0)
        return found

    def spread(self, row: str, split: str) -> Draws:
        """Sample standard deviation of the TASR over all victims, in points, less that of chance.

        What chance adds to their variance in a sample of scenes, it adds twice in its draws.
        """
        rates = self._rates(row, split, FAMILIES)[:, np.isin(self._families, FAMILIES)]
        squares = rates.var(axis=1, ddof=1)
        squares[1:] -= 2 * (chance := squares[1:].mean() - squares[0])
        squares[0] -= chance
        found: Draws = np.sqrt(np.maximum(squares, 0))
        return found

    def lpips(self, row: str, split: str) -> Draws:
        """Mean LPIPS over images and targets.

        Raises:
            ValueError: If the distortions are not those of the predictions.
        """
        attack, scenes = self._attack(row, split), self._scenes[split]
        rows = attack_rows(self.run, "distortion", attack, split)
        at = scenes.get_indexer(pd.Index(rows["scene"]))
        if rows["lpips"].isna().any() or (at < 0).any():
            raise ValueError(f"distortion.parquet has NaN or other images of {attack!r}; run again")
        values, shape = rows["lpips"].to_numpy(np.float64), (len(scenes), 1)
        found = scene_sums(at, np.zeros(len(rows), np.intp), values, shape)
        self._require_whole(found[1][:, 0], f"distortions of {row}", split)
        return self._resampled(found, split)[:, 0]

    def _rates(self, row: str, split: str, families: Sequence[str]) -> NDArray[np.float64]:
        """(1 + B, V) TASR in per cent by victim; NaN for one without predictions."""
        found = self._hits[split, self._attack(row, split)]
        absent = [family for family in families if family not in self._families]
        if absent:
            raise UnmeasuredError(f"no victim of the family {' or '.join(absent)}")
        for place in map(int, np.flatnonzero(np.isin(self._families, families))):
            what = f"predictions of {self._victims[place]} on {row}"
            self._require_whole(found[1][:, place], what, split)
        return 100 * self._resampled(found, split)

    def _resampled(self, found: Sums, split: str) -> NDArray[np.float64]:
        """(1 + B, K) means: over every scene once, then over each draw."""
        number = len(found[0])
        drawn = scene_draws(number, seed=self._seeds[split])
        draws = np.vstack([np.ones((1, number)), drawn])
        with np.errstate(invalid="ignore"):
            means: NDArray[np.float64] = (draws @ found[0]) / (draws @ found[1])
        return means

    def _attack(self, row: str, split: str) -> str:
        names, scenes = self._attacks[row], len(self._scenes[split])
        if not names:
            raise UnmeasuredError(f"no row {row}")
        if len(names) > 1:
            raise UnmeasuredError(f"several rows are {row}: {', '.join(names)}")
        if scenes < 2:
            number = "one scene" if scenes else "no scene"
            raise UnmeasuredError(f"{number} {SPLITS[split]}, so no interval")
        return names[0]

    def _require_whole(self, counts: NDArray[np.float64], what: str, split: str) -> None:
        """Refuse a figure over fewer images than there are."""
        seen = [hits[1] for (where, _), hits in self._hits.items() if where == split]
        expected = np.max(seen, axis=(0, 2))
        if (counts != expected).any() or not counts.sum():
            have, want = int(counts.sum()), int(expected.sum())
            raise UnmeasuredError(f"{have} of {want} {what} {SPLITS[split]}")

    def _hits_of(self, split: str, attack: str) -> Sums:
        """Successes and predictions of every victim."""
        rows, scenes = attack_rows(self.run, "predictions", attack, split), self._scenes[split]
        return scene_sums(
            scenes.get_indexer(pd.Index(rows["scene"])),
            self._victims.get_indexer(pd.Index(rows["victim"])),
            target_named(rows).to_numpy(dtype=np.float64),
            (len(scenes), len(self._victims)),
        )
