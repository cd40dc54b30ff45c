"""Success at equal distortion and at each strength: the table, its files and its chart."""

from collections.abc import Iterator
from typing import Any

from bench.metrics.resampling import UNDEFINED, percent
from bench.metrics.success import CLEAN_CONTROL
from bench.records.metric import MetricSpec, views
from bench.records.run import RunData
from bench.report.conditions.curves import Curve, curves_of, has_strengths
from bench.report.pages.figures import Line, curve_panels
from bench.report.tables.files import RunTable
from bench.report.tables.notes import outside_means, part_marked, part_notes
from bench.report.tables.published import published_rows
from bench.report.tables.table import (
    NA,
    Table,
    attack_head,
    attack_table,
    between,
    ends_record,
    number,
)
from bench.types import SPLITS

WHOLE = "†"
"""Marks an attack that stands at full strength."""


def curves_table(run: RunData) -> Table:
    """Success at the level and at each strength.

    Shown are TASR of targeted attacks and UASR of the others; the records hold all.

    Raises:
        ValueError: As `curves_of`, or if untouched and anonymised images share no images.
    """
    found = curves_of(run)
    if not found:
        raise ValueError(
            f"{run.directory} holds no weaker attack on photographs that were scored untouched "
            f"too; score `{CLEAN_CONTROL}` on the same images"
        )
    strengths = sorted({point.strength for one in found for point in one.points})
    fidelity = found[0].fidelity
    at = f"at {fidelity.title} {fidelity.level:g}"
    labels = [("", "Attack"), ("", "Rate"), ("", at), ("", "95 %")]
    labels += [
        (f"strength {s:g}" if s else "untouched", label)
        for s in strengths
        for label in ([fidelity.title] if s else []) + ["success"]
    ]
    return attack_table(
        f"Success {at}, Set-C of {run.suite} (in %)",
        labels,
        ((one.split, one.attack, _cells(one, strengths)) for one in found if one.is_shown),
        _notes(run, fidelity),
        (_record(run, one) for one in found),
    )


def at_text(curve: Curve) -> str:
    """Success at the level, marked where it is that of the whole attack."""
    return number(percent(curve.at)[0]) + (WHOLE if curve.whole else "")


def ends_text(curve: Curve) -> str:
    """The interval of that."""
    return between(*(percent(curve.at)[1] or (None, None)))


def at_record(curve: Curve | None, name: str) -> dict[str, Any]:
    """Success at the level in per cent, its interval, and whether that is the whole attack."""
    figure = curve.at if curve else UNDEFINED
    whole = None if curve is None else "yes" if curve.whole else "no"
    return ends_record(name, percent(figure), "_percent") | {f"{name}_is_whole": whole}


def curves_chart(run: RunData) -> str:
    """SVG text: a panel for each rate and split, with bands of 95 % and the paper's points."""
    panels: dict[str, list[Line]] = {}
    for one in (one for one in curves_of(run) if one.is_shown):
        panels.setdefault(f"{one.metric.title}, {SPLITS[one.split]} (%)", []).append(
            Line(
                name=one.attack.name,
                control=one.attack.control,
                x=[point.distortion for point in one.points],
                figures=[point.success for point in one.points],
            )
        )
    fidelity = curves_of(run)[0].fidelity
    published = {
        f"{metric.title}, {SPLITS[split]} (%)": [
            (row[fidelity.name], row[f"{metric.name}_mean_percent"])
            for row in published_rows(split).values()
            if {fidelity.name, f"{metric.name}_mean_percent"} <= row.keys()
        ]
        for split, metric in views(run.splits)
        if metric.needs == "target"
    }
    return curve_panels(panels, fidelity.axis, fidelity.level or 0.0, published)


def _cells(one: Curve, strengths: list[float]) -> list[str]:
    cells = [part_marked(one.metric.title, one.in_part), at_text(one), ends_text(one)]
    by_strength = {point.strength: point for point in one.points}
    for strength in strengths:
        texts = [NA, NA]
        if point := by_strength.get(strength):
            success = number(percent(point.success)[0])
            texts = [number(point.distortion, one.fidelity.digits), success]
        cells += texts if strength else texts[1:]
    return cells


def _record(run: RunData, one: Curve) -> dict[str, Any]:
    record = attack_head(run, one.split, one.attack) | {
        "measure": one.metric.name,
        "images": one.images,
        "all_victims": "no" if one.in_part else "yes",
        "distortion": one.fidelity.name,
        "level": one.fidelity.level,
        **at_record(one, "at_level"),
    }
    for point in one.points:
        name = f"strength_{point.strength:g}"
        record |= {f"{name}_distortion": point.distortion}
        record |= ends_record(name, percent(point.success), "_percent")
    return record


def _notes(run: RunData, fidelity: MetricSpec) -> Iterator[str]:
    yield (
        f"At {fidelity.title} {fidelity.level:g}: between the two strengths on either side of it, "
        f"in proportion, which is an attack that takes either by lot. {WHOLE}: at full strength, "
        "where the attack distorts no more than that. n/a: no weaker strength was scored "
        "in full."
    )
    yield (
        "Strength s: x + s (g(x, t) - x), rounded to 8 bits. Untouched: what victims say of the "
        "originals, asked for the same targets; out of distribution that is chance, "
        f"{number(100 / len(run.classes))} %, whatever those say that know the targets alone."
    )
    yield (
        "TASR for targeted attacks, UASR for the others; means over families of means over "
        "architectures. 95 %: from draws of scenes, through the interpolation."
    )
    yield from part_notes(run, any(one.in_part for one in curves_of(run)))
    yield from outside_means(run)


def has_curves(run: RunData) -> bool:
    """Whether any attack that was weakened has its distortion measured too."""
    return has_strengths(run) and bool(curves_of(run))


CURVES = RunTable(stem="curves", is_there=has_curves, build=curves_table, draw=curves_chart)
