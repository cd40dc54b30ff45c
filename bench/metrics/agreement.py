"""How far two scorings of the same images agree: rows that flip, and what that does to the rates.

Made for reduced precision against fp32. A victim agrees if its predictions differ in at most one
row of a thousand, and each of its success rates by at most 0.1 points or two rows, whichever is
more: networks that are sure of themselves lose nothing by a rounding of their sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.metrics.success import success_rates
from bench.records.frames import CELL
from bench.records.metric import row_metrics
from bench.types import SPLITS

LEAST_AGREEMENT = 0.999
RATE_TOLERANCE = 0.001
ROWS_TOLERANCE = 2


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What two scorings say of one victim.

    Attributes:
        rows: Compared.
        flipped: Rows with another predicted label.
        cells: Rates compared: attacks x splits x metrics, where they are defined.
        moved: Rates that differ by more than is tolerated.
        largest: The largest difference of a rate.
        largest_in: Attack, split and measure of that rate.
    """

    victim: str
    rows: int
    flipped: int
    cells: int
    moved: int
    largest: float
    largest_in: str

    @property
    def share(self) -> float:
        """Fraction of rows with the same predicted label."""
        return 1 - self.flipped / self.rows

    @property
    def agrees(self) -> bool:
        """Whether one may stand for the other."""
        return self.share >= LEAST_AGREEMENT and self.moved == 0


def compare_scorings(
    exact: pd.DataFrame, other: pd.DataFrame
) -> tuple[list[Agreement], pd.DataFrame]:
    """Compare two prediction frames over the same images, targets, attacks and victims.

    Returns:
        One entry a victim, in the order of the first frame; and the rows whose predicted labels
        differ, with both labels and their probabilities.

    Raises:
        ValueError: If they are not about the same rows.
    """
    labels = ["predicted", "p_predicted"]
    frames = [frame.assign(target=frame["target"].fillna("")) for frame in (exact, other)]
    joined = frames[0].merge(frames[1][[*CELL, *labels]], on=CELL, suffixes=("", "_other"))
    if not len(exact) == len(other) == len(joined):
        raise ValueError(
            f"expected the same rows twice, got {len(exact)} and {len(other)}, "
            f"{len(joined)} of them in both"
        )
    joined["flipped"] = joined["predicted"] != joined["predicted_other"]
    cell = ["attack", "split", "metric", "victim", "n"]
    rates = _rates(exact).merge(_rates(other), on=cell, suffixes=("", "_other")).dropna()
    rates["gap"] = (rates["rate"] - rates["rate_other"]).abs()
    tolerated = np.maximum(RATE_TOLERANCE, ROWS_TOLERANCE / rates["n"]) + 1e-9
    rates["moved"] = rates["gap"] > tolerated
    found = []
    for victim, rows in joined.groupby("victim", sort=False):
        mine = rates[rates["victim"] == victim]
        worst = next(iter(mine.nlargest(1, "gap").to_dict("records")), None)
        found.append(
            Agreement(
                victim=str(victim),
                rows=len(rows),
                flipped=int(rows["flipped"].sum()),
                cells=len(mine),
                moved=int(mine["moved"].sum()),
                largest=worst["gap"] if worst else 0.0,
                largest_in=" ".join(worst[name] for name in cell[:3]) if worst else "",
            )
        )
    shown = [*CELL, "source", *labels, *(f"{name}_other" for name in labels)]
    return found, joined.loc[joined["flipped"], shown].reset_index(drop=True)


def _rates(rows: pd.DataFrame) -> pd.DataFrame:
    """Every metric of rows of every cell, one a line, by its title."""
    rates = pd.concat([success_rates(rows, split).assign(split=split) for split in SPLITS])
    rates = rates.rename(columns={metric.name: metric.title for metric in row_metrics()})
    return rates.melt(["attack", "victim", "split", "n"], var_name="metric", value_name="rate")
