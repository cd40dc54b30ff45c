"""The self-contained `victims.html`: a card for every victim, readable on a phone and on paper."""

from pathlib import Path
from typing import Any

from bench.records.run import RunData
from bench.report.cards import Card, build_cards, card_facts, victims_table
from bench.report.pages.charts import reliability_bars
from bench.report.pages.environment import data_uri, render_page
from bench.report.pages.figures import training_chart
from bench.report.tables.render import render
from bench.report.tables.table import number
from bench.store import write_text


def write_victims(run: RunData) -> list[Path]:
    """Write `victims.{html,md,csv,tex}` into the run's own folder, recomputed from its files."""
    table = victims_table(run)
    texts = {suffix: render(table, suffix) for suffix in ("md", "csv", "tex")}
    texts["html"] = victims_html(run)
    return [write_text(run.directory / f"victims.{name}", text) for name, text in texts.items()]


def victims_html(run: RunData) -> str:
    """The whole page.

    Raises:
        ValueError: As `build_cards`.
    """
    cards = build_cards(run)
    families = {card.victim.family: list[dict[str, Any]]() for card in cards}
    for card in cards:
        families[card.victim.family].append(_drawn(card))
    table, tiles = victims_table(run), _tiles(cards)
    return render_page("victims.html", run=run, table=table, tiles=tiles, families=families)


def _drawn(card: Card) -> dict[str, Any]:
    loss = training_chart(card.training) if card.training else None
    bins = card.clean.bins if card.clean else None
    return {
        "card": card,
        "facts": card_facts(card),
        "reliability": () if bins is None else reliability_bars(bins),
        "training": loss and data_uri(loss.encode(), "image/svg+xml"),
    }


def _tiles(cards: tuple[Card, ...]) -> list[tuple[str, str]]:
    known = [(100 * one.clean.overall.accuracy, one) for one in cards if one.clean]
    lowest, worst = min(known, key=lambda pair: pair[0])
    cleans = [one.clean for one in cards if one.clean]
    errors = [clean.ece_percent for clean in cleans if clean.ece_percent is not None]
    away = [one.record["difference_percent"] for one in cards]
    away = [difference for difference in away if difference is not None]
    below = sum(difference < 0 for difference in away)
    calibration = f"{number(sum(errors) / len(errors))} %" if errors else number(None)
    return [
        ("mean clean accuracy", f"{number(sum(share for share, _ in known) / len(known))} %"),
        (f"lowest ({worst.victim.name})", f"{number(lowest)} %"),
        ("mean calibration error", calibration),
        ("below the paper's minimum", f"{below} of {len(away)}"),
    ]
