"""The figures of a run, each computed once and kept with the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.metrics.clean import (
    Share,
    expected_calibration_error,
    reliability,
    share,
    shares_by,
)
from bench.metrics.distortion import mean_distortion
from bench.metrics.success import (
    CLEAN_CONTROL,
    Spread,
    bootstrap_interval,
    clean_rows,
    family_spreads,
    overall_spread,
    success_rates,
)
from bench.records.metric import row_metrics
from bench.records.participants import FAMILIES
from bench.records.run import RunData, once

Interval = tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """All that is known of one attack in one split, as fractions.

    Attributes:
        cells: By metric of rows, then by family; under "mean" over the protocol's families.
        intervals: Of the means, by metric.
        distortion: Means by metric of images.
        images: Images and targets a victim.
    """

    cells: dict[str, dict[str, Spread | None]]
    intervals: dict[str, Interval]
    distortion: dict[str, float | None]
    images: int


@dataclass(frozen=True, kw_only=True)
class Clean:
    """A victim on the untouched in-distribution images of Set-C.

    Attributes:
        bins: What `reliability` returns; `None`, as below, for a victim without probabilities,
            and for one whose logits were probabilities.
        ece_percent: Expected calibration error.
    """

    overall: Share
    models: tuple[Share, ...]
    devices: tuple[Share, ...]
    bins: pd.DataFrame | None
    ece_percent: float | None


@once
def untouched_rows(run: RunData, split: str) -> pd.DataFrame:
    """What victims say of the originals of a split, asked for every target: doing nothing.

    The rows of the identity control, each once a target; none where it was not scored.
    """
    rows = run.predictions
    clean = rows[(rows["split"] == split) & (rows["attack"] == CLEAN_CONTROL)]
    targets = pd.DataFrame({"target": run.classes})
    asked = clean.drop(columns=["target", "p_target"]).merge(targets, how="cross")
    return asked[asked["target"] != asked["source"]].assign(p_target=np.nan)


@once
def rates_of(run: RunData, split: str) -> pd.DataFrame:
    """What `success_rates` returns; the identity control is asked for every target."""
    rates = success_rates(run.predictions, split).set_index(["attack", "victim"])
    if len(nothing := untouched_rows(run, split)):
        names = [metric.name for metric in row_metrics(split) if metric.needs == "target"]
        rates.update(success_rates(nothing, split).set_index(["attack", "victim"])[names])
    return rates.reset_index()


@once
def clean_of(run: RunData) -> dict[str, Clean]:
    """Every victim that saw untouched images, by name.

    Raises:
        ValueError: If the identity control was not scored.
    """
    found = {}
    for victim, rows in clean_rows(run.predictions).groupby("victim"):
        bins = None
        odd = (f"victim {victim}", "probabilities") in run.suspicions
        if rows["p_predicted"].notna().any() and not odd:
            bins = reliability(rows["p_predicted"], rows["predicted"] == rows["source"])
        found[str(victim)] = Clean(
            overall=share("all", rows),
            models=shares_by(rows, "source"),
            devices=shares_by(rows, "device"),
            bins=bins,
            ece_percent=None if bins is None else 100 * expected_calibration_error(bins),
        )
    return found


@once
def figures_of(
    run: RunData, split: str, attack: str, counted: tuple[str, ...] = FAMILIES
) -> Figures:
    """The figures of an attack over the families `counted`, and of each family beside them."""
    rates, families = rates_of(run, split), run.whole_families(counted)
    beside = {name: family for name, family in run.families.items() if family not in counted}
    cells: dict[str, dict[str, Spread | None]] = {}
    intervals: dict[str, Interval] = {}
    for metric in row_metrics(split):
        found = family_spreads(rates, attack, metric, families | beside)
        inside = [cell for family, cell in found.items() if family in counted]
        mean = overall_spread(inside) if inside else None
        cells[metric.name] = found | {"mean": mean}
        intervals[metric.name] = None
        if mean is not None:
            asked = attack == CLEAN_CONTROL and metric.needs == "target"
            rows = untouched_rows(run, split) if asked else run.predictions
            intervals[metric.name] = bootstrap_interval(rows, split, attack, metric, families)
    counts = rates.loc[rates["attack"] == attack, "n"]
    return Figures(
        cells=cells,
        intervals=intervals,
        distortion=mean_distortion(run.distortion, split, attack),
        images=int(counts.max()) if len(counts) else 0,
    )
