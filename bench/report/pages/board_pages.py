"""What the pages of a board show: its own, and a card for every attack and every victim."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from bench.records.metric import MetricSpec, headline, views
from bench.records.participants import AttackRecord, VictimRecord
from bench.records.samples import most_complete
from bench.report.cards import Card, build_cards
from bench.report.conditions.curve_tables import CURVES
from bench.report.conditions.survival import SURVIVAL
from bench.report.leaderboard.board_tables import board_table, rank_text
from bench.report.leaderboard.boards import Board, Source, slug
from bench.report.leaderboard.standing import KINDS, Standing, Standings
from bench.report.pages.charts import (
    Label,
    Matrix,
    bias_matrices,
    confusion_matrices,
    histogram,
    matrix_of,
    success_by_label,
)
from bench.report.pages.environment import render_page
from bench.report.pages.scatter import success_scatters
from bench.report.statistics import clean_of
from bench.report.tables.column import targets_table
from bench.report.tables.render import render
from bench.report.tables.table import Row, Table
from bench.types import SPLITS

CAMERAS = {"cameras.png": "One scene through all simulated cameras."}
MOST_SAMPLES = 6
Pages = Iterator[tuple[str, str]]
View = tuple[str, MetricSpec]
Link = Callable[[str, Path], str]
"""The address of a file of an entry folder, by the folder's name."""


class BoardPages:
    """The pages of one board.

    Args:
        standings: Of the board.
        link: Where entries' files are found.
    """

    def __init__(self, standings: Standings, link: Link) -> None:
        self._standings, self._link = standings, link
        self._board, self._run = standings.board, standings.board.run
        self._by_name = {
            (split, one.attack.name): one
            for split, found in standings.by_split.items()
            for one in found
        }
        self._views = {f"{m.name}-{split}": (split, m) for split, m in views(standings.by_split)}
        self._cameras, self._targets = camera_matrices(standings), targets_table(self._run)
        panel = self._board.panel_run
        self._conditions = {
            one.stem: (one.build(panel), one.draw(panel))
            for one in (CURVES, SURVIVAL)
            if one.is_there(panel) and one.draw
        }
        self._shared: dict[str, Any] = {
            "root": "../",
            "link": link,
            "source_links": self._source_links,
            "base": self._board.submissions[0],
            "cameras": self._cameras,
            "bias": bias_matrices(self._run),
            "board": self._board,
            "run": self._run,
            "standings": standings,
            "views": tuple(self._views),
            "order": next(iter(standings.by_split.values())),
            "cell": self._cell,
            "mean": self._mean,
            "slug": slug,
            "rank_text": rank_text,
        }

    def __iter__(self) -> Pages:
        """File name and text of everything beside the board's index."""
        yield "index.html", self._page("board", self._board_values())
        yield "cells.csv", cells_csv(self._standings)
        yield "targets.csv", render(self._targets, "csv")
        for stem, (_, chart) in self._conditions.items():
            yield f"{stem}.svg", chart
        for attack in self._run.attacks:
            page = self._page("attack", self._attack_values(attack))
            yield f"attack-{slug(attack.name)}.html", page
        cards = board_cards(self._board)
        for victim in self._run.victims:
            page = self._page("victim", self._victim_values(victim, cards[victim.name]))
            yield f"victim-{slug(victim.name)}.html", page

    def _page(self, template: str, values: dict[str, Any]) -> str:
        return render_page(f"{template}.html", **self._shared, **values)

    def _cell(self, view: str, attack: str, victim: str) -> str:
        split, metric = self._views[view]
        return self._by_name[split, attack].cells[metric.name][victim].text

    def _mean(self, view: str, attack: str) -> str:
        split, metric = self._views[view]
        return self._by_name[split, attack].mean_text(metric.name, interval=False)

    def _board_values(self) -> dict[str, Any]:
        board, run, standings = self._board, self._run, self._standings
        shown = {
            split: (
                [one.record for one in found],
                [one.attack.name for one in found if not one.complete],
            )
            for split, found in standings.by_split.items()
        }
        scatters = success_scatters(self._views.values(), run.metrics, shown)
        drawn = {(chart.split, chart.metric) for chart in scatters}
        folder = board.submissions[0].run.directory
        more = [folder / name for name in ("claims.md", "victims.md")]
        audits = (source.entry.suite.audit for all_ in board.sources.values() for source in all_)
        return {
            "tables": {split: board_table(standings, split) for split in shown},
            "orders": {view: mean_order(standings, *of) for view, of in self._views.items()},
            "clean": clean_of(run),
            "scatters": scatters,
            "empty": [(s, m) for s, m in self._views.values() if (s, m) not in drawn],
            "fidelities": [m for m in run.metrics if m in {chart.fidelity for chart in scatters}],
            "conditions": {stem: table for stem, (table, _) in self._conditions.items()},
            "leaders": {
                split: [
                    one for one in found if one.ranks.get(headline().name, {}).get("rank_low") == 1
                ]
                for split, found in standings.by_split.items()
            },
            "audit": next(filter(None, audits), None),
            "pictures": self._pictures(CAMERAS | _figure3(most_complete(run.attacks))),
            "more": [path for path in more if path.is_file()],
        }

    def _attack_values(self, attack: AttackRecord) -> dict[str, Any]:
        run, kept = self._run, self._board.submissions[0].run.samples
        pictured = attack.name == most_complete(run.attacks)
        rows = run.distortion[run.distortion["attack"] == attack.name]
        splits = tuple(self._standings.by_split)
        return {
            "attack": attack,
            "sources": self._board.sources[attack.name],
            "by_split": {split: self._by_name[split, attack.name] for split in splits},
            "confusions": [
                matrix
                for split in splits
                for matrix in confusion_matrices(self._board.panel_run, split, attack.name)
            ],
            "by_camera": [m for _, m in self._cameras if attack.name in m.rows],
            "targets": replace(self._targets, rows=_rows_of(self._targets, attack.name)),
            "conditions": [
                replace(table, rows=mine)
                for table, _ in self._conditions.values()
                if (mine := _rows_of(table, attack.marked))
            ],
            "histograms": [
                (split, metric, bars)
                for metric in run.metrics
                for split in splits
                if metric.unit
                and (bars := histogram(rows.loc[rows["split"] == split, metric.name], metric.unit))
            ],
            "pictures": self._pictures(_figure3(attack.name)) if pictured else [],
            "samples": [one for one in kept if one.attack == attack.name][:MOST_SAMPLES],
        }

    def _victim_values(self, victim: VictimRecord, card: Card) -> dict[str, Any]:
        strongest = {}
        for view, (split, metric) in self._views.items():
            rivals = [one for one in self._standings.by_split[split] if one.kind == "attack"]
            cells = ((one.cells[metric.name][victim.name].value, one.attack.name) for one in rivals)
            if scored := [(value, name) for value, name in cells if value is not None]:
                strongest[view] = max(scored)
        return {"victim": victim, "card": card, "strongest": strongest}

    def _pictures(self, wanted: dict[str, str]) -> list[tuple[str, str]]:
        """Address and caption of each picture that a folder of the board has, the base's first."""
        found = []
        for name, caption in wanted.items():
            places = [(s.name, s.run.directory / name) for s in self._board.submissions]
            there = next(((folder, path) for folder, path in places if path.is_file()), None)
            if there:
                found.append((self._link(*there), caption))
        return found

    def _source_links(self, source: Source) -> list[tuple[str, str]]:
        """Name and address of the files behind an attack's rows."""
        entry = f"entry-{source.entry.attack.name}.json"
        names = (entry, "predictions.parquet", "distortion.parquet")
        return [(name, self._link(source.folder, source.directory / name)) for name in names]


def board_cards(board: Board) -> dict[str, Card]:
    """A card for every victim; size and training are from the folder that brings it."""
    found: dict[str, Card] = {}
    for member in board.submissions:
        run = replace(board.run, directory=member.run.directory, victims=member.run.victims)
        for card in build_cards(run):
            found.setdefault(card.victim.name, card)
    return found


def _rows_of(table: Table, name: str) -> tuple[Row, ...]:
    """The rows below the section of that name, and rows so named, each after its section's."""
    found: list[Row] = []
    for row in table.rows:
        if row.kind == "section":
            section = row
        elif section.name == name:
            found.append(row)
        elif row.name == name:
            found += [section, row]
    return tuple(found)


def _figure3(attack: str | None) -> dict[str, str]:
    """The run's Figure 3 and what it shows."""
    by = f" by {attack}" if attack else ""
    return {"figure3.png": f"Above: photographs. Below: the same, anonymised{by}."}


def mean_order(standings: Standings, split: str, metric: MetricSpec) -> dict[str, int]:
    """Attack name to its place by what ranks it, highest first; over a part, then undefined, last.

    Where nothing else tells them apart, controls come last.
    """

    def order(one: Standing) -> tuple[bool, bool, float, int, str]:
        mean = one.success(metric.name)
        part = not one.complete and mean is not None
        return mean is None, part, -(mean or 0.0), KINDS.index(one.kind), one.attack.name

    found = sorted(standings.by_split[split], key=order)
    return {one.attack.name: place for place, one in enumerate(found)}


def cells_csv(standings: Standings) -> str:
    """Every cell of a board, one a line; empty where undefined or not scored."""
    lines: list[dict[str, Any]] = []
    for split, found in standings.by_split.items():
        for one, victim in product(found, standings.board.run.victims):
            cells = {name: by_victim[victim.name] for name, by_victim in one.cells.items()}
            first = cells[headline().name]
            line = {
                "attack": one.attack.name,
                "attack_key": one.attack.key,
                "victim": victim.name,
                "victim_key": victim.key,
                "split": split,
                "rows": first.rows,
                "expected": first.expected,
            }
            for name, cell in cells.items():
                line[f"{name}_percent"] = None if cell.value is None else round(cell.value, 6)
            lines.append(line)
    return pd.DataFrame(lines, dtype="object").to_csv(index=False, lineterminator="\n")


def camera_matrices(standings: Standings) -> list[tuple[View, Matrix]]:
    """Each metric by the camera that it needs, over the board's panel."""
    board, found = standings.board, []
    shown = sorted(views(standings.by_split), key=lambda view: view[1].needs, reverse=True)
    for split, metric in shown:
        label: Label = "target" if metric.needs == "target" else "source"
        rows = board.run.predictions[board.run.predictions["split"] == split]
        shares = success_by_label(rows, metric, label, board.panel_run.families)
        names = [n for one in standings.by_split[split] if (n := one.attack.name) in shares.index]
        cameras = [one for one in board.run.classes if one in shares.columns]
        title = f"{metric.title} by {label} camera, {SPLITS[split]}"
        matrix = matrix_of(100 * shares.reindex(index=names, columns=cameras), title, "Attack")
        found.append(((split, metric), matrix))
    return found
