"""The paper's Tables 2 and 3 as printed, with the UASR means that follow from their own columns.

Erratum: the UASR "Mean" column of Table 2 does not follow from the table's own UASR columns in any
row; its values equal the TASR means of Table 3. Both figures are given, never one for the other.
"""

import csv
from dataclasses import dataclass
from importlib import resources

from bench.metrics.success import Spread, spread

FAMILIES = ("wdf", "pef", "img")
ARCHITECTURES = ("resnet12", "resnet18", "resnet34", "densenet40", "densenet100")
ARCHITECTURES_PER_FAMILY = len(ARCHITECTURES)
CLEAN_MINIMUM_PERCENT = {"wdf": 99.8, "pef": 99.8, "img": 99.7}
"""Lowest clean accuracy over the architectures of a family, on the Dresden images (sec. 5)."""
_FILES = {"in": "table2_in_distribution.csv", "out": "table3_out_of_distribution.csv"}


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """One printed row, in per cent.

    `tasr` and `uasr` map a family or "mean" to its cell; `uasr` is empty out of distribution.
    """

    laac: frozenset[str]
    scfa: bool
    order: int
    tasr: dict[str, Spread]
    uasr: dict[str, Spread]
    uasr_mean_recomputed: Spread | None
    lpips: float


def published_rows(split: str) -> dict[tuple[frozenset[str], bool], PublishedRow]:
    """The eight rows of Table 2 ("in") or Table 3 ("out"), by local classifiers and sCFA.

    None for real photographs, which the paper has in both tables.
    """
    if split not in _FILES:
        return {}
    file = resources.files("bench") / "assets" / "published" / _FILES[split]
    rows = {}
    for order, record in enumerate(csv.DictReader(file.read_text("utf-8").splitlines())):
        laac = frozenset(record["local_auxiliary_classifiers"].split("+"))
        scfa = record["scfa"] == "yes"
        uasr = _cells(record, "uasr") if "uasr_mean_percent" in record else {}
        rows[laac, scfa] = PublishedRow(
            laac=laac,
            scfa=scfa,
            order=order,
            tasr=_cells(record, "tasr"),
            uasr=uasr,
            uasr_mean_recomputed=spread([uasr[f].mean for f in FAMILIES]) if uasr else None,
            lpips=float(record["lpips"]),
        )
    return rows


def _cells(record: dict[str, str], measure: str) -> dict[str, Spread]:
    return {
        column: Spread(
            mean=float(record[f"{measure}_{column}_percent"]),
            std=float(record[f"{measure}_{column}_std_percent"]),
            n=len(FAMILIES) if column == "mean" else ARCHITECTURES_PER_FAMILY,
        )
        for column in (*FAMILIES, "mean")
    }
