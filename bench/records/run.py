"""A run in memory: its tables and its entries, and what was computed of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import partial, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import pandas as pd

from bench.records.entry import Entry
from bench.records.frames import no_rows
from bench.records.metric import MetricSpec, image_metrics
from bench.records.participants import AttackRecord, FailedCell, VictimRecord
from bench.records.samples import Sample
from bench.types import REAL, SPLITS

ArgsT = ParamSpec("ArgsT")
FoundT = TypeVar("FoundT")


@dataclass(frozen=True, kw_only=True)
class RunData:
    """A validated run: its tables, and what its entries say.

    Attributes:
        entries: By attack, in the order of their names.
        conditions: Predictions under conditions: columns of these, and what people call them as
            `said`; the strongest attack first, then the best JPEG quality.
        condition_distortion: Distortions of weaker attacks, likewise.
        victims: All of the entries', each once.
        kept: What was computed of it: see `once`.
    """

    directory: Path
    predictions: pd.DataFrame
    distortion: pd.DataFrame
    entries: tuple[Entry, ...]
    victims: tuple[VictimRecord, ...]
    samples: tuple[Sample, ...]
    conditions: pd.DataFrame = field(default_factory=partial(no_rows, "conditions"))
    condition_distortion: pd.DataFrame = field(
        default_factory=partial(no_rows, "conditions-distortion")
    )
    kept: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def attacks(self) -> tuple[AttackRecord, ...]:
        """What the entries are of."""
        return tuple(entry.attack for entry in self.entries)

    def entry(self, attack: str) -> Entry:
        """The entry of an attack."""
        return next(entry for entry in self.entries if entry.attack.name == attack)

    @property
    def suite(self) -> str:
        """Name of the suite, on which all entries agree, as on all below."""
        return self.entries[0].suite.name

    @property
    def fingerprint(self) -> str:
        """Of the suite."""
        return self.entries[0].suite.fingerprint

    @property
    def classes(self) -> tuple[str, ...]:
        """Camera models of the suite that victims tell apart."""
        return self.entries[0].suite.classes

    @property
    def suite_notes(self) -> tuple[str, ...]:
        """What tables say of the suite."""
        return _unique(entry.suite.note for entry in self.entries)

    @property
    def audit(self) -> str | None:
        """Verdict of the suite's audit; `None` where an entry was made without one."""
        audits = [entry.suite.audit for entry in self.entries]
        found = [audit.verdict for audit in audits if audit is not None]
        return "; ".join(_unique(found)) if len(found) == len(audits) else None

    @property
    def recipe(self) -> str:
        """Training budget by name."""
        return self.entries[0].recipe

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of all training."""
        return tuple(sorted({entry.seed for entry in self.entries}))

    @property
    def scorer_version(self) -> int:
        """Of the code that made the rows."""
        return self.entries[0].scorer_version

    @property
    def lpips_version(self) -> str:
        """Version, network and weights."""
        return str(self.entries[0].lpips)

    @property
    def metrics(self) -> tuple[MetricSpec, ...]:
        """The metrics of images that it was measured by."""
        return image_metrics(self.distortion.columns)

    @property
    def splits(self) -> tuple[str, ...]:
        """Those that tables are made of: real photographs only where there are any."""
        there = set(self.predictions["split"].unique())
        return tuple(split for split in SPLITS if split in there or split != REAL)

    @property
    def failed(self) -> dict[tuple[str, str], FailedCell]:
        """Cells that failed, by (attack, victim)."""
        return {(e.attack.name, cell.victim): cell for e in self.entries for cell in e.failed}

    @property
    def suspicions(self) -> dict[tuple[str, str], str]:
        """What is suspected, by who ("attack fog", "victim pef-x") and kind."""
        return {
            (f"victim {one.victim}" if one.victim else f"attack {e.attack.name}", one.kind): (
                one.finding
            )
            for e in reversed(self.entries)
            for one in e.suspicions
        }

    @property
    def families(self) -> dict[str, str]:
        """Victim name to family."""
        return {victim.name: victim.family for victim in self.victims}


def once(
    function: Callable[Concatenate[RunData, ArgsT], FoundT],
) -> Callable[Concatenate[RunData, ArgsT], FoundT]:
    """Decorate what is computed of a run, so that it is computed once and kept with the run."""

    @wraps(function)
    def kept(run: RunData, /, *args: ArgsT.args, **kwargs: ArgsT.kwargs) -> FoundT:
        key = (function, args, tuple(kwargs.items()))
        if key not in run.kept:
            run.kept[key] = function(run, *args, **kwargs)
        found: FoundT = run.kept[key]
        return found

    return kept


def _unique(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
