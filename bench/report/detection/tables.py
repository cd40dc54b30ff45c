"""Tables of what detectors say, and their files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from bench.metrics.detection import FALSE_ALARMS, Interval
from bench.records.metric import headline
from bench.records.run import RunData
from bench.report.detection.scores import (
    ALL,
    HEADLINE,
    ROWS,
    Detected,
    detection_rows,
    detections,
    victim_rows,
)
from bench.report.tables.render import render
from bench.report.tables.table import NA, Row, Table, kind_of, make_table, number
from bench.store import write_text
from bench.types import SPLITS


def detection_table(run: RunData) -> Table:
    """AUC and rates of the detectors, and what success they leave.

    Raises:
        ValueError: As `detection_rows`.
    """
    found = detections(run)
    detectors = [name for name in found[0].by if name != ALL]
    labels = [("", "Attack")]
    labels += [("Attack unseen", label) for label in ("AUC (95 %)", "TPR (95 %)")]
    labels += [("AUC unseen", name) for name in detectors]
    labels += [("Attack known", "AUC"), ("Attack known", "TPR")]
    labels += [("Kin unseen", "AUC"), ("Originals only", "AUC")]
    labels += [("", headline().title), ("", f"Undetected {headline().title} (95 %)")]
    rows: list[Row] = []
    for split in SPLITS:
        mine: dict[str, dict[str, Detected]] = {}
        for one in found:
            if one.split == split:
                mine.setdefault(one.attack.name, {})[one.regime] = one
        if mine:
            blank = ("",) * (len(labels) - 1)
            rows.append(Row(kind="section", name=SPLITS[split].capitalize(), cells=blank))
        for name, regimes in mine.items():
            kind = kind_of(next(iter(regimes.values())).attack)
            rows.append(Row(kind=kind, name=name, cells=tuple(_cells(regimes, detectors))))
    return make_table(
        f"Detection of anonymised images, Set-C of {run.suite}",
        labels,
        rows,
        _notes(run, found),
        (record for one in found for record in _records(run, one)),
    )


def _cells(regimes: dict[str, Detected], detectors: list[str]) -> Iterator[str]:
    unseen, known = regimes.get(HEADLINE), regimes.get("known")
    if unseen is None:
        yield from [NA] * (2 + len(detectors))
    else:
        whole = unseen.by[ALL]
        yield _text(whole.auc, whole.auc_interval, 1, 2)
        yield _text(whole.tpr, whole.tpr_interval)
        yield from (number(unseen.by[name].auc, 2) for name in detectors)
    yield NA if known is None else number(known.by[ALL].auc, 2)
    yield NA if known is None else number(100 * known.by[ALL].tpr, 0)
    for regime in ("unrelated", "originals"):
        yield number(regimes[regime].by[ALL].auc, 2) if regime in regimes else NA
    success, undetected = (unseen.success, unseen.undetected) if unseen else (None, None)
    yield NA if success is None else number(100 * success[0], 0)
    yield NA if undetected is None else _text(*undetected)


def _text(value: float, ends: Interval, scale: float = 100, digits: int = 0) -> str:
    shown = "" if ends is None else f" ({'–'.join(number(scale * e, digits) for e in ends)})"
    return number(scale * value, digits) + shown


def _records(run: RunData, one: Detected) -> Iterator[dict[str, Any]]:
    for name, figures in one.by.items():
        record: dict[str, Any] = {
            **{"suite": run.suite, "split": one.split, "attack": one.attack.name},
            "attack_key": one.attack.key,
            "control": "yes" if one.attack.control else "no",
            "regime": one.regime,
            "detector": name,
            "originals": one.images[0],
            "anonymised": one.images[1],
        }
        record |= _ends("auc", "", figures.auc, figures.auc_interval, 1)
        record |= _ends("tpr", "_percent", figures.tpr, figures.tpr_interval)
        if name == ALL:
            tasr = headline().name
            record |= _ends(tasr, "_percent", *(one.success or (None, None)))
            record |= _ends(f"undetected_{tasr}", "_percent", *(one.undetected or (None, None)))
        yield record


def _ends(
    name: str, unit: str, value: float | None, ends: Interval, scale: float = 100
) -> dict[str, float | None]:
    figures = zip(("", "_low", "_high"), (value, *(ends or (None, None))), strict=True)
    return {f"{name}{k}{unit}": None if v is None else scale * v for k, v in figures}


def _notes(run: RunData, found: list[Detected]) -> Iterator[str]:
    rows = detection_rows(run)
    quality = rows["quality_percent"].iloc[0]
    save = "as PNG" if pd.isna(quality) else f"as JPEG of quality {int(quality)} (Pillow's, 4:2:0)"
    yield (
        f"Untouched and anonymised images are saved alike, {save}. AUC: chance that a detector "
        "finds an anonymised image likelier treated than an untouched one. TPR: share, in %, that "
        f"it objects to when it may object to {100 * FALSE_ALARMS:g} % of the untouched ones of "
        "the same split; of fewer than a hundred, to none, and as a draw may lack the highest of "
        "them, its interval leans upward."
    )
    yield (
        "Detectors are trained on Set-B and tested on Set-C: linear, on SPAM features, the noise "
        "residual, its Fourier magnitude, and cosine blocks of the image; AUC and TPR are of the "
        "sum of their scores. A stronger detector may see more."
    )
    yield (
        "Unseen: trained on all other attacks of this run, none of the tested one. Kin unseen: on "
        "those of other methods alone, so that no variant gives away another. Known: on the tested "
        "one. Originals only: on no anonymised image."
    )
    title = headline().title
    yield (
        f"Undetected {title}: share of images that a victim takes for the target's and that none "
        "of the detectors (attack unseen) objects to, where all together have that rate of false "
        "alarms, each objecting above the same rank among untouched images. In brackets: 95 % "
        "bootstrap interval over photographs; thresholds are drawn with them."
    )
    if not victim_rows(run)[1]:
        yield (
            f"Victims saw the images before that save; `camobench run --recompress {int(quality)}` "
            "asks them after it."
        )
    counts = {SPLITS[one.split]: one.images[0] for one in found}
    yield f"Untouched: {', '.join(f'{count} {split}' for split, count in counts.items())}."


def detection_texts(run: RunData) -> dict[str, str]:
    """`detection.{md,csv,tex}` by file name; none for a run without scores of detectors."""
    if not (run.directory / ROWS).is_file():
        return {}
    table = detection_table(run)
    return {f"detection.{suffix}": render(table, suffix) for suffix in ("md", "csv", "tex")}


def write_detection(run: RunData) -> list[Path]:
    """Write them into the run's own folder."""
    return [write_text(run.directory / name, t) for name, t in detection_texts(run).items()]
