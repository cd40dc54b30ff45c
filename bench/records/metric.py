"""What a metric is, and the registry of them: columns of the tables, known by no other name.

A metric of images compares an original with its anonymised version, once for all victims; it has a
column of `distortion.parquet`. A metric of rows is a fraction for each prediction, averaged over
images, architectures and families, and computed anew from `predictions.parquet`. Both are found by
entry points of the group `camobench.metrics`; a file such as this is all that a new one takes:

    def changed(originals: Tensor, anonymised: Tensor) -> Tensor:  # (N, 3, H, W) uint8 to (N,)
        return (originals != anonymised).float().mean((1, 2, 3))

    CHANGED = MetricSpec(name="changed", title="Changed", needs="images", higher_is_better=False)
    ENTRY = Entry(spec=CHANGED, builder=changed)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from bench.registry import Entry, Registry
from bench.types import IN, SPLITS, CamobenchError

Needs = Literal["images", "target", "source"]


@dataclass(frozen=True, kw_only=True)
class MetricSpec:
    """What a metric is and where it is defined.

    Attributes:
        name: Of its figures in tables and records, such as "tasr"; letters, digits and "_".
        title: For people.
        needs: "images", a metric of images; else one of rows, "target" of those that have one, or
            "source" of those in distribution, where the source is a class of the victims.
        higher_is_better: For who anonymises.
        meaning: Of a metric of rows, for the notes.
        unit: Of a metric of images, such as "dB"; rows are shown in per cent.
        digits: Shown.
        lowest: That there can be.
        highest: Likewise.
        unchanged: Of an image that equals its original.
        level: Of a metric of images: where attacks are compared at equal distortion, if by it.
        version: Raise it when a change of code changes results; of a metric of images that ships it
            is the scorer's, and no run lacks those.
    """

    name: str
    title: str
    needs: Needs
    higher_is_better: bool = True
    meaning: str = ""
    unit: str = ""
    digits: int = 1
    lowest: float = 0.0
    highest: float = 1.0
    unchanged: float = 0.0
    level: float | None = None
    version: int = 1

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"metric name {self.name!r} must be of letters, digits and '_'")

    @property
    def heading(self) -> str:
        """Of its columns: title and direction."""
        return f"{self.title}{'↑' if self.higher_is_better else '↓'}"

    @property
    def axis(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def defined(self, split: str, *, targeted: bool = True) -> bool:
        """Whether there are rows in a split, of attacks of a kind, that it is defined on."""
        return split == IN if self.needs == "source" else targeted or self.needs != "target"


def _entries(thing: Any) -> Iterable[Entry[MetricSpec, Any]]:
    things = thing if isinstance(thing, list | tuple) else [thing]
    for one in things:
        if not (isinstance(one, Entry) and isinstance(one.spec, MetricSpec)):
            raise TypeError(f"expected an `Entry` with a `MetricSpec`, got {one!r}")
    return things


METRICS: Registry[MetricSpec, Any] = Registry("metric", "camobench.metrics", _entries)


def _registered() -> list[MetricSpec]:
    found = [entry.spec for entry in METRICS]
    if not found:
        raise CamobenchError("this installation has no metrics: install camobench again")
    return found


def image_metrics(columns: Collection[str] | None = None) -> tuple[MetricSpec, ...]:
    """Metrics of images: all, or those that have one of these columns."""
    found = (metric for metric in _registered() if metric.needs == "images")
    return tuple(one for one in found if columns is None or one.name in columns)


def row_metrics(split: str | None = None) -> tuple[MetricSpec, ...]:
    """Metrics of rows: all, or those that are defined in a split."""
    found = (metric for metric in _registered() if metric.needs != "images")
    return tuple(m for m in found if split is None or m.defined(split))


def headline() -> MetricSpec:
    """What attacks are ranked and named by: the first metric of rows, which needs a target."""
    return row_metrics()[0]


def views(splits: Iterable[str] = SPLITS) -> tuple[tuple[str, MetricSpec], ...]:
    """Where each metric of rows is defined: (split, metric)."""
    return tuple((split, metric) for split in splits for metric in row_metrics(split))


def row_values(rows: pd.DataFrame, metric: MetricSpec) -> pd.Series[float]:
    """The metric of each prediction row; where it is not defined, whatever it returns.

    Raises:
        CamobenchError: If it is not of these rows, or beyond its bounds where it is defined.
    """
    found = METRICS.get(metric.name).builder(rows)
    if isinstance(found, pd.Series) and found.index.equals(rows.index):
        values = found.astype("float64")
        defined = rows["target"].notna() if metric.needs == "target" else rows["split"] == IN
        if not (defined & ((values < metric.lowest) | (values > metric.highest))).any():
            return values
    bounds = f"{metric.lowest:g} to {metric.highest:g}"
    raise CamobenchError(
        f"metric {metric.name}: expected a Series of numbers from {bounds} by the rows' index"
    )
