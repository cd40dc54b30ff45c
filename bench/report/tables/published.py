"""The paper's Tables 2 and 3 as printed, with the UASR means that follow from their own columns.

Erratum: the UASR "Mean" column of Table 2 does not follow from the table's own UASR columns in any
row; its values equal the TASR means of Table 3. Both figures are given, never one for the other.
"""

import csv
from functools import cache
from importlib import resources

from bench.metrics.success import UASR, spread
from bench.records.participants import ARCHITECTURES, FAMILIES, RowKey
from bench.types import IN, OUT

ARCHITECTURES_PER_FAMILY = len(ARCHITECTURES)
CLEAN_MINIMUM_PERCENT = {"wdf": 99.8, "pef": 99.8, "img": 99.7}
"""Lowest clean accuracy over the architectures of a family, on the Dresden images (sec. 5)."""
ERRATUM = UASR.name
_FILES = {IN: "table2_in_distribution.csv", OUT: "table3_out_of_distribution.csv"}


@cache
def published_rows(split: str) -> dict[RowKey, dict[str, float]]:
    """The eight rows of Table 2 ("in") or Table 3 ("out"), by local classifiers and sCFA.

    None for real photographs, which the paper has in both tables.

    Returns:
        In the table's order, figures by the names of our own records: `tasr_wdf_percent`,
        `tasr_wdf_std_percent`, `lpips`; `uasr_mean_recomputed_percent` follows from the printed
        columns where the printed mean does not.
    """
    if split not in _FILES:
        return {}
    file = resources.files("bench") / "assets" / "published" / _FILES[split]
    rows = {}
    for record in csv.DictReader(file.read_text("utf-8").splitlines()):
        laac = frozenset(record.pop("local_auxiliary_classifiers").split("+"))
        key, distortion = (laac, record.pop("scfa") == "yes"), float(record.pop("lpips"))
        figures = {name: float(value) for name, value in record.items()}
        if f"{ERRATUM}_mean_percent" in figures:
            found = spread([figures[f"{ERRATUM}_{family}_percent"] for family in FAMILIES])
            if found is not None and found.std is not None:
                figures[f"{ERRATUM}_mean_recomputed_percent"] = found.mean
                figures[f"{ERRATUM}_mean_recomputed_std_percent"] = found.std
        rows[key] = {**figures, "lpips": distortion}
    return rows
