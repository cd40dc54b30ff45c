"""The self-contained `report.html`: one file, no request, readable on a phone and on paper."""

from pathlib import Path
from typing import Any

from bench.metrics.success import RATES, clean_accuracy
from bench.report.claims.table import claims_table, comparisons_table, judge_claims
from bench.report.figures import confusion_matrices, heat_map, success_scatter
from bench.report.inputs import load_run
from bench.report.page import page_environment
from bench.report.pictures import (
    data_uri,
    one_to_every_target,
    originals_and_anonymised,
    save_figure3,
)
from bench.report.records import AttackInfo, RunData
from bench.report.tables import build_table, clean_accuracy_table
from bench.report.values import Table, plain
from bench.report.victims import victims_html
from bench.store import write_text
from bench.types import SPLITS


def write_report(directory: str | Path) -> Path:
    """Write `report.html`, `victims.html` that it links to and `figure3.png` into the run folder.

    The figure is left out where the run kept no samples.
    """
    run = load_run(directory)
    shown = shown_attack(run)
    if shown:
        save_figure3(run, shown.name, run.directory / "figure3.png")
    write_text(run.directory / "victims.html", victims_html(run))
    return write_text(run.directory / "report.html", report_html(run))


def report_html(run: RunData) -> str:
    """The whole report as one HTML page."""
    tables = {split: build_table(run, split) for split in run.splits}
    clean = clean_accuracy_table(run)
    judged = judge_claims(run)
    lead = lead_attack(run, tables)
    shown = shown_attack(run)
    return (
        page_environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            splits=SPLITS,
            tables=(*tables.values(), clean),
            claims=claims_table(judged),
            comparisons=comparisons_table(judged),
            headline=_headline(run, tables, lead),
            tiles=_tiles(run, tables, lead),
            shown=shown,
            charts=_charts(run, tables, lead),
            figure3=originals_and_anonymised(run, shown.name) if shown else [],
            figure4=one_to_every_target(run, shown.name) if shown else [],
            packages=_packages(run),
        )
    )


def shown_attack(run: RunData) -> AttackInfo | None:
    """The attack that the run kept samples of, for Figures 3 and 4."""
    sampled = {sample.attack for sample in run.samples}
    return next((attack for attack in run.attacks if attack.name in sampled), None)


def lead_attack(run: RunData, tables: dict[str, Table]) -> AttackInfo | None:
    """The full method, else the targeted attack of the highest mean TASR; `None` without one."""
    records = {r["attack"]: r for split in reversed(tables) for r in tables[split].records}
    rivals = [a for a in run.attacks if a.targeted and not a.control and not a.partial]
    scored = [attack for attack in rivals if attack.name in records]
    if not scored:
        return None
    full = [attack for attack in scored if attack.is_full_method]
    return (full or sorted(scored, key=lambda a: -(records[a.name]["tasr_mean_percent"] or 0)))[0]


def _record(table: Table, attack: AttackInfo) -> dict[str, Any]:
    return next((r for r in table.records if r["attack"] == attack.name), {})


def _headline(run: RunData, tables: dict[str, Table], lead: AttackInfo | None) -> str:
    if lead is None:
        which = "targeted and whole" if any(a.targeted for a in run.attacks) else "targeted"
        return f"{len(run.attacks)} attacks, none of them {which}, on {len(run.victims)} victims."
    rivals = [attack for attack in run.attacks if attack.targeted and not attack.control]
    what = f"The strongest attack, {lead.label}," if len(rivals) > 1 else lead.label
    what = "The full method" if lead.is_full_method else what
    record = _record(tables["in"], lead)
    tasr = record.get("tasr_mean_percent")
    if tasr is None:
        return f"{what} has no mean TASR in distribution; the notes under Table 2 say why."
    low, high = record["tasr_mean_low_percent"], record["tasr_mean_high_percent"]
    interval = f" (95 % interval {low:.0f} to {high:.0f} %)" if low is not None else ""
    chance = 100 / len(run.classes)
    beside_chance = f", no more than chance ({chance:.0f} %)" if tasr <= chance else ""
    return (
        f"{what} makes {len(run.victims)} classifiers that it never saw name the camera it chose "
        f"for {tasr:.0f} % of in-distribution images{interval}{beside_chance}."
    )


def _tiles(
    run: RunData, tables: dict[str, Table], lead: AttackInfo | None
) -> list[tuple[str, str]]:
    tiles = []
    chance = _percent(100 / len(run.classes))
    if lead:
        inside = _record(tables["in"], lead)
        rates = {split: _record(table, lead) for split, table in tables.items()}
        tiles = [
            (
                f"TASR {SPLITS[split]}" + (f" (chance {chance})" if split == "in" else ""),
                _percent(record.get("tasr_mean_percent")),
            )
            for split, record in rates.items()
        ]
        tiles += [
            ("UASR in distribution", _percent(inside.get("uasr_mean_percent"))),
            ("PSNR in distribution", plain(inside.get("psnr_db"), digits=1) + " dB"),
        ]
    accuracy = 100 * clean_accuracy(run.predictions)["accuracy"].mean()
    return [*tiles, ("Clean accuracy of the victims", _percent(float(accuracy)))]


def _charts(
    run: RunData, tables: dict[str, Table], lead: AttackInfo | None
) -> list[tuple[str, str, str]]:
    """Title, caption and image of each chart that the run can fill."""
    charts: list[tuple[str, str, str | None]] = []
    shown = [(split, measure) for split, measure in RATES if split in tables]
    for split, measure in shown:
        order = [record["attack"] for record in tables[split].records]
        title = f"{measure.upper()} of every attack on every victim, {SPLITS[split]}"
        caption = "In per cent. Attacks whose rate is undefined are left out; n/a marks a hole."
        charts.append((title, caption, heat_map(run, split, measure, order)))
    for split, measure in shown:
        title = f"{measure.upper()} against distortion, {SPLITS[split]}"
        caption = (
            "Up and to the right is better. Bars: 95 % interval of the mean. Grey marks are "
            "controls, diamonds use a synthetic colour filter array."
        )
        charts.append((title, caption, success_scatter(tables[split], measure)))
    for split in tables:
        if lead is None:
            continue
        title = f"Confusion under {lead.label}, {SPLITS[split]}"
        caption = (
            "Per cent of each row, pooled over all victims. Left, the diagonal is the TASR of each "
            "target; right, what is said of each true camera."
        )
        charts.append((title, caption, confusion_matrices(run, split, lead.name)))
    return [
        (title, caption, data_uri(svg.encode("utf-8"), "image/svg+xml"))
        for title, caption, svg in charts
        if svg is not None
    ]


def _packages(run: RunData) -> list[str]:
    found = (attack.provenance.get("packages") or {} for attack in run.attacks)
    return sorted({f"{name} {version}" for packages in found for name, version in packages.items()})


def _percent(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.0f} %"
