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
from bench.metrics.success import CLEAN_CONTROL, clean_rows, success_rates
from bench.records.metric import row_metrics
from bench.records.run import RunData, once


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
