"""The self-contained `victims.html`: a card for every victim, readable on a phone and on paper."""

from dataclasses import dataclass
from pathlib import Path

from bench.metrics.clean import Share
from bench.records.run import RunData
from bench.report.cards import Card, Clean, build_cards, gflop, millions, victims_table
from bench.report.figures import reliability_chart, training_chart
from bench.report.page import page_environment
from bench.report.pictures import data_uri
from bench.report.render import render
from bench.report.table import NA
from bench.store import write_text

UNKNOWN = "not recorded"


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A card with its charts as data URIs and its figures as text; `absent` says why one is not."""

    card: Card
    facts: tuple[tuple[str, str], ...]
    reliability: str | None
    training: str | None
    absent: str


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
    families = [
        (family, tuple(_drawn(card) for card in cards if card.victim.family == family))
        for family in dict.fromkeys(card.victim.family for card in cards)
    ]
    return (
        page_environment()
        .get_template("victims.html.j2")
        .render(run=run, table=victims_table(run), tiles=_tiles(cards), families=families)
    )


def _drawn(card: Card) -> Drawn:
    made = card.network.training if card.network else None
    loss = training_chart(made) if made else None
    bins = card.clean.bins if card.clean else None
    return Drawn(
        card=card,
        facts=card_facts(card),
        reliability=None if bins is None else _uri(reliability_chart(bins)),
        training=_uri(loss) if loss else None,
        absent=_absent(card),
    )


def _absent(card: Card) -> str:
    return "nothing to learn" if card.network and card.network.training is None else UNKNOWN


def card_facts(card: Card) -> tuple[tuple[str, str], ...]:
    """What a card says beside its charts: name and value."""
    clean, network = card.clean, card.network
    made = network.training if network else None
    accuracy = made.validation_accuracy_percent if made else None
    paper, difference = card.published_percent, card.difference_percent
    provenance = (made.provenance if made else None) or {}
    commit = provenance.get("commit")
    changed = " + changes" if provenance.get("dirty") else ""
    return (
        ("Clean accuracy", _percent(clean.overall) if clean else "not scored"),
        ("Paper's minimum", "none" if paper is None else f"{paper:.1f} %"),
        ("Difference", "none" if difference is None else f"{difference:+.1f} points"),
        ("Calibration error", _calibration(clean)),
        ("Parameters", f"{millions(network)} million" if network else UNKNOWN),
        (
            f"Image of {network.image_px} px" if network else "One image",
            f"{gflop(network)} GFLOP" if gflop(network) != NA else UNKNOWN,
        ),
        ("Validation", UNKNOWN if accuracy is None else f"{accuracy:.1f} %"),
        ("Training", f"{made.seconds:.0f} s" if made else _absent(card)),
        ("Weights", made.weights_sha256[:12] if made else _absent(card)),
        ("Code", f"{commit[:12]}{changed}" if commit else UNKNOWN),
    )


def _calibration(clean: Clean | None) -> str:
    if clean is None:
        return "not scored"
    return "no probabilities" if clean.ece is None else f"{100 * clean.ece:.1f} %"


def _percent(share: Share) -> str:
    return f"{100 * share.accuracy:.1f} % ({100 * share.low:.1f}–{100 * share.high:.1f})"


def _tiles(cards: tuple[Card, ...]) -> list[tuple[str, str]]:
    scored = [card for card in cards if card.clean]
    accuracies = [100 * card.clean.overall.accuracy for card in scored if card.clean]
    errors = [100 * c.clean.ece for c in scored if c.clean and c.clean.ece is not None]
    differences = [card.difference_percent for card in scored if card.published_percent]
    below = [difference for difference in differences if difference is not None and difference < 0]
    worst = min(scored, key=lambda card: card.clean.overall.accuracy if card.clean else 1)
    return [
        ("mean clean accuracy", f"{sum(accuracies) / len(accuracies):.1f} %"),
        (f"lowest ({worst.victim.name})", f"{min(accuracies):.1f} %"),
        ("mean calibration error", f"{sum(errors) / len(errors):.1f} %" if errors else NA),
        ("below the paper's minimum", f"{len(below)} of {len(differences)}"),
    ]


def _uri(svg: str) -> str:
    return data_uri(svg.encode("utf-8"), "image/svg+xml")
