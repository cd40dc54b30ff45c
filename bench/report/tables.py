"""Tables 2 and 3 in the paper's layout, and clean accuracy, recomputed from a run's files alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.metrics.success import (
    Measure,
    Spread,
    bootstrap_interval,
    family_spreads,
    mean_distortion,
    overall_spread,
    success_rates,
)
from bench.report.cards import victims_table
from bench.report.claims.table import judge_claims, render_claims
from bench.report.clean import clean_accuracy_table
from bench.report.column import column_table
from bench.report.coverage import PARTIAL
from bench.report.failed import FAILED, family_texts
from bench.report.inputs import load_run
from bench.report.notes import table_notes
from bench.report.published import FAMILIES, PublishedRow, published_rows
from bench.report.records import AttackInfo, RunData
from bench.report.render import render
from bench.report.values import NA, Column, Row, Table, percent, plain
from bench.store import write_text

__all__ = ["build_table", "clean_accuracy_table", "render", "render_run", "write_tables"]

_COLUMNS = (*FAMILIES, "mean")
_KINDS = {
    "in": ("table2", "Table 2", "in-distribution"),
    "out": ("table3", "Table 3", "out-of-distribution"),
    "real": ("table3_real", "Table 3, real photographs", "real"),
}
"""File, number and kind of image of each split's table."""


@dataclass(frozen=True, kw_only=True)
class _Figures:
    """All that one attack's row shows."""

    cells: dict[Measure, dict[str, Spread | None]]
    intervals: dict[Measure, tuple[float, float] | None]
    distortion: dict[str, float | None]
    images: int


def build_table(run: RunData, split: str) -> Table:
    """Table 2 (`split="in"`) or 3 (`"out"`, `"real"`): attacks, the paper's rows, controls.

    Raises:
        ValueError: If `split` is none of these, or the predictions cannot be honest.
    """
    if split not in _KINDS:
        raise ValueError(f"expected split {', '.join(_KINDS)}, got {split!r}")
    published = published_rows(split)
    rates = success_rates(run.predictions, split)
    measures: tuple[Measure, ...] = ("tasr", "uasr") if split == "in" else ("tasr",)
    columns = [Column(group="", label="LAAC")]
    for measure in measures:
        labels = [*(f"f*_{family}" for family in FAMILIES), "Mean", "95 %", *_headings(run)]
        columns += [Column(group=f"{measure.upper()}↑", label=label) for label in labels]
    columns += [Column(group="", label=x) for x in ("LPIPS↓", "PSNR↑ (dB)", "SSIM↑")]
    rows: list[Row] = []
    records: list[dict[str, Any]] = []
    present = bool((run.predictions["split"] == split).any())
    for attack in _ordered(run.attacks, published) if present else []:
        figures = _figures(run, split, attack, rates, measures)
        paper = published.get(attack.row) if attack.row else None
        if attack.control and not any(row.kind == "section" for row in rows):
            rows.append(Row(kind="section", name="Controls", cells=("",) * (len(columns) - 1)))
        rows.append(_row(run, attack, figures, measures))
        if paper:
            rows.append(_published_row(paper, measures, _others(run)))
        records.append(_record(run, split, attack, figures, paper))
    _, number, kind = _KINDS[split]
    rated = ", ".join(measure.upper() for measure in measures)
    return Table(
        number=number,
        title=f"Anonymised {kind} images of Set-C, {run.suite} ({rated} in %)",
        columns=tuple(columns),
        rows=tuple(rows),
        notes=table_notes(run, split, rates),
        records=tuple(records),
    )


def render_run(run: RunData, format_: str, splits: Sequence[str] | None = None) -> str:
    """All tables of a run, or those of some splits, one after the other; as "json" an array.

    Raises:
        ValueError: If a split or the format is unknown.
    """
    tables = [
        *(build_table(run, split) for split in splits or run.splits),
        clean_accuracy_table(run),
    ]
    rendered = [render(table, format_) for table in tables]
    return f"[{','.join(rendered)}]" if format_ == "json" else "\n\n".join(rendered)


def write_tables(directory: str | Path) -> list[Path]:
    """Write every text of `table_texts` into the folder.

    Each file is written under a temporary name and renamed, so no half-written file is ever seen.
    """
    run = load_run(directory)
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
    attacks: tuple[AttackInfo, ...], published: dict[tuple[frozenset[str], bool], PublishedRow]
) -> list[AttackInfo]:
    def place(attack: AttackInfo) -> tuple[bool, int, str]:
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


def _figures(
    run: RunData, split: str, attack: AttackInfo, rates: Any, measures: tuple[Measure, ...]
) -> _Figures:
    families = run.whole_families(FAMILIES)
    beside = {name: family for name, family in run.families.items() if family not in FAMILIES}
    columns = (*FAMILIES, *_others(run))
    cells: dict[Measure, dict[str, Spread | None]] = {}
    intervals: dict[Measure, tuple[float, float] | None] = {}
    for measure in measures:
        found = family_spreads(rates, attack.name, measure, families | beside)
        protocol = [cell for family, cell in found.items() if family in FAMILIES]
        mean = overall_spread(protocol) if protocol else None
        cells[measure] = {family: found.get(family) for family in columns} | {"mean": mean}
        intervals[measure] = None
        if mean is not None:
            args = (run.predictions, split, attack.name, measure, families)
            intervals[measure] = bootstrap_interval(*args)
    counts = rates.loc[rates["attack"] == attack.name, "n"]
    return _Figures(
        cells=cells,
        intervals=intervals,
        distortion=mean_distortion(run.distortion, split, attack.name),
        images=int(counts.max()) if len(counts) else 0,
    )


def _row(run: RunData, attack: AttackInfo, figures: _Figures, measures: tuple[Measure, ...]) -> Row:
    texts: list[str] = []
    others = _others(run)
    for measure in measures:
        cells = [percent(figures.cells[measure][column], scale=100) for column in _COLUMNS]
        defined = attack.targeted or measure != "tasr"
        texts += family_texts(run, attack, FAMILIES, cells) if defined else cells
        interval = figures.intervals[measure]
        texts.append(f"{100 * interval[0]:.1f}–{100 * interval[1]:.1f}" if interval else NA)
        beside = [percent(figures.cells[measure][family], scale=100) for family in others]
        texts += family_texts(run, attack, others, [*beside, ""])[:-1] if defined else beside
    digits = {"lpips": 3, "psnr_db": 1, "ssim": 3}
    distortion = [plain(figures.distortion[name], digits=n) for name, n in digits.items()]
    lost = attack.failed and figures.distortion["psnr_db"] is None
    texts += [FAILED] * len(distortion) if lost else distortion
    return Row(
        kind="control" if attack.control else "attack",
        laac=attack.laac,
        scfa=attack.scfa,
        name=_name(attack),
        cells=tuple(texts),
    )


def _name(attack: AttackInfo) -> str:
    name = attack.name
    if attack.caption and not attack.laac:
        name += f": {attack.caption}"
    return f"{name} {PARTIAL}" if attack.partial else name


def _published_row(
    paper: PublishedRow, measures: tuple[Measure, ...], others: tuple[str, ...]
) -> Row:
    texts: list[str] = []
    for measure in measures:
        printed = paper.tasr if measure == "tasr" else paper.uasr
        cells = [percent(printed[column], digits=0) for column in _COLUMNS]
        if measure == "uasr":
            cells[-1] += f" [{percent(paper.uasr_mean_recomputed, digits=0)}]‡"
        texts += [*cells, "–", *("–" for _ in others)]
    texts += [plain(paper.lpips, digits=2), "–", "–"]
    return Row(kind="published", name="published", cells=tuple(texts))


def _record(
    run: RunData, split: str, attack: AttackInfo, figures: _Figures, paper: PublishedRow | None
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
    measures: tuple[Measure, ...] = ("tasr", "uasr")
    for measure in measures:
        cells = figures.cells.get(measure, {})
        for column in (*_COLUMNS, *_others(run)):
            _put(record, f"{measure}_{column}", cells.get(column), scale=100)
            if column != "mean":
                cell = cells.get(column)
                record[f"{measure}_{column}_architectures"] = cell.n if cell else None
        interval = figures.intervals.get(measure)
        record[f"{measure}_mean_low_percent"] = 100 * interval[0] if interval else None
        record[f"{measure}_mean_high_percent"] = 100 * interval[1] if interval else None
    record |= figures.distortion
    for measure in measures:
        printed = (paper.tasr if measure == "tasr" else paper.uasr) if paper else {}
        for column in _COLUMNS:
            _put(record, f"published_{measure}_{column}", printed.get(column))
    recomputed = paper.uasr_mean_recomputed if paper else None
    _put(record, "published_uasr_mean_recomputed", recomputed)
    record["published_lpips"] = paper.lpips if paper else None
    return record


def _put(record: dict[str, Any], name: str, cell: Spread | None, scale: float = 1) -> None:
    record[f"{name}_percent"] = scale * cell.mean if cell else None
    std = cell.std if cell else None
    record[f"{name}_std_percent"] = None if std is None else scale * std
