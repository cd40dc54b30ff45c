"""What is left of an attack's success under conditions: a table over them, from their rows alone.

A condition is some of the attack's change (`strength`) or a JPEG save of what it made
(`quality_percent`). Both figures are means as in the tables, on the same images, targets and
victims, so that one draw of photographs moves both.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.metrics.paired import shared
from bench.metrics.resampling import percentile_interval
from bench.metrics.success import CLEAN_CONTROL
from bench.records.frames import CONDITION, check_predictions, condition_said, table_columns
from bench.records.load import match_keys, read_parquet
from bench.records.metric import MetricSpec, views
from bench.records.participants import FAMILIES, AttackRecord
from bench.records.run import RunData, once
from bench.report.pages.figures import line_panels
from bench.report.render import render
from bench.report.table import NA, Row, Table, kind_of, make_table
from bench.store import write_text
from bench.types import SPLITS

ROWS = ("strengths.parquet", "survival.parquet")
CHART = "survival.svg"
Figure = tuple[float | None, tuple[float, float] | None]
"""A fraction and its interval over draws of photographs, where there are any."""


@dataclass(frozen=True, kw_only=True)
class Survival:
    """One attack in one split by one metric under one condition.

    Attributes:
        said: The condition, for people.
        condition: Its columns.
        images: That were scored with and without it.
        left: Success under the condition over that without; undefined where nothing succeeded
            without it, or nothing did in some draw: a share of next to nothing says nothing.
    """

    attack: AttackRecord
    split: str
    metric: MetricSpec
    said: str
    condition: dict[str, Any]
    images: int
    before: Figure
    after: Figure
    left: Figure


def has_conditions(run: RunData) -> bool:
    """Whether any rows were scored under a condition."""
    return any((run.directory / name).is_file() for name in ROWS)


@once
def condition_rows(run: RunData) -> pd.DataFrame:
    """Prediction rows under conditions, in order of these, with what they are called as `said`.

    Raises:
        ValueError: If there are none, or they are not of this run.
    """
    if not has_conditions(run):
        raise ValueError(
            f"{run.directory} holds no {' and no '.join(ROWS)}; score them with `camobench run "
            "--recompress 70,80,90,95` or `--strength 0.25,0.5` and the run's other options"
        )
    columns = [column.name for column in table_columns("predictions")]
    frames: list[tuple[float, float, pd.DataFrame]] = []
    for path in (run.directory / name for name in ROWS if (run.directory / name).is_file()):
        frame = read_parquet(path, [*columns, *CONDITION])
        for kind, known in (("attack", run.attacks), ("victim", run.victims)):
            match_keys(frame, path, kind, {one.name: one.key for one in known})
        for _, rows in frame.groupby(CONDITION, dropna=False, sort=False):
            check_predictions(rows)
            strength, quality = _plain(rows)
            rows = rows.assign(said=condition_said(strength, quality))
            frames.append((math.inf if quality is None else quality, strength, rows))
    frames.sort(key=lambda one: one[:2], reverse=True)
    return pd.concat([rows for *_, rows in frames], ignore_index=True)


@once
def survivals(run: RunData) -> list[Survival]:
    """TASR of targeted attacks and UASR of all, in each split where they are defined.

    Raises:
        ValueError: As `condition_rows`.
    """
    families = {v: f for v, f in run.families.items() if f in FAMILIES} or run.families
    conditions = list(condition_rows(run).groupby("said", sort=False))
    found = []
    for split, metric in views(run.splits):
        for attack in sorted(run.attacks, key=lambda one: (one.control, one.name)):
            if not metric.defined(split, targeted=attack.targeted):
                continue
            for said, rows in conditions:
                frames = [
                    frame[(frame["split"] == split) & (frame["attack"] == attack.name)]
                    for frame in (run.predictions, rows)
                ]
                both = shared(frames, metric, families, by_target=attack.targeted)
                if both is None:
                    continue
                (before, after), drawn = both.means, both.resampled()
                share = after / before if before > 0 else None
                ends: list[tuple[float, float] | None] = [None] * 3
                if drawn is not None:
                    ends[:2] = map(percentile_interval, drawn.T)
                    if drawn[:, 0].all():
                        ends[2] = percentile_interval(drawn[:, 1] / drawn[:, 0])
                    else:
                        share = None
                found.append(
                    Survival(
                        attack=attack,
                        split=split,
                        metric=metric,
                        said=str(said),
                        condition=dict(zip(CONDITION, _plain(rows), strict=True)),
                        images=both.images,
                        before=(before, ends[0]),
                        after=(after, ends[1]),
                        left=(share, ends[2]),
                    )
                )
    return found


def survival_table(run: RunData) -> Table:
    """Success without and under each condition, and the share of it that is left.

    Shown are TASR of targeted attacks and UASR of the others; the records hold all.

    Raises:
        ValueError: As `condition_rows`.
    """
    found = survivals(run)
    conditions = list(dict.fromkeys(one.said for one in found))
    labels = [("", "Attack"), ("", "Rate"), ("", "Success")]
    labels += [(said, label) for said in conditions for label in ("success", "left")]
    rows: list[Row] = []
    for split in run.splits:
        mine: dict[str, dict[str, Survival]] = {}
        for one in found:
            if one.split == split and one.attack.targeted == (one.metric.needs == "target"):
                mine.setdefault(one.attack.name, {})[one.said] = one
        if mine:
            blank = ("",) * (len(labels) - 1)
            rows.append(Row(kind="section", name=SPLITS[split].capitalize(), cells=blank))
        for name, by_condition in mine.items():
            first = next(iter(by_condition.values()))
            cells = [first.metric.title, _text(first.before)]
            for said in conditions:
                at = by_condition.get(said)
                cells += [_text(at.after), _text(at.left)] if at else [NA, NA]
            rows.append(Row(kind=kind_of(first.attack), name=name, cells=tuple(cells)))
    return make_table(
        f"Success left under conditions, Set-C of {run.suite} (in %)",
        labels,
        rows,
        _notes(run, found),
        (_record(run, one) for one in found),
    )


def survival_texts(run: RunData) -> dict[str, str]:
    """`survival.{md,csv,tex}` by file name; none for a run without rows under conditions."""
    if not has_conditions(run):
        return {}
    table = survival_table(run)
    return {f"survival.{suffix}": render(table, suffix) for suffix in ("md", "csv", "tex")}


def write_survival(run: RunData) -> list[Path]:
    """Write `survival.{md,csv,tex,svg}` into the run's own folder, recomputed from its rows.

    Raises:
        ValueError: As `condition_rows`, where there are any.
    """
    texts = survival_texts(run)
    texts |= {CHART: survival_chart(run)} if texts else {}
    return [write_text(run.directory / name, text) for name, text in texts.items()]


def survival_chart(run: RunData) -> str:
    """SVG text: a panel for each rate that was measured, with bands of 95 %.

    From the weakest strength to the whole attack, and on to the strongest compression.
    """
    panels: dict[str, dict[str, list[tuple[str, Figure]]]] = {}
    for one in survivals(run):
        lines = panels.setdefault(f"{one.metric.title}, {SPLITS[one.split]} (%)", {})
        points = lines.setdefault(one.attack.name, [("as made", one.before)])
        place = 0 if one.condition["quality_percent"] is None else len(points)
        points.insert(place, (one.said, one.after))
    return line_panels(panels, {attack.name for attack in run.attacks if attack.control})


def _plain(rows: pd.DataFrame) -> tuple[float, int | None]:
    strength, quality = (rows[name].iloc[0] for name in CONDITION)
    return float(strength), None if pd.isna(quality) else int(quality)


def _text(figure: Figure) -> str:
    value, ends = figure
    if value is None:
        return NA
    return f"{100 * value:.0f}" + (f" ({100 * ends[0]:.0f}–{100 * ends[1]:.0f})" if ends else "")


def _record(run: RunData, one: Survival) -> dict[str, Any]:
    figures: dict[str, float | None] = {}
    for name in ("before", "after", "left"):
        value, ends = getattr(one, name)
        low, high = ends or (None, None)
        figures |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return {
        "suite": run.suite,
        "split": one.split,
        "attack": one.attack.name,
        "attack_key": one.attack.key,
        "control": "yes" if one.attack.control else "no",
        "measure": one.metric.name,
        **one.condition,
        "images": one.images,
        **{f"{k}_percent": None if v is None else 100 * v for k, v in figures.items()},
    }


def _notes(run: RunData, found: list[Survival]) -> Iterator[str]:
    yield (
        "Every anonymised image is changed as the heading says before the victims see it, which "
        "were trained on the suite's own images. JPEG: Pillow's (baseline, 4:2:0) at this quality. "
        "Strength: x + strength (g(x, t) - x), rounded to 8 bits."
    )
    yield (
        "Left: success under the condition over success without, same images, targets and victims. "
        "TASR for targeted attacks, UASR for the others; the mean over victims is that of the "
        "tables. In brackets: 95 % bootstrap interval over photographs."
    )
    yield (
        "A victim that gives every image the same label makes for a TASR of "
        f"{100 / len(run.classes):.0f} %, so that what is left near it is no success."
    )
    alone = [
        f"{100 * (one.after[0] or 0):.0f} % {one.said}"
        for one in found
        if one.attack.name == CLEAN_CONTROL and one.metric.needs == "source"
    ]
    if alone:
        yield (
            f"The condition alone ({CLEAN_CONTROL}) makes the victims miss the source of "
            f"{', '.join(alone)}, so that UASR may rise with it."
        )
    families = sorted({f for f in run.families.values() if f not in FAMILIES})
    if families and set(run.families.values()) & set(FAMILIES):
        yield f"In no mean here: {', '.join(families)}."
    if not all(one.before[0] for one in found):
        yield "Left is n/a where nothing succeeded without the condition."
