"""The ten claims, after section 5 of Andrews et al. (2020), with rows told by LAACs and sCFA.

Two of them are not sharp in the paper. Their thresholds follow from its own tables:

- "Weak" (e): TASR on the other kind of victim is lower than on the LAAC's own by more than
  `WEAK_POINTS` = 5 points. In the paper's tables the gaps run from 8.5 to 52; rounding moves one by
  a point at most.
- "Differs little" (g): no row distorts more than `LITTLE_RATIO` = 2 times as much as another. The
  paper prints LPIPS of 0.03 to 0.05, a ratio of 1.7.

(h) is about rows whose only LAAC is wdf or pef. Beside the image LAAC the paper prints a tie out of
distribution (96 and 96), so that pair is none of its evidence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.records.participants import FAMILIES
from bench.report.claims.evidence import BOTH, ROWS, Draws, Measured, Published
from bench.types import IN, OUT, SPLITS

WEAK_POINTS = 5.0
LITTLE_RATIO = 2.0
RESIDUAL, IMAGE = ("wdf", "pef"), ("img",)
FULL, BASELINE = "img+wdf+pef", "pef†"
Evidence = Measured | Published

_SMALLEST = 1e-12  # an unchanged image, so that a ratio stays a number


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A figure and where it must lie.

    Attributes:
        title: What is compared, rows by their names.
        figure: Takes it from the evidence.
        splits: Of which.
        unit: "points" (of TASR) or "ratio".
        threshold: Where the claimed side begins.
        below: Whether the claimed side is below the threshold.
    """

    title: str
    figure: Callable[[Evidence], Draws]
    splits: Sequence[str] = BOTH
    unit: Literal["points", "ratio"] = "points"
    threshold: float = 0.0
    below: bool = False


def claims() -> dict[str, list[Comparison]]:
    """All claims, (a) to (j): statements, and the comparisons that each stands or falls by."""
    scfa_pairs = (("wdf†", "wdf"), (BASELINE, "pef"))
    pairs = (("img+wdf", "img"), ("img+wdf", "wdf"), ("img+pef", "img"), ("img+pef", "pef"))
    others = [row for row in ROWS if row != FULL]
    return {
        "The full method beats MISLGAN in mean TASR, in and out of distribution": [
            _beats(FULL, BASELINE, split) for split in BOTH
        ],
        "The full method beats every ablation in mean TASR": [
            _beats(FULL, row, split) for split in BOTH for row in others if row != BASELINE
        ],
        "sCFA helps an attack whose only LAAC is a noise-residual one": [
            _beats(*pair, split) for split in BOTH for pair in scfa_pairs
        ],
        "One residual LAAC plus the image LAAC beats either alone": [
            _beats(*pair, split) for split in BOTH for pair in pairs
        ],
        "An image-only LAAC is weak on residual victims, a residual-only one on image victims": [
            _weak(row, split) for split in BOTH for row in ("img", "wdf", "wdf†", "pef", "pef†")
        ],
        "The full method's spread of TASR over victims is the smallest": [
            _steadier(row, split) for split in BOTH for row in others
        ],
        "Distortion differs little between the rows": [_alike(split) for split in BOTH],
        "A wdf LAAC beats a pef LAAC, each as the only one": [
            _beats(*pair, split) for split in BOTH for pair in (("wdf", "pef"), ("wdf†", "pef†"))
        ],
        "TASR out of distribution is above TASR in distribution": [
            _easier_outside(row) for row in ROWS
        ],
        "In distribution, the image LAAC costs TASR on residual victims against the sCFA rows": [
            _beats(*pair, IN, RESIDUAL) for pair in (("wdf†", "img+wdf"), ("pef†", "img+pef"))
        ],
    }


def _beats(row: str, other: str, split: str, families: Sequence[str] = FAMILIES) -> Comparison:
    where = "" if families == FAMILIES else f" on {_victims(families)}"
    return Comparison(
        title=f"{row} over {other}{where}, {SPLITS[split]}",
        figure=lambda e: e.mean(row, split, families) - e.mean(other, split, families),
        splits=(split,),
    )


def _weak(row: str, split: str) -> Comparison:
    own, foreign = (IMAGE, RESIDUAL) if row == "img" else (RESIDUAL, IMAGE)
    return Comparison(
        title=f"{row}: {_victims(own)} over {_victims(foreign)}, {SPLITS[split]}",
        figure=lambda e: e.mean(row, split, own) - e.mean(row, split, foreign),
        splits=(split,),
        threshold=WEAK_POINTS,
    )


def _steadier(row: str, split: str) -> Comparison:
    return Comparison(
        title=f"spread of {row} over that of {FULL}, {SPLITS[split]}",
        figure=lambda e: e.spread(row, split) - e.spread(FULL, split),
        splits=(split,),
    )


def _easier_outside(row: str) -> Comparison:
    return Comparison(
        title=f"{row}: out of distribution over in distribution",
        figure=lambda e: e.mean(row, OUT, FAMILIES) - e.mean(row, IN, FAMILIES),
    )


def _alike(split: str) -> Comparison:
    def ratio(evidence: Evidence) -> Draws:
        levels = np.array([evidence.lpips(row, split) for row in ROWS])
        levels = np.maximum(levels, _SMALLEST)
        found: Draws = levels.max(axis=0) / levels.min(axis=0)
        return found

    return Comparison(
        title=f"largest over smallest LPIPS, {SPLITS[split]}",
        figure=ratio,
        splits=(split,),
        unit="ratio",
        threshold=LITTLE_RATIO,
        below=True,
    )


def _victims(families: Sequence[str]) -> str:
    return f"{' and '.join(families)} victims"
