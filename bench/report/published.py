"""The paper's Tables 2 and 3 as printed, with the UASR means that follow from their own columns.

Erratum: the UASR "Mean" column of Table 2 does not follow from the table's own UASR columns in any
row; its values equal the TASR means of Table 3. Both figures are given, never one for the other.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

from bench.metrics.success import UASR, Spread, spread
from bench.records.metric import image_metrics, row_metrics
from bench.records.participants import ARCHITECTURES, FAMILIES, RowKey
from bench.types import IN, OUT

ARCHITECTURES_PER_FAMILY = len(ARCHITECTURES)
CLEAN_MINIMUM_PERCENT = {"wdf": 99.8, "pef": 99.8, "img": 99.7}
"""Lowest clean accuracy over the architectures of a family, on the Dresden images (sec. 5)."""
ERRATUM = UASR.name
_FILES = {IN: "table2_in_distribution.csv", OUT: "table3_out_of_distribution.csv"}


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """One printed row, in per cent.

    Attributes:
        order: Its place in the table.
        cells: By metric of rows, then by family or "mean"; only of what the table has.
        recomputed: The mean that follows from the printed columns, where the printed one does not.
        distortion: By metric of images.
    """

    order: int
    cells: dict[str, dict[str, Spread]]
    recomputed: dict[str, Spread | None]
    distortion: dict[str, float]


@cache
def published_rows(split: str) -> dict[RowKey, PublishedRow]:
    """The eight rows of Table 2 ("in") or Table 3 ("out"), by local classifiers and sCFA.

    None for real photographs, which the paper has in both tables.
    """
    if split not in _FILES:
        return {}
    file = resources.files("bench") / "assets" / "published" / _FILES[split]
    rows = {}
    for order, record in enumerate(csv.DictReader(file.read_text("utf-8").splitlines())):
        laac = frozenset(record["local_auxiliary_classifiers"].split("+"))
        names = [m.name for m in row_metrics() if f"{m.name}_mean_percent" in record]
        cells = {name: _cells(record, name) for name in names}
        means = {name: [found[family].mean for family in FAMILIES] for name, found in cells.items()}
        rows[laac, record["scfa"] == "yes"] = PublishedRow(
            order=order,
            cells=cells,
            recomputed={name: spread(of) for name, of in means.items() if name == ERRATUM},
            distortion={m.name: float(record[m.name]) for m in image_metrics(record)},
        )
    return rows


def _cells(record: dict[str, str], metric: str) -> dict[str, Spread]:
    return {
        column: Spread(
            mean=float(record[f"{metric}_{column}_percent"]),
            std=float(record[f"{metric}_{column}_std_percent"]),
            n=len(FAMILIES) if column == "mean" else ARCHITECTURES_PER_FAMILY,
        )
        for column in (*FAMILIES, "mean")
    }
