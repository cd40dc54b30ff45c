"""What is left of an attack's success after a JPEG save, from the rows under conditions alone.

Both figures are means as in the tables, on the same images, targets and victims, so that one draw
of photographs moves both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.metrics.paired import shared
from bench.metrics.resampling import percentile_interval
from bench.metrics.success import CLEAN_CONTROL
from bench.records.metric import MetricSpec, views
from bench.records.participants import FAMILIES, AttackRecord
from bench.records.run import RunData, once
from bench.report.pages.figures import Line, line_panels
from bench.report.statistics import attack_rows, rows_by, untouched_rows
from bench.report.tables.render import render
from bench.report.tables.table import NA, Row, Table, between, kind_of, make_table, number
from bench.store import write_text
from bench.types import SPLITS

STEM = "survival"
Figure = tuple[float | None, tuple[float, float] | None]
"""A fraction and its interval over draws of photographs, where there are any."""


@dataclass(frozen=True, kw_only=True)
class Survival:
    """One attack in one split by one metric after one JPEG save.

    Attributes:
        images: That were scored with and without it.
        left: Success after it over that without, each beyond that of untouched images under the
            same; undefined where that without is not told from the untouched images' (95 %): a
            share of what was never won says nothing.
    """

    attack: AttackRecord
    split: str
    metric: MetricSpec
    quality_percent: int
    images: int
    before: Figure
    after: Figure
    left: Figure


def has_saves(run: RunData) -> bool:
    """Whether anything was scored after a JPEG save."""
    return bool(run.conditions["quality_percent"].notna().any())


@once
def survivals(run: RunData) -> list[Survival]:
    """TASR of targeted attacks and UASR of all, in each split where they are defined.

    Raises:
        ValueError: If nothing was scored after one.
    """
    if not has_saves(run):
        raise ValueError(
            f"{run.directory} holds no rows after a JPEG save; score them with `camobench run "
            "--recompress 70,80,90,95` and the run's other options"
        )
    families = run.whole_families(FAMILIES) or run.families
    found: list[Survival] = []
    for split, metric in views(run.splits):
        for attack in sorted(run.attacks, key=lambda one: (one.control, one.name)):
            if metric.defined(split, targeted=attack.targeted):
                found += _survivals(run, attack, split, metric, families)
    return found


def _survivals(
    run: RunData, attack: AttackRecord, split: str, metric: MetricSpec, families: dict[str, str]
) -> Iterator[Survival]:
    saves = [
        (said, rows)
        for (name, place, said), rows in rows_by(
            run, "conditions", "attack", "split", "said"
        ).items()
        if (name, place) == (attack.name, split) and rows["quality_percent"].notna().all()
    ]
    whole = attack_rows(run, "predictions", attack.name, split)
    for said, rows in saves:
        nothing = [untouched_rows(run, split), untouched_rows(run, split, said)]
        known = all(len(one) for one in nothing)
        frames = [whole, rows, *(nothing if known else [])]
        both = shared(frames, metric, families, by_target=attack.targeted)
        if both is None:
            continue
        drawn = both.resampled()
        ends = [None, None] if drawn is None else [percentile_interval(x) for x in drawn.T[:2]]
        before, after = both.means[:2]
        yield Survival(
            attack=attack,
            split=split,
            metric=metric,
            quality_percent=int(rows["quality_percent"].iloc[0]),
            images=both.images,
            before=(before, ends[0]),
            after=(after, ends[1]),
            left=(None, None) if drawn is None or not known else _left(both.means, drawn),
        )


def _left(means: list[float], drawn: NDArray[np.float64]) -> Figure:
    """Of an attack without and with the save, and of untouched images likewise."""
    won = drawn[:, 0] - drawn[:, 2]
    if not percentile_interval(won)[0] > 0:
        return None, None
    kept = drawn[:, 1] - drawn[:, 3]
    ends = percentile_interval(kept[won > 0] / won[won > 0])
    return (means[1] - means[3]) / (means[0] - means[2]), ends


def survival_table(run: RunData) -> Table:
    """Success without and after each save, and the share of it that is left.

    Shown are TASR of targeted attacks and UASR of the others; the records hold all.

    Raises:
        ValueError: As `survivals`.
    """
    found = survivals(run)
    qualities = list(dict.fromkeys(one.quality_percent for one in found))
    labels = [("", "Attack"), ("", "Rate"), ("", "Success")]
    labels += [(f"JPEG {q}", label) for q in qualities for label in ("success", "left")]
    rows: list[Row] = []
    for split in run.splits:
        mine: dict[str, dict[int, Survival]] = {}
        for one in found:
            if one.split == split and one.attack.targeted == (one.metric.needs == "target"):
                mine.setdefault(one.attack.name, {})[one.quality_percent] = one
        if mine:
            blank = ("",) * (len(labels) - 1)
            rows.append(Row(kind="section", name=SPLITS[split].capitalize(), cells=blank))
        for name, by_quality in mine.items():
            first = next(iter(by_quality.values()))
            cells = [first.metric.title, _text(first.before)]
            for quality in qualities:
                at = by_quality.get(quality)
                cells += [_text(at.after), _text(at.left)] if at else [NA, NA]
            rows.append(Row(kind=kind_of(first.attack), name=name, cells=tuple(cells)))
    return make_table(
        f"Success left after a JPEG save, Set-C of {run.suite} (in %)",
        labels,
        rows,
        _notes(run, found),
        (_record(run, one) for one in found),
    )


def survival_texts(run: RunData) -> dict[str, str]:
    """`survival.{md,csv,tex}` by file name; none for a run without such rows."""
    if not has_saves(run):
        return {}
    table = survival_table(run)
    return {f"{STEM}.{suffix}": render(table, suffix) for suffix in ("md", "csv", "tex")}


def write_survival(run: RunData) -> list[Path]:
    """Write `survival.{md,csv,tex,svg}` into the run's own folder, recomputed from its rows.

    Raises:
        ValueError: As `survivals`.
    """
    texts = survival_texts(run)
    texts |= {f"{STEM}.svg": survival_chart(run)} if texts else {}
    return [write_text(run.directory / name, text) for name, text in texts.items()]


def survival_chart(run: RunData) -> str:
    """SVG text: a panel for each rate that was measured, with bands of 95 %.

    From the images as made to the strongest compression.
    """
    found = survivals(run)
    qualities = list(dict.fromkeys(one.quality_percent for one in found))
    panels: dict[str, dict[str, list[Survival]]] = {}
    for one in found:
        lines = panels.setdefault(f"{one.metric.title}, {SPLITS[one.split]} (%)", {})
        lines.setdefault(one.attack.name, []).append(one)
    return line_panels(
        {
            title: [_line(points, qualities) for points in lines.values()]
            for title, lines in panels.items()
        },
        ("as made", *(f"JPEG {quality}" for quality in qualities)),
    )


def _line(found: list[Survival], qualities: list[int]) -> Line:
    """One attack, from its images as made on."""
    figures = [found[0].before, *(one.after for one in found)]
    return Line(
        name=found[0].attack.name,
        control=found[0].attack.control,
        x=[0, *(1 + qualities.index(one.quality_percent) for one in found)],
        y=[value or 0.0 for value, _ in figures],
        ends=[ends for _, ends in figures],
    )


def _text(figure: Figure) -> str:
    value, ends = figure
    if value is None:
        return NA
    low, high = (100 * end for end in ends) if ends else (None, None)
    return number(100 * value, 0) + (f" ({between(low, high, 0)})" if ends else "")


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
        "quality_percent": one.quality_percent,
        "images": one.images,
        **{f"{k}_percent": None if v is None else 100 * v for k, v in figures.items()},
    }


def _notes(run: RunData, found: list[Survival]) -> Iterator[str]:
    yield (
        "Every anonymised image is saved as JPEG of this quality (Pillow's: baseline, 4:2:0) "
        "before the victims see it, which were trained on the suite's own images."
    )
    yield (
        "Left: success after the save over success without, each beyond what untouched images "
        f"({CLEAN_CONTROL}) have under the same; same images, targets and victims. TASR for "
        "targeted attacks, UASR for the others; the mean over victims is that of the tables. In "
        "brackets: 95 % bootstrap interval over photographs."
    )
    alone = [
        f"{number(100 * (one.after[0] or 0), 0)} % at {one.quality_percent}"
        for one in found
        if one.attack.name == CLEAN_CONTROL and one.metric.needs == "source"
    ]
    if alone:
        yield (
            f"The save alone ({CLEAN_CONTROL}) makes the victims miss the source of "
            f"{', '.join(alone)}."
        )
    families = sorted({f for f in run.families.values() if f not in FAMILIES})
    if families and set(run.families.values()) & set(FAMILIES):
        yield f"In no mean here: {', '.join(families)}."
    if any(one.left[0] is None for one in found):
        yield (
            "Left is n/a where success without the save is not told from that of untouched images "
            "(95 %), or these were not scored: nothing is known to be won."
        )
