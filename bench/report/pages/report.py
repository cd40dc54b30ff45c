"""`report.html` and `victims.html`: self-contained, readable on a phone and on paper."""

from itertools import groupby, product
from pathlib import Path
from typing import Any

import numpy as np

from bench.records.metric import headline, row_metrics, views
from bench.records.participants import FAMILIES, AttackRecord
from bench.records.run import RunData
from bench.report.cards import (
    Card,
    build_cards,
    card_facts,
    clean_accuracy_table,
    victims_table,
)
from bench.report.claims.judging import claims_table, comparisons_table
from bench.report.pages.charts import Matrix, confusion_matrices, reliability_bars, success_scatter
from bench.report.pages.environment import data_uri, render_page
from bench.report.pages.figures import training_chart
from bench.report.pages.pictures import (
    one_to_every_target,
    originals_and_anonymised,
    save_figure3,
)
from bench.report.statistics import clean_of, rates_of
from bench.report.tables.files import table_texts, write_texts
from bench.report.tables.paper import attack_record, build_table
from bench.report.tables.table import Table, between, number
from bench.store import write_text
from bench.types import IN, SPLITS


def write_report(run: RunData) -> Path:
    """Write `report.html`, `victims.html` that it links to and `figure3.png` beside the rows.

    The figure is left out where the run kept no samples.
    """
    shown = shown_attack(run)
    if shown:
        save_figure3(run, shown.name, run.directory / "figure3.png")
    write_text(run.directory / "victims.html", victims_html(run))
    return write_text(run.directory / "report.html", report_html(run))


def write_victims(run: RunData) -> list[Path]:
    """Write `victims.{md,csv,tex,html}` into the run's own folder, recomputed from its files."""
    texts = table_texts("victims", victims_table(run))
    return write_texts(run, texts | {"victims.html": victims_html(run)})


def report_html(run: RunData) -> str:
    """The whole report as one HTML page."""
    tables = {split: build_table(run, split) for split in run.splits}
    lead, shown = lead_attack(run), shown_attack(run)
    packages = (entry.provenance.packages.items() for entry in run.entries)
    return render_page(
        "report.html",
        run=run,
        tables=(*tables.values(), clean_accuracy_table(run)),
        claims=claims_table(run),
        comparisons=comparisons_table(run),
        told=_told(run, lead),
        tiles=_tiles(run, lead),
        shown=shown,
        heat=list(filter(None, (heat_map(run, *view, tables) for view in views(tables)))),
        scatters=_scatters(run, tables),
        confusions=[m for split in tables for m in confusion_matrices(run, split, lead.name)]
        if lead
        else [],
        lead=lead,
        figure3=originals_and_anonymised(run, shown.name) if shown else [],
        figure4=one_to_every_target(run, shown.name) if shown else [],
        packages=sorted({f"{name} {version}" for found in packages for name, version in found}),
    )


def shown_attack(run: RunData) -> AttackRecord | None:
    """The attack that the run kept samples of, for Figures 3 and 4."""
    sampled = {sample.attack for sample in run.samples}
    return next((attack for attack in run.attacks if attack.name in sampled), None)


def lead_attack(run: RunData) -> AttackRecord | None:
    """The full method, else the attack of the highest mean success; `None` without a targeted one.

    Success is that in distribution, where anything was scored there.
    """
    rivals = [a for a in run.attacks if a.targeted and not a.control and not a.partial]
    there = [split for split in run.splits if (run.predictions["split"] == split).any()]
    if not rivals or not there:
        return None

    def mean(attack: AttackRecord) -> float:
        return _mean(run, there[0], attack) or 0

    full = [attack for attack in rivals if attack.is_full_method]
    return (full or sorted(rivals, key=lambda attack: -mean(attack)))[0]


def _mean(run: RunData, split: str, attack: AttackRecord, metric: str = "") -> float | None:
    """Per cent."""
    record = attack_record(run, split, attack.name)
    found: float | None = record[f"{metric or headline().name}_mean_percent"]
    return found


def _told(run: RunData, lead: AttackRecord | None) -> str:
    if lead is None:
        which = "targeted and whole" if any(a.targeted for a in run.attacks) else "targeted"
        return f"{len(run.attacks)} attacks, none of them {which}, on {len(run.victims)} victims."
    rivals = [attack for attack in run.attacks if attack.targeted and not attack.control]
    what = f"The strongest attack, {lead.shown}," if len(rivals) > 1 else lead.shown
    what = "The full method" if lead.is_full_method else what
    success = _mean(run, IN, lead)
    if success is None:
        title = headline().title
        return f"{what} has no mean {title} in distribution; the notes under Table 2 say why."
    record = attack_record(run, IN, lead.name)
    low, high = (record[f"{headline().name}_mean_{end}_percent"] for end in ("low", "high"))
    interval = "" if low is None else f" (95 % interval {between(low, high, 0)} %)"
    chance = 100 / len(run.classes)
    beside_chance = f", no more than chance ({number(chance, 0)} %)" if success <= chance else ""
    return (
        f"{what} makes {len(run.victims)} classifiers that it never saw name the camera it chose "
        f"for {number(success, 0)} % of in-distribution images{interval}{beside_chance}."
    )


def _tiles(run: RunData, lead: AttackRecord | None) -> list[tuple[str, str]]:
    tiles = []
    chance = _percent(100 / len(run.classes))
    if lead:
        first, *others = row_metrics(IN)
        for split in run.splits:
            beside = f" (chance {chance})" if split == IN else ""
            title = f"{first.title} {SPLITS[split]}{beside}"
            tiles.append((title, _percent(_mean(run, split, lead))))
        tiles += [
            (f"{metric.title} in distribution", _percent(_mean(run, IN, lead, metric.name)))
            for metric in others
        ]
        for m in (m for m in run.metrics if m.unit):
            value = number(attack_record(run, IN, lead.name)[m.name], m.digits)
            tiles.append((f"{m.title} in distribution", f"{value} {m.unit}"))
    accuracy = 100 * np.mean([clean.overall.accuracy for clean in clean_of(run).values()])
    return [*tiles, ("Clean accuracy of the victims", _percent(float(accuracy)))]


def heat_map(run: RunData, split: str, metric: Any, tables: dict[str, Table]) -> Matrix | None:
    """Attack x victim matrix of a rate; `None` where it is undefined for every attack."""
    order = list(dict.fromkeys((*FAMILIES, *run.families.values())))
    victims = sorted(run.victims, key=lambda victim: order.index(victim.family))
    rates = rates_of(run, split).pivot(index="attack", columns="victim", values=metric.name)
    rates = 100 * rates.reindex(columns=[victim.name for victim in victims])
    marked = {attack.name: attack.marked for attack in run.attacks}
    rows = {
        marked[name]: tuple(map(number, rates.loc[name].tolist()))
        for name in (record["attack"] for record in tables[split].records)
        if name in rates.index and rates.loc[name].notna().any()
    }
    title = f"{metric.title} of every attack on every victim, {SPLITS[split]}"
    about = "In per cent. Attacks whose rate is undefined are left out; n/a marks a hole."
    columns = tuple(victim.marked for victim in victims)
    families = groupby(victims, lambda victim: victim.family)
    groups = tuple((family, len(list(members))) for family, members in families)
    found = Matrix(
        title=title, about=about, corner="Attack", columns=columns, rows=rows, groups=groups
    )
    return found if rows else None


def _scatters(run: RunData, tables: dict[str, Table]) -> list[Any]:
    """Success against every metric of images that has a unit."""
    partial = [attack.name for attack in run.attacks if attack.partial]
    measured = product(views(tables), (metric for metric in run.metrics if metric.unit))
    charts = (
        success_scatter(split, tables[split].records, metric, fidelity, partial)
        for (split, metric), fidelity in measured
    )
    return [chart for chart in charts if chart is not None]


def _percent(value: float | None) -> str:
    return number(value, 0) + ("" if value is None else " %")


def victims_html(run: RunData) -> str:
    """The whole page.

    Raises:
        ValueError: As `build_cards`.
    """
    cards = build_cards(run)
    families = {card.victim.family: list[dict[str, Any]]() for card in cards}
    for card in cards:
        families[card.victim.family].append(_drawn(card))
    table, tiles = victims_table(run), _victim_tiles(cards)
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


def _victim_tiles(cards: tuple[Card, ...]) -> list[tuple[str, str]]:
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
