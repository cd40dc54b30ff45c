"""Success rates and their spread: pure functions of the two Parquet tables.

TASR is the fraction of anonymised images that a victim gives the target label, UASR the fraction
that it gives any label but the source's (Andrews et al. 2020, sec. 5). What is undefined stays
undefined: TASR of an untargeted attack and UASR out of distribution are NaN in a frame, `None` in a
`Spread`, and never enter a mean. Rates are fractions; only tables speak in per cent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bench.records.metric import MetricSpec, row_metrics, row_values
from bench.registry import Entry
from bench.types import IN

CLEAN_CONTROL = "identity"


def target_named(rows: pd.DataFrame) -> "pd.Series[float]":
    """1.0 where a prediction is the target's label."""
    return (rows["predicted"] == rows["target"]).fillna(False).astype("float64")


def source_missed(rows: pd.DataFrame) -> "pd.Series[float]":
    """1.0 where a prediction is another label than the source's."""
    return (rows["predicted"] != rows["source"]).fillna(False).astype("float64")


TASR = MetricSpec(
    name="tasr",
    title="TASR",
    needs="target",
    meaning="share of anonymised images given the target label",
)
UASR = MetricSpec(
    name="uasr", title="UASR", needs="source", meaning="share given any label but the source's"
)
ENTRIES = (Entry(spec=TASR, builder=target_named), Entry(spec=UASR, builder=source_missed))


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A mean of `n` values and their sample standard deviation (ddof=1; `None` for one value)."""

    mean: float
    std: float | None
    n: int


def spread(values: Sequence[float]) -> Spread | None:
    """Mean and sample standard deviation, or `None` for no values at all.

    Raises:
        ValueError: If a value is NaN; an undefined figure has no place in a mean.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.size == 0:
        return None
    if np.isnan(numbers).any():
        raise ValueError(f"expected defined values to average, got {list(values)}")
    std = float(numbers.std(ddof=1)) if numbers.size > 1 else None
    return Spread(mean=float(numbers.mean()), std=std, n=int(numbers.size))


def success_rates(predictions: pd.DataFrame, split: str) -> pd.DataFrame:
    """Every metric of rows of every attack on every victim in one split.

    Returns:
        Columns attack, victim, n, and one a metric; NaN marks what is undefined.

    Raises:
        ValueError: If an attack has targeted and untargeted rows.
    """
    rows, metrics = predictions[predictions["split"] == split], row_metrics()
    scored = rows[["attack", "victim"]].assign(
        n=rows["target"].notna(), **{m.name: row_values(rows, m) for m in metrics}
    )
    groups = scored.groupby(["attack", "victim"], sort=True)
    rates = groups[[m.name for m in metrics]].mean().reset_index()
    rates.insert(2, "n", groups.size().to_numpy())
    targeted = groups["n"].mean().to_numpy()
    mixed = rates.loc[(targeted > 0) & (targeted < 1), "attack"]
    if len(mixed):
        raise ValueError(
            f"attack {mixed.iloc[0]!r} has both targeted and untargeted rows; score it anew"
        )
    for m in metrics:
        defined = [m.defined(split, targeted=bool(share)) for share in targeted]
        rates.loc[~np.array(defined, dtype=bool), m.name] = np.nan
    return rates


def family_spreads(
    rates: pd.DataFrame, attack: str, metric: MetricSpec, families: Mapping[str, str]
) -> dict[str, Spread | None]:
    """Mean and spread over the architectures of each family, for one attack.

    Args:
        rates: What `success_rates` returns.
        attack: The attack's name.
        metric: Which rate.
        families: Victim name to family; victims without rows are left out of the cell.

    Returns:
        Every family of `families`; `None` where the rate is undefined or nothing was scored.

    Raises:
        ValueError: If the rate is defined on some victims of a family and not on others.
    """
    mine = rates[rates["attack"] == attack].set_index("victim")[metric.name]
    cells: dict[str, Spread | None] = {}
    for family in dict.fromkeys(families.values()):
        values = [float(mine[v]) for v, f in families.items() if f == family and v in mine.index]
        undefined = bool(values) and bool(np.isnan(values).all())
        cells[family] = None if undefined else spread(values)
    return cells


def overall_spread(cells: Iterable[Spread | None]) -> Spread | None:
    """Mean and sample standard deviation of the family means; `None` if any of them is."""
    known = list(cells)
    means = [cell.mean for cell in known if cell is not None]
    return spread(means) if len(means) == len(known) else None


def clean_rows(predictions: pd.DataFrame) -> pd.DataFrame:
    """Rows of the untouched in-distribution images.

    Raises:
        ValueError: If the identity control was not scored.
    """
    chosen = (predictions["split"] == IN) & (predictions["attack"] == CLEAN_CONTROL)
    rows = predictions[chosen]
    if rows.empty:
        raise ValueError(
            f"no in-distribution rows of the {CLEAN_CONTROL!r} control, so clean accuracy is "
            f"unknown; score {CLEAN_CONTROL!r} as well"
        )
    return rows


def confusion(
    rows: pd.DataFrame, by: Literal["source", "target"], classes: Sequence[str]
) -> pd.DataFrame:
    """Share of each predicted label within each source or target label, pooled over victims.

    Returns:
        Rows are the labels that occur, columns `classes` and what else was predicted, both in the
        order of `classes` and then by name. Each row sums to 1.
    """
    shares = pd.crosstab(rows[by], rows["predicted"], normalize="index")
    first = [name for name in classes if name in shares.index]
    order = [*first, *sorted(set(shares.index) - set(first))]
    columns = [*classes, *sorted(set(shares.columns) - set(classes))]
    return shares.reindex(index=order, columns=columns, fill_value=0.0)
