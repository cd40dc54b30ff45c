"""What is left of an attack's success after a JPEG save, from the rows under conditions alone.

Both figures are means as in the tables, on the same images, targets and victims, so that one draw
of scenes moves both.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bench.metrics.paired import Shared, shared
from bench.metrics.resampling import UNDEFINED, Figure, percent, percentile_interval
from bench.metrics.success import CLEAN_CONTROL
from bench.records.metric import MetricSpec
from bench.records.participants import AttackRecord
from bench.records.run import RunData, once
from bench.report.pages.figures import Line, line_panels
from bench.report.statistics import attack_rows, averaged, rated_attacks, untouched_rows
from bench.report.tables.files import RunTable
from bench.report.tables.notes import outside_means, part_marked, part_notes
from bench.report.tables.table import (
    Table,
    attack_head,
    attack_table,
    ends_record,
    number,
    with_ends,
)
from bench.types import SPLITS


@dataclass(frozen=True, kw_only=True)
class Survival:
    """One attack in one split by one metric after one JPEG save; rates are fractions.

    Attributes:
        images: That were scored with and without it.
        left: Success after it over that without, each beyond that of untouched images under the
            same; undefined where that without is not told from the untouched images' (95 %): a
            share of what was never won says nothing.
        alone: What untouched images have after it; NaN where they were not scored, or have none.
        in_part: Whether victims are missing that means are over.
    """

    attack: AttackRecord
    split: str
    metric: MetricSpec
    quality_percent: int
    images: int
    before: Figure
    after: Figure
    left: Figure
    alone: float
    in_part: bool


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
    return [one for rated in rated_attacks(run) for one in _survivals(run, *rated)]


def _survivals(
    run: RunData, split: str, metric: MetricSpec, attack: AttackRecord
) -> Iterator[Survival]:
    whole, after = (
        attack_rows(run, table, attack.name, split) for table in ("predictions", "conditions")
    )
    saved, victims = after[after["quality_percent"].notna()], averaged(run.victims)
    for said, rows in saved.groupby("said", sort=False):
        nothing = [untouched_rows(run, split), untouched_rows(run, split, str(said))]
        known = all(len(one) for one in nothing)
        frames = [whole, rows, *(nothing if known else [])]
        both = shared(frames, metric, victims, by_target=attack.targeted)
        if both is None:
            continue
        before, then, *_ = both.figures
        yield Survival(
            attack=attack,
            split=split,
            metric=metric,
            quality_percent=int(rows["quality_percent"].iloc[0]),
            images=both.images,
            before=before,
            after=then,
            left=_left(both) if known else UNDEFINED,
            alone=both.means[3] if known else math.nan,
            in_part=len(both.weights) < len(victims),
        )


def _left(both: Shared) -> Figure:
    """Of an attack without and with the save, and of untouched images likewise."""
    if both.drawn is None:
        return UNDEFINED
    means, drawn, scenes = both.means, both.drawn, both.scenes
    won = drawn[:, 0] - drawn[:, 2]
    if not percentile_interval(won, scenes)[0] > 0:
        return UNDEFINED
    kept = drawn[:, 1] - drawn[:, 3]
    ends = percentile_interval(kept[won > 0] / won[won > 0], scenes)
    return (means[1] - means[3]) / (means[0] - means[2]), ends


def survival_table(run: RunData) -> Table:
    """Success without and after each save, and the share of it that is left.

    Shown are TASR of targeted attacks and UASR of the others; the records hold all.
    """
    found = survivals(run)
    qualities = list(dict.fromkeys(one.quality_percent for one in found))
    labels = [("", "Attack"), ("", "Rate"), ("", "Success")]
    labels += [(f"JPEG {q}", label) for q in qualities for label in ("success", "left")]
    shown = (one for one in found if one.attack.targeted == (one.metric.needs == "target"))
    return attack_table(
        f"Success left after a JPEG save, Set-C of {run.suite} (in %)",
        labels,
        ((mine[0].split, mine[0].attack, _cells(mine, qualities)) for mine in _lines(shown)),
        _notes(run, found),
        (_record(run, one) for one in found),
    )


def survival_chart(run: RunData) -> str:
    """SVG text: a panel for each rate that was measured, with bands of 95 %.

    From the images as made to the strongest compression.
    """
    found = survivals(run)
    qualities = list(dict.fromkeys(one.quality_percent for one in found))
    panels: dict[str, list[Line]] = {}
    for mine in _lines(found):
        first = mine[0]
        line = Line(
            name=first.attack.name,
            control=first.attack.control,
            x=[0, *(1 + qualities.index(one.quality_percent) for one in mine)],
            figures=[first.before, *(one.after for one in mine)],
        )
        title = f"{first.metric.title}, {SPLITS[first.split]} (%)"
        panels.setdefault(title, []).append(line)
    return line_panels(panels, ("as made", *(f"JPEG {quality}" for quality in qualities)))


def _lines(found: Iterable[Survival]) -> Iterator[list[Survival]]:
    """All qualities of one attack in one split by one metric."""
    by = groupby(found, lambda one: (one.split, one.metric.name, one.attack.name))
    return (list(mine) for _, mine in by)


def _cells(found: list[Survival], qualities: list[int]) -> list[str]:
    by_quality = {one.quality_percent: one for one in found}
    figures = [(found[0].before, found[0])]
    for quality in qualities:
        at = by_quality.get(quality)
        figures += [(at.after, at), (at.left, at)] if at else [(UNDEFINED, found[0])] * 2
    texts = (part_marked(with_ends(percent(figure), 0), one.in_part) for figure, one in figures)
    return [found[0].metric.title, *texts]


def _record(run: RunData, one: Survival) -> dict[str, Any]:
    record = attack_head(run, one.split, one.attack) | {
        "measure": one.metric.name,
        "quality_percent": one.quality_percent,
        "images": one.images,
        "all_victims": "no" if one.in_part else "yes",
    }
    for name in ("before", "after", "left"):
        record |= ends_record(name, percent(getattr(one, name)), "_percent")
    return record


def _notes(run: RunData, found: list[Survival]) -> Iterator[str]:
    yield (
        "Every anonymised image is saved as JPEG of this quality (Pillow's: baseline, 4:2:0) "
        "before the victims see it, which were trained on the suite's own images."
    )
    yield (
        "Left: success after the save over success without, each beyond what untouched images "
        f"({CLEAN_CONTROL}) have under the same; same images, targets and victims. TASR for "
        "targeted attacks, UASR for the others; the mean over victims is that of the tables. In "
        "brackets: 95 % interval from draws of scenes."
    )
    alone: dict[tuple[str, str], dict[int, str]] = {}
    for one in found:
        if math.isfinite(one.alone) and not (one.in_part or one.attack.partial):
            text = f"{number(100 * one.alone, 0)} % at {one.quality_percent}"
            alone.setdefault((one.metric.title, one.split), {})[one.quality_percent] = text
    for (title, split), texts in alone.items():
        said = ", ".join(texts.values())
        yield f"The save alone ({CLEAN_CONTROL}), {title} {SPLITS[split]}: {said}."
    yield from part_notes(run, any(one.in_part for one in found))
    yield from outside_means(run)
    if any(one.left[0] is None for one in found):
        yield (
            "Left is n/a where success without the save is not told from that of untouched images "
            "(95 %), or these were not scored: nothing is known to be won."
        )


SURVIVAL = RunTable(stem="survival", is_there=has_saves, build=survival_table, draw=survival_chart)
