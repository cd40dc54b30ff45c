"""What the pages of a board show: its own, and a card for every attack and every victim."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

from jinja2 import Environment

from bench.metrics.success import confusion
from bench.records.metric import headline, row_metrics, views
from bench.records.participants import AttackRecord, VictimRecord
from bench.records.samples import most_complete
from bench.report.cards import Card, build_cards
from bench.report.leaderboard.board_tables import board_table, mean_text, rank_text, scored_text
from bench.report.leaderboard.boards import Board
from bench.report.leaderboard.cells import (
    UNDEFINED,
    cell_text,
    level,
    mean_cell,
    mean_order,
    number,
    view_name,
)
from bench.report.leaderboard.files import Files, slugs
from bench.report.leaderboard.merging import Source
from bench.report.leaderboard.shares import build_shares
from bench.report.leaderboard.site_charts import histogram, reliability_bars, success_scatter
from bench.report.leaderboard.standing import Standing, Standings
from bench.report.leaderboard.survival import build_survival
from bench.report.page import page_environment
from bench.report.statistics import clean_of
from bench.report.table import plain
from bench.report.victims import card_facts
from bench.types import SPLITS

CAMERAS = {"cameras.png": "One scene through all simulated cameras."}
MOST_SAMPLES = 6


def site_environment() -> Environment:
    """The pages' Jinja, with the filters of the leaderboard."""
    environment = page_environment()
    environment.filters |= {
        "level": level,
        "number": number,
        "plain": lambda value, digits: plain(value, digits=digits),
        "pretty": lambda value: json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False),
        "rank": rank_text,
        "scored": scored_text,
        "sh": lambda text: shlex.quote(str(text)),
        "short": lambda text: str(text)[:12],
    }
    environment.globals |= {
        "VIEW_TITLES": {
            view_name(split, metric): f"{metric.title} {SPLITS[split]}" for split, metric in views()
        },
        "WHERE": SPLITS,
        "headline": headline(),
        "mean_text": mean_text,
        "row_metrics": row_metrics,
    }
    return environment


class BoardPages:
    """The pages of one board.

    Args:
        standings: Of the board.
        files: Where entries' files are found.
        environment: Of `site_environment`.
    """

    def __init__(self, standings: Standings, files: Files, environment: Environment) -> None:
        self._standings, self._files, self._environment = standings, files, environment
        self._board, self._run = standings.board, standings.board.run
        self._by_name = {
            (split, one.attack.name): one
            for split, found in standings.by_split.items()
            for one in found
        }
        self._views = {view_name(*view): view for view in views(standings.by_split)}
        self._shares = build_shares(standings)
        self._survival, self._survival_notes = build_survival(self._board)
        attacks, victims = self._run.attacks, self._run.victims
        self._shared: dict[str, Any] = {
            "root": "../",
            "board": self._board,
            "run": self._run,
            "standings": standings,
            "views": tuple(self._views),
            "order": next(iter(standings.by_split.values())),
            "cell": self._cell,
            "attack_slug": _slugs(attacks),
            "victim_slug": _slugs(victims),
        }

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """File name and text of every page."""
        yield "index.html", self._page("board", self._board_values())
        for attack in self._run.attacks:
            name = self._shared["attack_slug"][attack.name]
            yield f"attack-{name}.html", self._page("attack", self._attack_values(attack))
        cards = board_cards(self._board)
        for victim in self._run.victims:
            name = self._shared["victim_slug"][victim.name]
            values = self._victim_values(victim, cards[victim.name])
            yield f"victim-{name}.html", self._page("victim", values)

    def _page(self, template: str, values: dict[str, Any]) -> str:
        found = self._environment.get_template(f"leaderboard/{template}.html.j2")
        return found.render(self._shared | values)

    def _cell(self, view: str, attack: str, victim: str) -> str:
        split, metric = self._views[view]
        return cell_text(self._by_name[split, attack].cells[metric.name][victim])

    def _board_values(self) -> dict[str, Any]:
        """For `board.html.j2`."""
        board, run, standings = self._board, self._run, self._standings
        scatters = [
            chart
            for split, metric in self._views.values()
            for fidelity in run.metrics
            if (chart := success_scatter(standings.by_split[split], metric, fidelity))
        ]
        drawn = {(chart.split, chart.measure) for chart in scatters}
        clean = clean_of(run)["accuracy"]
        sources = [source for found in board.sources.values() for source in found]
        audits = (source.entry.suite.audit for source in sources)
        shown = (most_complete(run.attacks),)
        return {
            "tables": {split: board_table(standings, split) for split in standings.by_split},
            "published": {
                split: table if any(row.kind == "published" for row in table.rows) else None
                for split, table in standings.tables.items()
            },
            "orders": {v: mean_order(standings, *of) for v, of in self._views.items()},
            "means": {
                (view, name): mean_cell(one, metric)
                for view, (split, metric) in self._views.items()
                for (where, name), one in self._by_name.items()
                if where == split
            },
            "families": [
                (family, len(list(members)))
                for family, members in groupby(run.victims, lambda victim: victim.family)
            ],
            "clean": [
                number(100 * float(clean[v.name])) if v.name in clean.index else UNDEFINED
                for v in run.victims
            ],
            "scatters": scatters,
            "empty": [(s, m) for s, m in self._views.values() if (s, m.name) not in drawn],
            "fidelities": [m for m in run.metrics if m.name in {c.fidelity for c in scatters}],
            "survival": self._survival,
            "survival_notes": self._survival_notes,
            "shares": self._shares,
            "leaders": {split: _leaders(found) for split, found in standings.by_split.items()},
            "audit": next(filter(None, audits), None),
            "pictures": self._pictures(CAMERAS | _figure3(*shown)),
            "more": self._more(),
            "entries": [
                (name, source, self._source_links(source))
                for name in sorted(board.sources)
                for source in board.sources[name]
            ],
        }

    def _attack_values(self, attack: AttackRecord) -> dict[str, Any]:
        """For `attack.html.j2`."""
        run, sources = self._run, self._board.sources[attack.name]
        pictured = attack.name == most_complete(run.attacks)
        rows = run.distortion[run.distortion["attack"] == attack.name]
        splits = tuple(self._standings.by_split)
        return {
            "attack": attack,
            "entry": sources[0].entry,
            "sources": [(source, self._source_links(source)) for source in sources],
            "by_split": {split: self._by_name[split, attack.name] for split in splits},
            "confusions": list(self._confusions(attack)),
            "shares": [(s, s.rows[attack.name]) for s in self._shares if attack.name in s.rows],
            "survival": [
                (chart, line)
                for chart in self._survival
                for line in chart.lines
                if line.name == attack.name
            ],
            "histograms": [
                (split, metric, bars)
                for metric in run.metrics
                for split in splits
                if metric.unit
                and (bars := histogram(rows.loc[rows["split"] == split, metric.name], metric.unit))
            ],
            "pictures": self._pictures(_figure3(attack.name)) if pictured else [],
            "samples": self._samples(attack),
        }

    def _victim_values(self, victim: VictimRecord, card: Card) -> dict[str, Any]:
        """For `victim.html.j2`."""
        bins = card.clean.bins if card.clean else None
        strongest = {}
        for view, (split, metric) in self._views.items():
            scored = [
                (cell.value, one.attack.name)
                for one in self._standings.by_split[split]
                if one.kind == "attack"
                and (cell := one.cells[metric.name][victim.name]).value is not None
            ]
            if scored:
                value, name = max(scored)
                strongest[view] = (name, value)
        return {
            "victim": victim,
            "card": card,
            "facts": card_facts(card),
            "reliability": () if bins is None else reliability_bars(bins),
            "strongest": strongest,
            "member": victim.name in self._board.panel,
        }

    def _confusions(self, attack: AttackRecord) -> Iterator[dict[str, Any]]:
        rows = self._board.panel_run.predictions
        for split in self._standings.by_split:
            for label in ("target", "source"):
                table = 100 * confusion(rows, split, attack.name, label, self._run.classes)
                if not table.empty:
                    yield {
                        "title": f"What victims say by {label} camera, {SPLITS[split]}",
                        "heading": f"{label} camera",
                        "columns": list(map(str, table.columns)),
                        "rows": [
                            (str(name), [f"{share:.1f}" for share in shares])
                            for name, shares in zip(table.index, table.to_numpy(), strict=True)
                        ],
                    }

    def _samples(self, attack: AttackRecord) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """Source, original, and target with image, of the samples that the base folder kept."""
        base = self._board.submissions[0]
        mine = [sample for sample in base.run.samples if sample.attack == attack.name]
        return [
            (
                sample.source,
                self._link(base.name, sample.original),
                [(t, self._link(base.name, path)) for t, path in sorted(sample.anonymised.items())],
            )
            for sample in mine[:MOST_SAMPLES]
        ]

    def _link(self, folder: str, path: Any) -> str:
        return self._files.link(self._board.slug, folder, path)

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

    def _more(self) -> list[tuple[str, str]]:
        """Name and address of further tables of the base folder."""
        base = self._board.submissions[0]
        paths = (base.run.directory / name for name in ("claims.md", "victims.md", "survival.md"))
        return [(path.name, self._link(base.name, path)) for path in paths if path.is_file()]


def board_cards(board: Board) -> dict[str, Card]:
    """A card for every victim; size and training are from the folder that brings it."""
    found: dict[str, Card] = {}
    for member in board.submissions:
        run = replace(board.run, directory=member.run.directory, victims=member.run.victims)
        for card in build_cards(run):
            found.setdefault(card.victim.name, card)
    return found


def _slugs(named: Any) -> dict[str, str]:
    names = [one.name for one in named]
    return dict(zip(names, slugs(names), strict=True))


def _leaders(found: tuple[Standing, ...]) -> list[Standing]:
    ranks = [(one, one.ranks.get(headline().name)) for one in found]
    return [one for one, rank in ranks if rank and rank.tie_group == 1]


def _figure3(attack: str | None) -> dict[str, str]:
    """The run's Figure 3 and what it shows."""
    by = f" by {attack}" if attack else ""
    return {"figure3.png": f"Above: photographs. Below: the same, anonymised{by}."}
