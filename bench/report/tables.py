"""Tables 2 and 3 in the paper's layout, recomputed from a run's files, and all table files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.metrics.clean import originally_correct
from bench.metrics.success import Spread, clean_rows
from bench.records.metric import row_metrics
from bench.records.participants import FAMILIES, PARTIAL, AttackRecord
from bench.records.run import RunData, once
from bench.report.cards import clean_accuracy_table, victims_table
from bench.report.claims.judging import judge_claims, render_claims
from bench.report.column import column_table
from bench.report.notes import FAILED, MARK, table_notes
from bench.report.published import PublishedRow, published_rows
from bench.report.render import render
from bench.report.statistics import Figures, figures_of
from bench.report.table import NA, Row, Table, between, kind_of, make_table, number, percent
from bench.store import write_text
from bench.types import IN, OUT, REAL

_COLUMNS = (*FAMILIES, "mean")
_KINDS: dict[str, tuple[str, str, str]] = {
    IN: ("table2", "Table 2", "in-distribution"),
    OUT: ("table3", "Table 3", "out-of-distribution"),
    REAL: ("table3_real", "Table 3, real photographs", "real"),
}
"""File, number and kind of image of each split's table."""


@once
def build_table(run: RunData, split: str, counted: tuple[str, ...] = FAMILIES) -> Table:
    """Table 2 (`split="in"`) or 3 (`"out"`, `"real"`): attacks, the paper's rows, controls.

    Its means are over the families `counted`.

    Raises:
        ValueError: If `split` is none of these, or the predictions cannot be honest.
    """
    if split not in _KINDS:
        raise ValueError(f"expected split {', '.join(_KINDS)}, got {split!r}")
    published, metrics = published_rows(split), row_metrics(split)
    columns = [("", "LAAC")]
    for metric in metrics:
        labels = [*(f"f*_{family}" for family in FAMILIES), "Mean", "95 %", *_headings(run)]
        columns += [(metric.heading, label) for label in labels]
    columns += [("", m.heading + (f" ({m.unit})" if m.unit else "")) for m in run.metrics]
    rows: list[Row] = []
    records: list[dict[str, Any]] = []
    present = bool((run.predictions["split"] == split).any())
    for attack in _ordered(run.attacks, published) if present else []:
        figures = figures_of(run, split, attack.name, counted)
        paper = published.get(attack.row) if attack.row else None
        if attack.control and not any(row.kind == "section" for row in rows):
            rows.append(Row(kind="section", name="Controls", cells=("",) * (len(columns) - 1)))
        rows.append(_row(run, attack, figures))
        if paper:
            rows.append(_published_row(run, split, paper))
        records.append(_record(run, split, attack, figures, paper))
    _, place, kind = _KINDS[split]
    rated = ", ".join(metric.title for metric in metrics)
    title = f"Anonymised {kind} images of Set-C, {run.suite} ({rated} in %)"
    return make_table(title, columns, rows, table_notes(run, split), records, number=place)


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
            *table_notes(run, IN),
        ),
    )


def render_run(run: RunData, format_: str, splits: Sequence[str] | None = None) -> str:
    """All tables of a run, or those of some splits, one after the other; as "json" an array.

    Raises:
        ValueError: If a split or the format is unknown.
    """
    tables = [*(build_table(run, split) for split in splits or run.splits)]
    rendered = [render(table, format_) for table in (*tables, clean_accuracy_table(run))]
    return f"[{','.join(rendered)}]" if format_ == "json" else "\n\n".join(rendered)


def write_tables(run: RunData) -> list[Path]:
    """Write every text of `table_texts` into the run's own folder.

    Each file is written under a temporary name and renamed, so no half-written file is ever seen.
    """
    texts = table_texts(run)
    for stale in {*run.directory.glob("column-*"), *run.directory.glob("table3_real.*")} - {
        run.directory / name for name in texts
    }:
        stale.unlink()
    return [write_text(run.directory / name, text) for name, text in texts.items()]


def table_texts(run: RunData) -> dict[str, str]:
    """`clean_accuracy.csv` and `{table2,table3,victims,claims}.{md,csv,tex}` by file name.

    With a split of real photographs `table3_real.{md,csv,tex}` as well.
    A victim of which only predictions are known has its column in `column-NAME.{md,csv,tex}`.
    """
    texts = {"clean_accuracy.csv": render(clean_accuracy_table(run), "csv")}
    suffixes = ("md", "csv", "tex")
    tables = {_KINDS[split][0]: build_table(run, split) for split in run.splits}
    tables["victims"] = victims_table(run)
    sent = [victim.name for victim in run.victims if victim.elsewhere]
    tables |= {f"column-{name}": column_table(run, name) for name in sent}
    for stem, table in tables.items():
        texts |= {f"{stem}.{suffix}": render(table, suffix) for suffix in suffixes}
    judged = judge_claims(run)
    return texts | {f"claims.{suffix}": render_claims(judged, suffix) for suffix in suffixes}


def _ordered(
    attacks: Iterable[AttackRecord], published: dict[tuple[frozenset[str], bool], PublishedRow]
) -> list[AttackRecord]:
    def place(attack: AttackRecord) -> tuple[bool, int, str]:
        paper = published.get(attack.row) if attack.row else None
        return attack.control, paper.order if paper else len(published), attack.name

    return sorted(attacks, key=place)


def _others(run: RunData) -> tuple[str, ...]:
    """Families beside the protocol's: a column of their own, part of no mean."""
    found = dict.fromkeys(victim.family for victim in run.victims)
    return tuple(family for family in found if family not in FAMILIES)


def _headings(run: RunData) -> tuple[str, ...]:
    partial = {victim.family for victim in run.victims if victim.partial}
    return tuple(f"{name} {PARTIAL}" if name in partial else name for name in _others(run))


def _row(run: RunData, attack: AttackRecord, figures: Figures) -> Row:
    entry, texts = run.entry(attack.name), list[str]()
    gone = {run.families.get(victim) for victim in entry.failed_victims}
    for name, found in figures.cells.items():
        holes = gone if attack.targeted or name not in _of_targets() else set()
        family = {
            column: _marked(percent(found.get(column), scale=100), column in holes)
            for column in (*FAMILIES, *_others(run))
        }
        inside = [family.pop(column) for column in FAMILIES]
        mean = _marked(percent(found.get("mean"), scale=100), bool(holes & set(FAMILIES)))
        mean = FAILED if FAILED in inside else mean
        texts += [*inside, mean, between(figures.intervals[name]), *family.values()]
    means = figures.distortion
    lost = entry.failed and all(mean is None for mean in means.values())
    texts += [FAILED if lost else number(means[m.name], m.digits) for m in run.metrics]
    caption = f": {attack.caption}" if attack.caption and not attack.laac else ""
    return Row(
        kind=kind_of(attack),
        laac=attack.laac,
        scfa=attack.scfa,
        name=f"{attack.name}{caption}" + (f" {PARTIAL}" if attack.partial else ""),
        cells=tuple(texts),
    )


def _marked(text: str, holed: bool) -> str:
    """A cell in which victims are missing because they failed."""
    return text if not holed else FAILED if text == NA else f"{text} {MARK}"


def _of_targets() -> set[str]:
    return {metric.name for metric in row_metrics() if metric.needs == "target"}


def _published_row(run: RunData, split: str, paper: PublishedRow) -> Row:
    texts: list[str] = []
    for name in (metric.name for metric in row_metrics(split)):
        printed = paper.cells.get(name, {})
        cells = [percent(printed[c], digits=0) if printed else "–" for c in _COLUMNS]
        if name in paper.recomputed:
            cells[-1] += f" [{percent(paper.recomputed[name], digits=0)}]‡"
        texts += [*cells, "–", *("–" for _ in _others(run))]
    for m in run.metrics:
        known = paper.distortion.get(m.name)
        texts.append("–" if known is None else number(known, 2))
    return Row(kind="published", name="published", cells=tuple(texts))


def _record(
    run: RunData, split: str, attack: AttackRecord, figures: Figures, paper: PublishedRow | None
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "suite": run.suite,
        "split": split,
        "attack": attack.name,
        "attack_key": attack.key,
        "local_auxiliary_classifiers": "+".join(attack.laac),
        "scfa": "yes" if attack.scfa else "no",
        "control": "yes" if attack.control else "no",
        "images_per_victim": figures.images,
    }
    if attack.partial:
        record |= {"scored": attack.partial.scored, "wanted": attack.partial.wanted}
    for name in (metric.name for metric in row_metrics()):
        cells = figures.cells.get(name, {})
        for column in (*_COLUMNS, *_others(run)):
            cell = cells.get(column)
            _put(record, f"{name}_{column}", cell, scale=100)
            if column != "mean":
                record[f"{name}_{column}_architectures"] = cell and cell.n
        for place, end in enumerate(("low", "high")):
            ends = figures.intervals.get(name)
            record[f"{name}_mean_{end}_percent"] = ends and 100 * ends[place]
    record |= figures.distortion
    known = next(iter(published_rows(IN).values()))
    for name in known.cells:
        printed = paper.cells.get(name, {}) if paper else {}
        for column in _COLUMNS:
            _put(record, f"published_{name}_{column}", printed.get(column))
    for name in known.recomputed:
        recomputed = paper.recomputed.get(name) if paper else None
        _put(record, f"published_{name}_mean_recomputed", recomputed)
    for name in known.distortion:
        record[f"published_{name}"] = paper.distortion[name] if paper else None
    return record


def _put(record: dict[str, Any], name: str, cell: Spread | None, scale: float = 1) -> None:
    record[f"{name}_percent"] = scale * cell.mean if cell else None
    std = cell.std if cell else None
    record[f"{name}_std_percent"] = None if std is None else scale * std
