"""How each attack stands on a board: means with intervals, ranks, tie groups, worst victim."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.metrics.success import (
    RATES,
    Measure,
    bootstrap_interval,
    family_spreads,
    overall_spread,
    success_rates,
)
from bench.report.comparison.contenders import Contender
from bench.report.comparison.ranking import rank_records
from bench.report.leaderboard.boards import Board
from bench.report.published import FAMILIES
from bench.report.records import AttackInfo
from bench.report.tables import build_table
from bench.report.values import Table
from bench.types import SPLITS

VIEWS = tuple((measure, split) for split, measure in RATES)
KINDS = ("attack", "preliminary", "control")


@dataclass(frozen=True, kw_only=True)
class Rank:
    """A rank, the 95 % interval of it, and the tie group."""

    rank: int
    low: int
    high: int
    tie_group: int


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


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One attack in one split.

    Attributes:
        kind: "attack", "preliminary" or "control"; only the first is ranked.
        record: The numbers of its row in Table 2 or 3, over the board's panel.
        ranks: By rate, where it is ranked.
        worst: By rate, the victim of the panel that it succeeds least on, and how far (per cent).
        scored: Rows over the panel, and how many there should be.
        cells: By rate and victim.
    """

    attack: AttackInfo
    kind: str
    split: str
    record: dict[str, Any]
    ranks: Mapping[Measure, Rank]
    worst: Mapping[Measure, tuple[str, float]]
    scored: tuple[int, int]
    cells: Mapping[Measure, Mapping[str, Cell]]

    @property
    def is_ranked(self) -> bool:
        """Whether it has a rank by any rate."""
        return bool(self.ranks)

    @property
    def complete(self) -> bool:
        """Whether every victim of the panel saw every image and target."""
        return self.scored[0] == self.scored[1]


@dataclass(frozen=True, kw_only=True)
class Standings:
    """All attacks of a board by split, best TASR first, and the paper's tables of them."""

    board: Board
    by_split: Mapping[str, tuple[Standing, ...]]
    tables: Mapping[str, Table]


def build_standings(board: Board) -> Standings:
    """Figures of a board; splits without rows are left out.

    Raises:
        ValueError: If the predictions cannot be honest.
    """
    found, tables = {}, {}
    for split in SPLITS:
        if not (board.run.predictions["split"] == split).any():
            continue
        tables[split] = _with_means(board, build_table(board.panel_run, split), split)
        found[split] = _standings(board, split, tables[split])
    return Standings(board=board, by_split=found, tables=tables)


def _with_means(board: Board, table: Table, split: str) -> Table:
    """The table with means over the panel where that has none of the protocol's families."""
    families = {victim.name: victim.family for victim in board.panel_run.victims}
    if set(families.values()) & set(FAMILIES):
        return table
    rows = board.panel_run.predictions
    rates = success_rates(rows, split)
    records = [dict(record) for record in table.records]
    for record in records:
        for measure in (measure for measure, where in VIEWS if where == split):
            found = family_spreads(rates, record["attack"], measure, families)
            mean = overall_spread(found.values()) if found else None
            if mean is None:
                continue
            ends = bootstrap_interval(rows, split, record["attack"], measure, families)
            std = None if mean.std is None else 100 * mean.std
            record[f"{measure}_mean_percent"] = 100 * mean.mean
            record[f"{measure}_mean_std_percent"] = std
            record[f"{measure}_mean_low_percent"] = 100 * ends[0] if ends else None
            record[f"{measure}_mean_high_percent"] = 100 * ends[1] if ends else None
    return replace(table, records=tuple(records))


def _standings(board: Board, split: str, table: Table) -> tuple[Standing, ...]:
    records = {record["attack"]: record for record in table.records}
    cells = _cells(board, split)
    expected = {a.name: board.expected[a.name, split] * len(board.panel) for a in board.run.attacks}
    scored = {
        name: sum(by_rate["tasr"][victim].rows for victim in board.panel)
        for name, by_rate in cells.items()
    }
    ranked = [
        Contender(label=attack.name, attack=attack, run=board.panel_run)
        for attack in board.run.attacks
        if board.kind(attack) == "attack" and scored[attack.name] == expected[attack.name]
    ]
    ranks = _ranks(ranked, split, board)
    found = [
        Standing(
            attack=attack,
            kind=board.kind(attack),
            split=split,
            record=records[attack.name],
            ranks=ranks.get(attack.name, {}),
            worst=_worst(cells[attack.name], board.panel),
            scored=(scored[attack.name], expected[attack.name]),
            cells=cells[attack.name],
        )
        for attack in board.run.attacks
    ]
    return tuple(sorted(found, key=_order))


def _order(one: Standing) -> tuple[int, bool, bool, float, float, str]:
    """By kind, then success; what is in part stands behind what is whole, what failed last."""
    tasr, uasr = (one.record.get(f"{rate}_mean_percent") for rate in ("tasr", "uasr"))
    high = -1.0
    return (
        KINDS.index(one.kind),
        not one.scored[0],
        not one.complete,
        -(high if tasr is None else tasr),
        -(high if uasr is None else uasr),
        one.attack.name,
    )


def _cells(board: Board, split: str) -> dict[str, dict[Measure, dict[str, Cell]]]:
    """By attack, rate and victim."""
    rates = success_rates(board.run.predictions, split)
    places = zip(rates["attack"], rates["victim"], strict=True)
    figures = dict(zip(places, rates[["n", "tasr", "uasr"]].to_numpy(np.float64), strict=True))
    measures: tuple[Measure, ...] = ("tasr", "uasr")

    def cell(attack: str, victim: str, column: int) -> Cell:
        expected = board.expected[attack, split]
        found = figures.get((attack, victim))
        if found is None:
            return Cell(value=None, rows=0, expected=expected)
        value = float(found[column])
        return Cell(
            value=None if math.isnan(value) else 100 * value,
            rows=int(found[0]),
            expected=expected,
        )

    return {
        attack.name: {
            measure: {v.name: cell(attack.name, v.name, column) for v in board.run.victims}
            for column, measure in enumerate(measures, start=1)
        }
        for attack in board.run.attacks
    }


def _worst(
    cells: Mapping[Measure, Mapping[str, Cell]], panel: tuple[str, ...]
) -> dict[Measure, tuple[str, float]]:
    found: dict[Measure, tuple[str, float]] = {}
    for measure, by_victim in cells.items():
        known = {v: c.value for v, c in by_victim.items() if v in panel and c.value is not None}
        if known:
            name = min(known, key=lambda victim: (known[victim], victim))
            found[measure] = (name, known[name])
    return found


def _ranks(contenders: list[Contender], split: str, board: Board) -> dict[str, dict[Measure, Rank]]:
    families = {v.name: v.family for v in board.panel_run.victims}
    found: dict[str, dict[Measure, Rank]] = {}
    for measure, where in VIEWS:
        able = [c for c in contenders if measure == "uasr" or c.attack.targeted]
        if where != split or not able:
            continue
        for record in rank_records(able, split, measure, families):
            found.setdefault(record["attack"], {})[measure] = Rank(
                rank=record["rank"],
                low=record["rank_low"],
                high=record["rank_high"],
                tie_group=record["tie_group"],
            )
    return found
