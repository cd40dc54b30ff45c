"""The figures of a run, each computed once and kept with the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.metrics.clean import Share, expected_calibration_error, reliability, share, shares_by
from bench.metrics.success import CLEAN_CONTROL, clean_rows, success_rates
from bench.records.metric import MetricSpec, row_metrics, views
from bench.records.participants import FAMILIES, AttackRecord, VictimRecord
from bench.records.run import RunData, once
from bench.types import SPLITS


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


def averaged(victims: Iterable[VictimRecord]) -> dict[str, str]:
    """Victim to family, of the victims that an overall mean is over.

    Those of the protocol's families, or all where there is none of them.
    """
    every = {one.name: one.family for one in victims}
    return {name: of for name, of in every.items() if of in FAMILIES} or every


def rated_attacks(run: RunData) -> Iterator[tuple[str, MetricSpec, AttackRecord]]:
    """Every split, rate and attack for which it is defined there; controls last."""
    for split, metric in views(run.splits):
        for attack in sorted(run.attacks, key=lambda one: (one.control, one.name)):
            if metric.defined(split, targeted=attack.targeted):
                yield split, metric, attack


def by_attack(run: RunData, rows: pd.DataFrame) -> Iterator[tuple[str, AttackRecord, pd.DataFrame]]:
    """Rows by split and attack, where there are any; controls last in each split."""
    groups = dict(iter(rows.groupby(["split", "attack"], sort=False)))
    for split in SPLITS:
        for attack in sorted(run.attacks, key=lambda one: (one.control, one.name)):
            if (mine := groups.get((split, attack.name))) is not None:
                yield split, attack, mine


@once
def _sorted_apart(run: RunData, table: str) -> dict[Any, pd.DataFrame]:
    return dict(iter(getattr(run, table).groupby(["attack", "split"], sort=False)))


def attack_rows(run: RunData, table: str, attack: str, split: str) -> pd.DataFrame:
    """The rows of one attack in one split; perhaps none."""
    none: pd.DataFrame = getattr(run, table).iloc[:0]
    return _sorted_apart(run, table).get((attack, split), none)


@once
def untouched_rows(run: RunData, split: str, condition: str = "") -> pd.DataFrame:
    """What victims say of the originals of a split, asked for every target: doing nothing.

    The rows of the identity control, each once a target; none where it was not scored. With a
    `condition`, as `run.conditions` says it, of originals under that.
    """
    table = "conditions" if condition else "predictions"
    clean = attack_rows(run, table, CLEAN_CONTROL, split)
    clean = clean[clean["said"] == condition] if condition else clean
    targets = pd.DataFrame({"target": run.classes})
    asked = clean.drop(columns=["target", "p_target"]).merge(targets, how="cross")
    return asked[asked["target"] != asked["source"]].assign(p_target=np.nan)


@once
def bias_of(run: RunData, split: str) -> pd.DataFrame:
    """Share of the untouched images of a split that each victim gives each class, in per cent.

    Returns:
        A row a victim, a column a class, the suite's first; NaN where a victim has none such, no
        rows where the identity control was not scored.
    """
    rows = attack_rows(run, "predictions", CLEAN_CONTROL, split)
    said = pd.crosstab(rows["victim"], rows["predicted"], normalize="index")
    others = sorted({name for one in run.victims for name in one.classes} - set(run.classes))
    said = 100 * said.reindex(columns=[*run.classes, *others], fill_value=0.0)
    for victim in run.victims:
        said.loc[said.index == victim.name, ~said.columns.isin(victim.classes)] = np.nan
    return said


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
