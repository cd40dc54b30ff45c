"""`report.html` and `victims.html`: self-contained, readable on a phone and on paper."""

import warnings
from pathlib import Path

import numpy as np

from bench.records.metric import MetricSpec, headline, views
from bench.records.participants import FAMILIES, AttackRecord
from bench.records.run import RunData
from bench.report.cards import Card, build_cards, clean_accuracy_table, victims_table
from bench.report.claims.judging import claims_table, comparisons_table
from bench.report.conditions.curve_tables import CURVES
from bench.report.conditions.survival import SURVIVAL
from bench.report.detection.tables import DETECTION
from bench.report.linkage import LINKAGE
from bench.report.pages.charts import Matrix, confusion_matrices, matrix_of
from bench.report.pages.environment import data_uri, groups, render_page
from bench.report.pages.figures import training_chart
from bench.report.pages.pictures import one_to_every_target, originals_and_anonymised, save_figure3
from bench.report.pages.scatter import success_scatters
from bench.report.statistics import averaged, clean_of, rates_of
from bench.report.tables.paper import attack_record, build_table, write_tables
from bench.report.tables.table import Table, between, number
from bench.store import write_text
from bench.types import IN, SPLITS
from bench.wording import plural

SOME_HAVE = (SURVIVAL, CURVES, DETECTION, LINKAGE)


def write_all(run: RunData) -> None:
    """Write all that a run's files give into its own folder: tables, charts, report.

    What was measured of other networks stays as it is, with a warning that says how to mend it.
    """
    for write in (write_tables, write_report, SURVIVAL.write, CURVES.write):
        write(run)
    stale = []
    for table in (DETECTION, LINKAGE):
        try:
            table.write(run)
        except ValueError as error:
            stale.append(str(error))
    if stale:
        warnings.warn("; ".join(stale), stacklevel=2)


def write_report(run: RunData) -> Path:
    """Write `report.html`, `victims.html` that it links to and `figure3.png` beside the rows.

    The figure is left out where the run kept no samples.
    """
    shown = shown_attack(run)
    if shown:
        save_figure3(run, shown.name, run.directory / "figure3.png")
    write_text(run.directory / "victims.html", victims_html(run))
    return write_text(run.directory / "report.html", report_html(run))


def report_html(run: RunData) -> str:
    """The whole report as one HTML page."""
    tables = {split: build_table(run, split) for split in run.splits}
    lead, shown = lead_attack(run), shown_attack(run)
    packages = (entry.provenance.packages.items() for entry in run.entries)
    partial = [attack.name for attack in run.attacks if attack.partial]
    measured = [metric for metric in run.metrics if metric.unit]
    records = {split: (table.records, partial) for split, table in tables.items()}
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
        scatters=success_scatters(views(tables), measured, records),
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

    Success is that in distribution, where anything was scored there. A mean over fewer victims
    than another's is behind it, and none behind all.
    """
    rivals = [a for a in run.attacks if a.targeted and not a.control and not a.partial]
    there = [split for split in run.splits if (run.predictions["split"] == split).any()]
    if not there:
        return None

    def place(one: AttackRecord) -> tuple[bool, bool, int, float]:
        mean = _mean(run, there[0], one, headline())
        return one.is_full_method, mean is not None, _counted(run, there[0], one), mean or 0

    return max(rivals, key=place, default=None)


def _counted(run: RunData, split: str, attack: AttackRecord) -> int:
    """How many victims its mean success is over."""
    record, rate = attack_record(run, split, attack.name), headline().name
    families = {*averaged(run.victims).values()}
    return sum(record[f"{rate}_{family}_architectures"] or 0 for family in families)


def _mean(run: RunData, split: str, attack: AttackRecord, metric: MetricSpec) -> float | None:
    """Per cent."""
    found: float | None = attack_record(run, split, attack.name)[f"{metric.name}_mean_percent"]
    return found


def _told(run: RunData, lead: AttackRecord | None) -> str:
    if lead is None:
        which = "targeted and whole" if any(a.targeted for a in run.attacks) else "targeted"
        return f"{len(run.attacks)} attacks, none of them {which}, on {len(run.victims)} victims."
    alone = sum(one.targeted and not one.control for one in run.attacks) == 1
    what = lead.shown if alone else f"The strongest attack, {lead.shown},"
    what = "The full method" if lead.is_full_method else what
    record, rate = attack_record(run, IN, lead.name), headline()
    success, low, high = (record[f"{rate.name}_mean{x}_percent"] for x in ("", "_low", "_high"))
    if success is None:
        return f"{what} has no mean {rate.title} in distribution; see the notes under Table 2."
    interval = "" if low is None else f" (95 % interval {between(low, high, 0)} %)"
    chance = 100 / len(run.classes)
    beside_chance = f", no more than chance ({number(chance, 0)} %)" if success <= chance else ""
    victims = plural(_counted(run, IN, lead), "classifier")
    return (
        f"{what} makes {victims} that it never saw name the camera it chose for "
        f"{number(success, 0)} % of in-distribution images{interval}{beside_chance}."
    )


def _tiles(run: RunData, lead: AttackRecord | None) -> list[tuple[str, str]]:
    tiles = []
    if lead:
        chance = f" (chance {_percent(100 / len(run.classes))})"
        for split, metric in sorted(views(run.splits), key=lambda view: view[1] != headline()):
            beside = chance if (split, metric) == (IN, headline()) else ""
            title = f"{metric.title} {SPLITS[split]}{beside}"
            tiles.append((title, _percent(_mean(run, split, lead, metric))))
        for m in (m for m in run.metrics if m.unit):
            value = number(attack_record(run, IN, lead.name)[m.name], m.digits)
            tiles.append((f"{m.title} in distribution", f"{value} {m.unit}"))
    clean = clean_of(run)
    shares = [clean[name].overall.accuracy for name in averaged(run.victims) if name in clean]
    accuracy = 100 * np.mean(shares or [one.overall.accuracy for one in clean.values()])
    return [*tiles, ("Clean accuracy of the victims", _percent(float(accuracy)))]


def _percent(value: float | None) -> str:
    return number(value, 0) + ("" if value is None else " %")


def heat_map(
    run: RunData, split: str, metric: MetricSpec, tables: dict[str, Table]
) -> Matrix | None:
    """Attack x victim matrix of a rate; `None` where it is undefined for every attack."""
    order = list(dict.fromkeys((*FAMILIES, *run.families.values())))
    victims = sorted(run.victims, key=lambda victim: order.index(victim.family))
    rates = rates_of(run, split).pivot(index="attack", columns="victim", values=metric.name)
    known = rates.dropna(how="all").index
    names = [one["attack"] for one in tables[split].records if one["attack"] in known]
    if not names:
        return None
    rates = rates.reindex(index=names, columns=[victim.name for victim in victims])
    rates = rates.rename(index={attack.name: attack.marked for attack in run.attacks})
    title = f"{metric.title} of every attack on every victim, {SPLITS[split]}"
    about = "In per cent. Attacks whose rate is undefined are left out; n/a marks a hole."
    return matrix_of(100 * rates, title, "Attack", about, groups(victims, "family"))


def victims_html(run: RunData) -> str:
    """The whole page."""
    families: dict[str, list[tuple[Card, str | None]]] = {}
    for card in build_cards(run):
        loss = training_chart(card.training) if card.training else None
        drawn = loss and data_uri(loss.encode(), "image/svg+xml")
        families.setdefault(card.victim.family, []).append((card, drawn))
    return render_page("victims.html", run=run, table=victims_table(run), families=families)
