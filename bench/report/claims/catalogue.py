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

from collections.abc import Sequence

import numpy as np

from bench.records.participants import FAMILIES, RowKey
from bench.report.claims.statement import Claim, Comparison, Draws, Evidence

WEAK_POINTS = 5.0
LITTLE_RATIO = 2.0
SPLITS = {"in": "in distribution", "out": "out of distribution"}
RESIDUAL, IMAGE = ("wdf", "pef"), ("img",)

_ORDER = ("img", "wdf", "pef")
_SMALLEST = 1e-12  # an unchanged image, so that a ratio stays a number


def _key(*laac: str, scfa: bool = False) -> RowKey:
    return frozenset(laac), scfa


IMG, WDF, PEF = _key("img"), _key("wdf"), _key("pef")
WDF_SCFA, BASELINE = _key("wdf", scfa=True), _key("pef", scfa=True)
IMG_WDF, IMG_PEF, FULL = _key("img", "wdf"), _key("img", "pef"), _key("img", "wdf", "pef")
ABLATIONS = (IMG, WDF, WDF_SCFA, PEF, IMG_WDF, IMG_PEF)
ROWS = (*ABLATIONS, BASELINE, FULL)


def row_label(row: RowKey) -> str:
    """`img+wdf`, `pef†`."""
    laac, scfa = row
    return "+".join(sorted(laac, key=_ORDER.index)) + ("†" if scfa else "")


def claims() -> tuple[Claim, ...]:
    """All claims."""
    both, scfa_pairs = tuple(SPLITS), ((WDF_SCFA, WDF), (BASELINE, PEF))
    pairs = ((IMG_WDF, IMG), (IMG_WDF, WDF), (IMG_PEF, IMG), (IMG_PEF, PEF))
    alone = ((WDF, PEF), (WDF_SCFA, BASELINE))
    found = {
        "The full method beats MISLGAN in mean TASR, in and out of distribution": [
            _beats(FULL, BASELINE, split) for split in both
        ],
        "The full method beats every ablation in mean TASR": [
            _beats(FULL, row, split) for split in both for row in ABLATIONS
        ],
        "sCFA helps an attack whose only LAAC is a noise-residual one": [
            _beats(*pair, split) for split in both for pair in scfa_pairs
        ],
        "One residual LAAC plus the image LAAC beats either alone": [
            _beats(*pair, split) for split in both for pair in pairs
        ],
        "An image-only LAAC is weak on residual victims, a residual-only one on image victims": [
            _weak(row, split) for split in both for row in (IMG, WDF, WDF_SCFA, PEF, BASELINE)
        ],
        "The full method's spread of TASR over victims is the smallest": [
            _steadier(row, split) for split in both for row in ROWS if row != FULL
        ],
        "Distortion differs little between the rows": [_alike(split) for split in both],
        "A wdf LAAC beats a pef LAAC, each as the only one": [
            _beats(*pair, split) for split in both for pair in alone
        ],
        "TASR out of distribution is above TASR in distribution": [
            _easier_outside(row) for row in ROWS
        ],
        "In distribution, the image LAAC costs TASR on residual victims against the sCFA rows": [
            _beats(*pair, "in", RESIDUAL) for pair in ((WDF_SCFA, IMG_WDF), (BASELINE, IMG_PEF))
        ],
    }
    return tuple(
        Claim(letter=letter, statement=statement, comparisons=tuple(comparisons))
        for letter, (statement, comparisons) in zip("abcdefghij", found.items(), strict=True)
    )


def _beats(
    row: RowKey, other: RowKey, split: str, families: tuple[str, ...] = FAMILIES
) -> Comparison:
    where = "" if families == FAMILIES else f" on {_victims(families)}"
    return Comparison(
        title=f"{row_label(row)} over {row_label(other)}{where}, {SPLITS[split]}",
        figure=lambda e: e.mean(row, split, families) - e.mean(other, split, families),
    )


def _weak(row: RowKey, split: str) -> Comparison:
    own, foreign = (IMAGE, RESIDUAL) if row[0] == {"img"} else (RESIDUAL, IMAGE)
    return Comparison(
        title=f"{row_label(row)}: {_victims(own)} over {_victims(foreign)}, {SPLITS[split]}",
        figure=lambda e: e.mean(row, split, own) - e.mean(row, split, foreign),
        threshold=WEAK_POINTS,
    )


def _steadier(row: RowKey, split: str) -> Comparison:
    return Comparison(
        title=f"spread of {row_label(row)} over that of {row_label(FULL)}, {SPLITS[split]}",
        figure=lambda e: e.spread(row, split) - e.spread(FULL, split),
    )


def _easier_outside(row: RowKey) -> Comparison:
    return Comparison(
        title=f"{row_label(row)}: out of distribution over in distribution",
        figure=lambda e: e.mean(row, "out", FAMILIES) - e.mean(row, "in", FAMILIES),
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
        unit="ratio",
        threshold=LITTLE_RATIO,
        below=True,
    )


def _victims(families: Sequence[str]) -> str:
    return f"{' and '.join(families)} victims"
