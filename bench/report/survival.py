"""What is left of an attack's success after a JPEG save: a table from `survival.parquet` alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.metrics.paired import Interval, Survived, shared, survived
from bench.metrics.success import CLEAN_CONTROL
from bench.records.frames import check_predictions, table_columns
from bench.records.load import read_parquet
from bench.records.metric import MetricSpec, row_metrics
from bench.records.participants import FAMILIES, AttackRecord
from bench.records.run import RunData, once
from bench.report.table import NA, Column, Row, RowKind, Table
from bench.store import read_json
from bench.types import SPLITS

SURVIVAL_SCHEMA = 1
QUALITY = "quality_percent"
CHART = "survival.svg"


@dataclass(frozen=True)
class SurvivalFiles:
    """The files of a run's survival in its folder."""

    folder: Path

    @property
    def rows(self) -> Path:
        """Predictions after re-compression."""
        return self.folder / "survival.parquet"

    @property
    def card(self) -> Path:
        """What made them."""
        return self.folder / "survival.json"

    @property
    def texts(self) -> dict[str, Path]:
        """Tables, by format."""
        return {suffix: self.folder / f"survival.{suffix}" for suffix in ("md", "csv", "tex")}

    @property
    def all(self) -> tuple[Path, ...]:
        """Everything but the chart."""
        return (self.rows, self.card, *self.texts.values())


@dataclass(frozen=True, kw_only=True)
class SurvivalRow:
    """One attack in one split by one metric, at each quality."""

    attack: AttackRecord
    split: str
    metric: MetricSpec
    at: dict[int, Survived]

    @property
    def before(self) -> Survived:
        """Of any quality: what was before is the same."""
        return next(iter(self.at.values()))


@once
def load_survival(run: RunData) -> pd.DataFrame:
    """Predictions after re-compression that belong to a run.

    Raises:
        ValueError: If there are none, or they are of another run.
    """
    files = SurvivalFiles(run.directory)
    if not files.rows.is_file() or not files.card.is_file():
        raise ValueError(
            f"{run.directory} holds no {files.rows.name} with its {files.card.name}; score it with "
            "`camobench run --recompress 70,80,90,95` and the run's other options"
        )
    columns = [column.name for column in table_columns("predictions")]
    frame = read_parquet(files.rows, [*columns, QUALITY])
    card = read_json(files.card)
    if card.get("schema") != SURVIVAL_SCHEMA or card.get("suite_fingerprint") != run.fingerprint:
        raise ValueError(f"{files.card} is of another suite or version than the run; run again")
    for kind, known in (("attack", run.attacks), ("victim", run.victims)):
        keys = {one.name: one.key for one in known}
        for name, key in frame[[kind, f"{kind}_key"]].drop_duplicates().itertuples(index=False):
            if keys.get(name) != key:
                raise ValueError(
                    f"{files.rows} has {kind} {name!r} under a key that no entry states; run again"
                )
    for _, rows in frame.groupby(QUALITY):
        check_predictions(rows)
    return frame


@once
def survival_rows(run: RunData) -> list[SurvivalRow]:
    """TASR of targeted attacks and UASR of all, in each split where they are defined.

    Raises:
        ValueError: As `load_survival`.
    """
    frame = load_survival(run)
    families = {v: f for v, f in run.families.items() if f in FAMILIES} or run.families
    qualities = sorted({int(quality) for quality in frame[QUALITY]}, reverse=True)
    found = []
    for split in run.splits:
        for attack in sorted(run.attacks, key=lambda one: (one.control, one.name)):
            for metric in row_metrics(split, targeted=attack.targeted):
                at = {}
                before = _rows(run.predictions, split, attack.name)
                after = _rows(frame, split, attack.name)
                for quality in qualities:
                    frames = [before, after[after[QUALITY] == quality]]
                    both = shared(frames, metric, families, by_target=attack.targeted)
                    if both is not None:
                        at[quality] = survived(both)
                if at:
                    found.append(SurvivalRow(attack=attack, split=split, metric=metric, at=at))
    return found


def survival_table(run: RunData) -> Table:
    """Success on the PNG and after each JPEG quality, and the share of it that is left.

    Shown are TASR of targeted attacks and UASR of the others; the records hold all.

    Raises:
        ValueError: As `load_survival`.
    """
    found = survival_rows(run)
    qualities = sorted({quality for row in found for quality in row.at}, reverse=True)
    columns = [Column(group="", label="Rate"), Column(group="PNG", label="success")]
    for quality in qualities:
        group = f"JPEG {quality}"
        columns += [Column(group=group, label="success"), Column(group=group, label="left")]
    rows: list[Row] = []
    for split in run.splits:
        shown = [r for r in found if r.split == split and _is_shown(r)]
        if shown:
            rows.append(
                Row(kind="section", name=SPLITS[split].capitalize(), cells=("",) * len(columns))
            )
            rows += [_row(row, qualities) for row in shown]
    return Table(
        number="",
        title=f"Success left after JPEG re-compression, Set-C of {run.suite} (in %)",
        columns=(Column(group="", label="Attack"), *columns),
        rows=tuple(rows),
        notes=tuple(_notes(run, found)),
        records=tuple(record for row in found for record in _records(run, row)),
    )


def _rows(frame: pd.DataFrame, split: str, attack: str) -> pd.DataFrame:
    return frame[(frame["split"] == split) & (frame["attack"] == attack)]


def _is_shown(row: SurvivalRow) -> bool:
    return row.attack.targeted == (row.metric.needs == "target")


def _row(row: SurvivalRow, qualities: list[int]) -> Row:
    cells = [row.metric.title, _percent(row.before.before, row.before.before_interval)]
    for quality in qualities:
        at = row.at.get(quality)
        if at is None:
            cells += [NA, NA]
            continue
        cells += [_percent(at.after, at.after_interval), _percent(at.left, at.left_interval)]
    kind: RowKind = "control" if row.attack.control else "attack"
    return Row(kind=kind, name=row.attack.name, cells=tuple(cells))


def _percent(value: float | None, interval: Interval) -> str:
    if value is None:
        return NA
    between = f" ({100 * interval[0]:.0f}–{100 * interval[1]:.0f})" if interval else ""
    return f"{100 * value:.0f}{between}"


def _records(run: RunData, row: SurvivalRow) -> Iterator[dict[str, Any]]:
    for quality, at in row.at.items():
        yield {
            "suite": run.suite,
            "split": row.split,
            "attack": row.attack.name,
            "attack_key": row.attack.key,
            "control": "yes" if row.attack.control else "no",
            "measure": row.metric.name,
            QUALITY: quality,
            "images": at.images,
            **_figure("before", at.before, at.before_interval),
            **_figure("after", at.after, at.after_interval),
            **_figure("left", at.left, at.left_interval),
        }


def _figure(name: str, value: float | None, interval: Interval) -> dict[str, float | None]:
    low, high = interval or (None, None)
    figures = {f"{name}_percent": value, f"{name}_low_percent": low, f"{name}_high_percent": high}
    return {key: None if one is None else 100 * one for key, one in figures.items()}


def _notes(run: RunData, found: list[SurvivalRow]) -> Iterator[str]:
    yield (
        "Every anonymised image is saved as JPEG (Pillow: baseline, 4:2:0) at the quality given, "
        "and read again, before the victims see it; they were trained on the suite's own images."
    )
    yield (
        "Left: success on the JPEG over success on the PNG, same images, targets and victims. "
        "TASR for targeted attacks, UASR for the others; the mean over victims is that of the "
        "tables. In brackets: 95 % bootstrap interval over photographs."
    )
    guessed = f"{100 / len(run.classes):.0f} %"
    yield (
        f"A victim that gives every image the same label makes for a TASR of {guessed}, so that "
        "what is left near it is no success."
    )
    alone = [r for r in found if r.attack.name == CLEAN_CONTROL and r.metric.needs == "source"]
    for row in alone:
        figures = ", ".join(f"{100 * at.after:.0f} % at {q}" for q, at in row.at.items())
        yield (
            f"Re-compression alone ({CLEAN_CONTROL}) makes the victims miss the source of "
            f"{figures}, so that UASR may rise with it."
        )
    families = sorted({f for f in run.families.values() if f not in FAMILIES})
    if families and set(run.families.values()) & set(FAMILIES):
        yield f"In no mean here: {', '.join(families)}."
    if not np.all([row.before.before for row in found]):
        yield "Left is n/a where nothing succeeded on the PNG."
