"""What a validated run holds: its two tables, and what its entries say of attacks and victims."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from bench.report.coverage import PARTIAL, Coverage
from bench.report.samples import Sample
from bench.types import REAL, SPLITS

NO_NETWORK = "none"
"""The digest of what failed before there was a network."""


@dataclass(frozen=True, kw_only=True)
class FailedCell:
    """A hole: what went wrong when this victim was scored on an attack's images.

    Attributes:
        who: Failed; the attack itself, the victim, or something that one of them needs.
        log: With the traceback, relative to the run's folder.
    """

    victim: str
    who: str
    reason: str
    log: str


@dataclass(frozen=True, kw_only=True)
class Unmeasured:
    """What is missing of an attack beside its cells, such as "distortion"; see `FailedCell`."""

    what: str
    who: str
    reason: str
    log: str


@dataclass(frozen=True, kw_only=True)
class Suspected:
    """What the outputs of an attack or of a victim look like; see `bench.metrics.suspicions`.

    Attributes:
        victim: Whose; "" for the attack itself.
    """

    victim: str
    kind: str
    finding: str


@dataclass(frozen=True, kw_only=True)
class AttackInfo:
    """What an entry says of its attack, with the LPIPS state and the provenance of its run.

    Attributes:
        label: For people; says so where the row is partial.
        partial: How much of the images there is, where some are missing.
        not_covered: What shapes a plug-in's results perhaps and is not part of its key.
    """

    name: str
    key: str
    label: str
    targeted: bool
    control: bool
    laac: tuple[str, ...]
    scfa: bool
    paper_row: bool
    preliminary: bool
    paper: str
    licence: str
    provenance: dict[str, Any]
    partial: Coverage | None = None
    not_covered: tuple[str, ...] = ()
    failed: tuple[FailedCell, ...] = ()
    unmeasured: tuple[Unmeasured, ...] = ()
    suspicions: tuple[Suspected, ...] = ()
    digest: str = ""

    @property
    def caption(self) -> str:
        """Its label, where that says more than its name."""
        label = self.label.removesuffix(PARTIAL).strip()
        return "" if self.name.startswith(label) else label

    @property
    def is_full_method(self) -> bool:
        """Whether this is the paper's full method: all three local classifiers and no sCFA."""
        return self.row == (frozenset({"img", "wdf", "pef"}), False)

    @property
    def row(self) -> tuple[frozenset[str], bool] | None:
        """Local classifiers and sCFA, by which the paper's tables name a row.

        `None` for what has no place in them: whatever is not one of the eight, such as controls,
        preliminary attacks, and plug-ins however much they resemble one.
        """
        if self.control or not self.targeted or not self.paper_row:
            return None
        return frozenset(self.laac), self.scfa


@dataclass(frozen=True, kw_only=True)
class VictimInfo:
    """A victim as an entry declares it.

    Attributes:
        digest: Of its weights.
        precision: Its backbone's.
        partial: How many of the images it was asked about it answered, where some are missing.
        labels_only: Whether it states no probabilities.
        elsewhere: Whether only its predictions are known.
        not_covered: As of an attack.
    """

    name: str
    key: str
    family: str
    backbone: str
    digest: str = ""
    precision: str = "fp32"
    partial: Coverage | None = None
    labels_only: bool = False
    elsewhere: bool = False
    not_covered: tuple[str, ...] = field(default=(), compare=False)

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.name} {PARTIAL}" if self.partial else self.name


@dataclass(frozen=True, kw_only=True)
class RunData:
    """A validated run: two tables, and what its entries agree on."""

    directory: Path
    predictions: pd.DataFrame
    distortion: pd.DataFrame
    attacks: tuple[AttackInfo, ...]
    victims: tuple[VictimInfo, ...]
    samples: tuple[Sample, ...]
    suite: str
    fingerprint: str
    classes: tuple[str, ...]
    suite_notes: tuple[str, ...]
    audit: str | None
    recipe: str
    seeds: tuple[int, ...]
    scorer_version: int
    lpips_version: str

    @property
    def splits(self) -> tuple[str, ...]:
        """Those that tables are made of: real photographs only where there are any."""
        there = set(self.predictions["split"])
        return tuple(split for split in SPLITS if split in there or split != REAL)

    @property
    def failed(self) -> dict[tuple[str, str], FailedCell]:
        """Cells that failed, by (attack, victim)."""
        return {(one.name, cell.victim): cell for one in self.attacks for cell in one.failed}

    @property
    def unmeasured(self) -> list[tuple[str, Unmeasured]]:
        """What else failed, with the attack that it is missing of."""
        return [(one.name, missing) for one in self.attacks for missing in one.unmeasured]

    @property
    def suspicions(self) -> dict[tuple[str, str], str]:
        """What is suspected, by who ("attack fog", "victim pef-x") and kind."""
        return {
            (f"victim {one.victim}" if one.victim else f"attack {attack.name}", one.kind): (
                one.finding
            )
            for attack in reversed(self.attacks)
            for one in attack.suspicions
        }

    @property
    def families(self) -> dict[str, str]:
        """Victim name to family."""
        return {victim.name: victim.family for victim in self.victims}

    def whole_families(self, among: Collection[str]) -> dict[str, str]:
        """The same for the victims that a mean is over: of these families, and not partial."""
        return {v.name: v.family for v in self.victims if v.family in among and not v.partial}
