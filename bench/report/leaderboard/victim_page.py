"""What the card of a victim shows."""

from dataclasses import replace
from typing import Any

from bench.report.cards import Card, build_cards
from bench.report.leaderboard.boards import Board
from bench.report.leaderboard.charts import reliability_bars
from bench.report.leaderboard.context import Context
from bench.report.leaderboard.heat import cell_text
from bench.report.leaderboard.standing import VIEWS
from bench.report.records import VictimInfo
from bench.report.victims import card_facts


def victim_page(context: Context, victim: VictimInfo, card: Card) -> dict[str, Any]:
    """Values for `victim.html.j2`."""
    return {
        "victim": victim,
        "record": _record(context.board, victim.name),
        "card": card,
        "facts": card_facts(card),
        "reliability": reliability_bars(card.clean.bins)
        if card.clean is not None and card.clean.bins is not None
        else (),
        "rows": _rows(context, victim.name),
        "strongest": _strongest(context, victim.name),
        "member": victim.name in context.board.panel,
    }


def board_cards(board: Board) -> dict[str, Card]:
    """A card for every victim; size and training are from the folder that brings it."""
    found: dict[str, Card] = {}
    for member in board.submissions:
        run = replace(board.run, directory=member.run.directory, victims=member.run.victims)
        for card in build_cards(run):
            found.setdefault(card.victim.name, card)
    return found


def _record(board: Board, name: str) -> dict[str, Any]:
    """The victim as an entry states it."""
    entries = (source.entry for sources in board.sources.values() for source in sources)
    records = (victim for entry in entries for victim in entry["victims"])
    found: dict[str, Any] = next(record for record in records if record["name"] == name)
    return found


def _rows(context: Context, victim: str) -> dict[str, dict[str, str]]:
    """Attack to its kind and its texts by view."""
    rows: dict[str, dict[str, str]] = {}
    for split in context.splits:
        for one in context.standings.by_split[split]:
            texts = rows.setdefault(one.attack.name, {"kind": one.kind})
            for measure, where in VIEWS:
                if where == split:
                    texts[f"{measure}-{split}"] = cell_text(one.cells[measure][victim])
    return rows


def _strongest(context: Context, victim: str) -> dict[str, tuple[str, float]]:
    """By view, the attack that succeeds most, and how far (per cent); controls do not count."""
    found = {}
    for measure, split in VIEWS:
        scored = [
            (cell.value, one.attack.name)
            for one in context.standings.by_split.get(split, ())
            if one.kind == "attack" and (cell := one.cells[measure][victim]).value is not None
        ]
        if scored:
            value, name = max(scored)
            found[f"{measure}-{split}"] = (name, value)
    return found
