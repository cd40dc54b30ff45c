"""Tables 2 and 3 in the paper's layout, recomputed from a run's files, and all table files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.metrics.clean import originally_correct
from bench.metrics.distortion import mean_distortion
from bench.metrics.paired import shared
from bench.metrics.resampling import UNDEFINED, percent
from bench.metrics.success import CLEAN_CONTROL, Spread, clean_rows, family_spreads, overall_spread
from bench.records.metric import row_metrics
from bench.records.participants import FAMILIES, PARTIAL, AttackRecord, RowKey
from bench.records.run import RunData, once
from bench.report.cards import clean_accuracy_table, victims_table
from bench.report.claims.judging import render_claims
from bench.report.statistics import attack_rows, averaged, rates_of, untouched_rows
from bench.report.tables.column import column_table
from bench.report.tables.files import table_texts, write_texts
from bench.report.tables.notes import FAILED, MARK, table_notes
from bench.report.tables.published import published_rows
from bench.report.tables.render import render, render_all
from bench.report.tables.table import NA, Row, Table, between, kind_of, make_table, number, section
from bench.types import IN, OUT, REAL

_KINDS: dict[str, tuple[str, str, str]] = {
    IN: ("table2", "Table 2", "in-distribution"),
    OUT: ("table3", "Table 3", "out-of-distribution"),
    REAL: ("table3_real", "Table 3, real photographs", "real"),
}
"""File, number and kind of image of each split's table."""


@once
def build_table(run: RunData, split: str) -> Table:
    """Table 2 (`split="in"`) or 3 (`"out"`, `"real"`): attacks, the paper's rows, controls.

    Raises:
        ValueError: If `split` is none of these, or the predictions cannot be honest.
    """
    if split not in _KINDS:
        raise ValueError(f"expected split {', '.join(_KINDS)}, got {split!r}")
    published, metrics = published_rows(split), row_metrics(split)
    columns = [("", "LAAC")]
    for metric in metrics:
        labels = [*(f"f*_{family}" for family in FAMILIES), "Mean", "95 %", *_others(run)]
        columns += [(metric.heading, label) for label in labels]
    columns += [("", m.heading + (f" ({m.unit})" if m.unit else "")) for m in run.metrics]
    rows: list[Row] = []
    records: list[dict[str, Any]] = []
    present = bool((run.predictions["split"] == split).any())
    for attack in _ordered(run.attacks, list(published)) if present else []:
        record = attack_record(run, split, attack.name)
        if attack.control and not any(row.kind == "section" for row in rows):
            rows.append(section("Controls", len(columns)))
        rows.append(_row(run, split, attack, record))
        if attack.row in published:
            cells = _published_cells(run, split, record)
            rows.append(Row(kind="published", name="published", cells=cells))
        records.append(record)
    _, place, kind = _KINDS[split]
    rated = ", ".join(metric.title for metric in metrics)
    title = f"Anonymised {kind} images of Set-C, {run.suite} ({rated} in %)"
    return make_table(title, columns, rows, table_notes(run, split), records, number=place)


@once
def attack_record(run: RunData, split: str, name: str) -> dict[str, Any]:
    """All that is known of an attack in a split, its row of `table2.csv`; `None` if undefined.

    Success is in per cent: for each family, and as `mean` over those of the victims `averaged`.
    """
    attack, rates = run.entry(name).attack, rates_of(run, split)
    families = averaged(run.victims)
    counts = rates.loc[rates["attack"] == name, "n"]
    record: dict[str, Any] = {
        "suite": run.suite,
        "split": split,
        "attack": name,
        "attack_key": attack.key,
        "local_auxiliary_classifiers": "+".join(attack.laac),
        "scfa": "yes" if attack.scfa else "no",
        "control": "yes" if attack.control else "no",
        "images_per_victim": int(counts.max()) if len(counts) else 0,
    }
    if attack.partial:
        record |= {"scored": attack.partial.scored, "wanted": attack.partial.wanted}
    for metric in row_metrics():
        cells, figure = dict[str, Spread | None](), UNDEFINED
        if metric.defined(split):
            cells = family_spreads(rates, name, metric, run.families)
            inside = family_spreads(rates, name, metric, families).values()
            cells["mean"] = overall_spread(inside) if inside else None
        if cells.get("mean"):
            asked = name == CLEAN_CONTROL and metric.needs == "target"
            rows = attack_rows(run, "predictions", name, split)
            rows = untouched_rows(run, split) if asked else rows
            by_target = bool(rows["target"].notna().all())
            if mine := shared([rows], metric, families, by_target=by_target):
                figure = percent(mine.figures[0])
        for column in (*FAMILIES, "mean", *_others(run)):
            cell, stem = cells.get(column), f"{metric.name}_{column}"
            std = None if cell is None or cell.std is None else 100 * cell.std
            record[f"{stem}_percent"] = cell and 100 * cell.mean
            record[f"{stem}_std_percent"] = std
            if column != "mean":
                record[f"{stem}_architectures"] = cell and cell.n
        for end, one in zip(("low", "high"), figure[1] or (None, None), strict=True):
            record[f"{metric.name}_mean_{end}_percent"] = one
    record |= mean_distortion(attack_rows(run, "distortion", name, split))
    printed = published_rows(split).get(attack.row, {}) if attack.row else {}
    known = next(iter(published_rows(IN).values()))
    return record | {f"published_{figure}": printed.get(figure) for figure in known}


def correct_only_table(run: RunData) -> Table:
    """Success rates where there was something to win; distortion is that of all images.

    Raises:
        ValueError: If the identity control was not scored.
    """
    kept, clean = originally_correct(run.predictions), clean_rows(run.predictions)
    right = int((clean["predicted"] == clean["source"]).sum())
    table = build_table(replace(run, predictions=kept), IN)
    without = [v.name for v in run.victims if v.name not in set(kept["victim"])]
    hole = f" No such image for {', '.join(without)}." if without else ""
    return replace(
        table,
        title=f"{table.title}, originally correct only",
        notes=(
            "Only images that the victim itself attributed to their own camera when untouched (by "
            f"the identity control): {right} of {len(clean)} pairs of image and victim.{hole} "
            "Distortion is over all images. Out of distribution nothing can be correct.",
            *table_notes(run, IN, kept),
        ),
    )


def render_run(run: RunData, format_: str) -> str:
    """All tables of a run, one after the other; as "json" an array."""
    tables = [*(build_table(run, split) for split in run.splits), clean_accuracy_table(run)]
    return render_all(tables, format_)


def write_tables(run: RunData) -> list[Path]:
    """Write every text of `run_texts` into the run's own folder; stale ones go."""
    texts = run_texts(run)
    for path in (*run.directory.glob("column-*"), *run.directory.glob("table3_real.*")):
        if path.name not in texts:
            path.unlink()
    return write_texts(run, texts)


def run_texts(run: RunData) -> dict[str, str]:
    """`clean_accuracy.csv` and `{table2,table3,victims,claims}.{md,csv,tex}` by file name.

    With a split of real photographs `table3_real.{md,csv,tex}` as well.
    A victim of which only predictions are known has its column in `column-NAME.{md,csv,tex}`.
    """
    tables = {_KINDS[split][0]: build_table(run, split) for split in run.splits}
    tables["victims"] = victims_table(run)
    sent = [victim.name for victim in run.victims if victim.elsewhere]
    tables |= {f"column-{name}": column_table(run, name) for name in sent}
    texts = {"clean_accuracy.csv": render(clean_accuracy_table(run), "csv")}
    for stem, table in tables.items():
        texts |= table_texts(stem, table)
    return texts | {
        f"claims.{suffix}": render_claims(run, suffix) for suffix in ("md", "csv", "tex")
    }


def _ordered(attacks: Iterable[AttackRecord], published: list[RowKey]) -> list[AttackRecord]:
    def place(attack: AttackRecord) -> tuple[bool, int, str]:
        order = published.index(attack.row) if attack.row in published else len(published)
        return attack.control, order, attack.name

    return sorted(attacks, key=place)


def _others(run: RunData) -> tuple[str, ...]:
    """Families beside the protocol's: a column of their own, part of no mean."""
    found = dict.fromkeys(victim.family for victim in run.victims)
    return tuple(family for family in found if family not in FAMILIES)


def _row(run: RunData, split: str, attack: AttackRecord, record: dict[str, Any]) -> Row:
    entry, texts = run.entry(attack.name), list[str]()
    gone = {run.families.get(victim) for victim in entry.failed_victims}
    for metric in row_metrics(split):
        holes = gone if attack.targeted or metric.needs != "target" else set()

        def marked(column: str, holed: bool, name: str = metric.name) -> str:
            """A cell; says so where victims are missing because they failed."""
            text = _spread(record, f"{name}_{column}")
            return text if not holed else FAILED if text == NA else f"{text} {MARK}"

        inside = [marked(family, family in holes) for family in FAMILIES]
        mean = marked("mean", bool(holes & set(averaged(run.victims).values())))
        ends = (record[f"{metric.name}_mean_{end}_percent"] for end in ("low", "high"))
        texts += [*inside, FAILED if FAILED in inside else mean, between(*ends)]
        texts += [marked(family, family in holes) for family in _others(run)]
    lost = entry.failed and all(record[m.name] is None for m in run.metrics)
    texts += [FAILED if lost else number(record[m.name], m.digits) for m in run.metrics]
    caption = f": {attack.caption}" if attack.caption and not attack.laac else ""
    return Row(
        kind=kind_of(attack),
        laac=attack.laac,
        scfa=attack.scfa,
        name=f"{attack.name}{caption}" + (f" {PARTIAL}" if attack.partial else ""),
        cells=tuple(texts),
    )


def _published_cells(run: RunData, split: str, record: dict[str, Any]) -> tuple[str, ...]:
    texts: list[str] = []
    for stem in (f"published_{metric.name}" for metric in row_metrics(split)):
        there = record.get(f"{stem}_mean_percent") is not None
        columns = (*FAMILIES, "mean")
        cells = [_spread(record, f"{stem}_{c}", 0) if there else "–" for c in columns]
        if record.get(f"{stem}_mean_recomputed_percent") is not None:
            cells[-1] += f" [{_spread(record, f'{stem}_mean_recomputed', 0)}]‡"
        texts += [*cells, "–", *("–" for _ in _others(run))]
    known = (record.get(f"published_{m.name}") for m in run.metrics)
    return (*texts, *("–" if value is None else number(value, 2) for value in known))


def _spread(record: dict[str, Any], stem: str, digits: int = 1) -> str:
    """`94.6 ± 2.1`, the value alone where it is a single one, or `n/a` where undefined."""
    mean, std = record[f"{stem}_percent"], record[f"{stem}_std_percent"]
    return number(mean, digits) + ("" if std is None else f" ± {number(std, digits)}")
