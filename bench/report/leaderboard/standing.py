"""How each attack stands on a board: means with intervals, ranks, tie groups, worst victim."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.metrics.resampling import Figure
from bench.records.metric import headline, row_metrics
from bench.records.participants import AttackRecord
from bench.report.comparison.contenders import Contender, level_said
from bench.report.comparison.ranking import rank_records
from bench.report.conditions.curve_tables import at_text, ends_text
from bench.report.conditions.curves import Curve, curves_of
from bench.report.detection.scores import headline_aucs
from bench.report.leaderboard.boards import Board
from bench.report.linkage import linkage_by_attack
from bench.report.statistics import rates_of
from bench.report.tables.notes import MARK
from bench.report.tables.paper import build_table
from bench.report.tables.table import NA, Table, between, number
from bench.types import SPLITS

KINDS = ("attack", "preliminary", "control")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One attack on one victim in one split; `value` in per cent, `None` where undefined.

    Attributes:
        rows: Images and targets that were scored; 0 marks a hole.
        expected: How many there should be.
    """

    value: float | None
    rows: int
    expected: int

    @property
    def hole(self) -> bool:
        """Whether nothing was scored here: failed, or not run."""
        return self.rows == 0 and self.expected > 0

    @property
    def partial(self) -> bool:
        """Whether something is missing."""
        return 0 < self.rows < self.expected

    @property
    def text(self) -> str:
        """`84.6`, `84.6§` where some rows are missing, `hole` where all are, `n/a`: undefined."""
        if self.hole:
            return "hole"
        return number(self.value) + (MARK if self.partial and self.value is not None else "")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One attack in one split.

    Attributes:
        record: The numbers of its row in Table 2 or 3, over the board's panel.
        ranks: By rate, where it is ranked, what `rank_records` says.
        curves: By rate, success over distortion; `None` on a board without weaker attacks.
        aucs: Of "detection" by those that have not seen it, and of the "device" that its images
            fit, where they were computed.
        worst: By rate, the victim of the panel that it succeeds least on, and how far (per cent).
        scored: Rows over the panel, and how many there should be.
        cells: By rate and victim.
    """

    attack: AttackRecord
    split: str
    record: dict[str, Any]
    ranks: Mapping[str, dict[str, Any]]
    curves: Mapping[str, Curve] | None
    aucs: Mapping[str, Figure]
    worst: Mapping[str, tuple[str, float]]
    scored: tuple[int, int]
    cells: Mapping[str, Mapping[str, Cell]]

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return self.attack.kind

    @property
    def competes(self) -> bool:
        """Whether it may be ranked: every attack, and a control that is targeted as they are."""
        return self.kind == "attack" or (self.kind == "control" and self.attack.targeted)

    def success(self, metric: str) -> float | None:
        """What it is ordered by, in per cent: success at the level, else at full strength."""
        if self.curves is None:
            mean: float | None = self.record.get(f"{metric}_mean_percent")
            return mean
        at = self.curves[metric].at[0] if metric in self.curves else None
        return None if at is None else 100 * at

    @property
    def is_ranked(self) -> bool:
        """Whether it has a rank by any rate."""
        return bool(self.ranks)

    @property
    def complete(self) -> bool:
        """Whether every victim of the panel saw every image and target."""
        return self.scored[0] == self.scored[1]

    @property
    def scored_text(self) -> str:
        """`all`, or how much of it."""
        if self.complete:
            return "all"
        return f"{self.scored[0]} of {self.scored[1]}" if self.scored[0] else "nothing"

    def mean_text(self, metric: str, *, interval: bool = True) -> str:
        """A mean with its 95 % interval, marked where it is over a part alone, or `n/a`."""
        figures = ("mean", "mean_low", "mean_high")
        mean, low, high = (self.record[f"{metric}_{figure}_percent"] for figure in figures)
        text = number(mean) + ("" if self.complete or mean is None else MARK)
        return f"{text} ({between(low, high)})" if interval and low is not None else text

    def level_text(self, metric: str) -> str:
        """Success at the level with its 95 % interval, marked where it is the whole attack's."""
        curve = (self.curves or {}).get(metric)
        if curve is None:
            return NA
        text = at_text(curve) + (MARK if not self.complete and curve.at[0] is not None else "")
        return f"{text} ({ends_text(curve)})" if curve.at[1] else text


@dataclass(frozen=True, kw_only=True)
class Standings:
    """All attacks of a board by split, best first, and the paper's tables of them."""

    board: Board
    by_split: Mapping[str, tuple[Standing, ...]]
    tables: Mapping[str, Table]

    @property
    def aucs(self) -> list[str]:
        """Those of `Standing.aucs` that any attack has."""
        known = {name for found in self.by_split.values() for one in found for name in one.aucs}
        return sorted(known)

    @property
    def level(self) -> str:
        """Where attacks are ranked, "LPIPS 0.04"; nothing where no weaker ones were scored."""
        return level_said(self.board.run) if self.board.at_level else ""


def build_standings(board: Board) -> Standings:
    """Figures of a board; splits without rows are left out.

    Raises:
        ValueError: If the predictions cannot be honest.
    """
    there = [split for split in SPLITS if (board.run.predictions["split"] == split).any()]
    tables = {split: build_table(board.panel_run, split) for split in there}
    found = {split: _standings(board, split, table) for split, table in tables.items()}
    return Standings(board=board, by_split=found, tables=tables)


def _standings(board: Board, split: str, table: Table) -> tuple[Standing, ...]:
    rates = rates_of(board.run, split).set_index(["attack", "victim"]).to_dict("index")
    records = {record["attack"]: record for record in table.records}
    curves: dict[str, dict[str, Curve]] = {attack.name: {} for attack in board.run.attacks}
    for curve in curves_of(board.panel_run) if board.at_level else ():
        if curve.split == split:
            curves[curve.attack.name][curve.metric.name] = curve
    found = []
    for attack in board.run.attacks:
        name, expected = attack.name, board.expected[attack.name, split]
        cells: dict[str, dict[str, Cell]] = {metric.name: {} for metric in row_metrics()}
        for victim in board.run.victims:
            known = rates.get((name, victim.name), {"n": 0})
            for metric, by_victim in cells.items():
                value = known.get(metric, math.nan)
                by_victim[victim.name] = Cell(
                    value=None if math.isnan(value) else 100 * float(value),
                    rows=int(known["n"]),
                    expected=expected,
                )
        scored = sum(cells[headline().name][victim].rows for victim in board.panel)
        found.append(
            Standing(
                attack=attack,
                split=split,
                record=records[name],
                ranks={},
                curves=curves[name] if board.at_level else None,
                aucs=_aucs(board, name, split),
                worst={m: one for m, mine in cells.items() if (one := _worst(mine, board.panel))},
                scored=(scored, expected * len(board.panel)),
                cells=cells,
            )
        )
    ranks = _ranks([one for one in found if one.competes and one.complete], board, split)
    return tuple(
        sorted((replace(one, ranks=ranks.get(one.attack.name, {})) for one in found), key=_order)
    )


def _aucs(board: Board, attack: str, split: str) -> dict[str, Figure]:
    """By the first folder that says; but detectors of other folders learned from other attacks."""
    names = {source.directory: source.entry.attack.name for source in board.sources[attack]}
    found: dict[str, Figure] = {}
    for place, run in enumerate(one.run for one in board.submissions):
        of = (names.get(run.directory, ""), split)
        if place == 0 and (detected := headline_aucs(run).get(of)):
            found["detection"] = detected.auc
        if linked := linkage_by_attack(run).get(of):
            found.setdefault("device", linked.auc)
    return found


def _order(one: Standing) -> tuple[Any, ...]:
    """Who competes, then by kind and success; what is in part behind what is whole, failed last."""
    means = [one.success(metric.name) for metric in row_metrics()]
    return (
        0 if one.competes else KINDS.index(one.kind),
        not one.scored[0],
        not one.complete,
        *(1.0 if mean is None else -mean for mean in means),
        one.attack.name,
    )


def _worst(by_victim: Mapping[str, Cell], panel: tuple[str, ...]) -> tuple[str, float] | None:
    known = [
        (v, cell.value) for v, cell in by_victim.items() if v in panel and cell.value is not None
    ]
    return min(known, key=lambda one: (one[1], one[0]), default=None)


def _ranks(
    found: Sequence[Standing], board: Board, split: str
) -> dict[str, dict[str, dict[str, Any]]]:
    """By attack and rate."""
    ranks: dict[str, dict[str, dict[str, Any]]] = {}
    families, equal = board.panel_run.families, board.at_level
    for metric in row_metrics(split):
        able = [
            Contender(attack=one.attack, run=board.panel_run)
            for one in found
            if metric.defined(split, targeted=one.attack.targeted)
            and (not equal or one.success(metric.name) is not None)
        ]
        for record in rank_records(able, split, metric, families, equal=equal):
            ranks.setdefault(record["attack"], {})[metric.name] = record
    return ranks
