"""Tables of what detectors say, and their files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pandas as pd

from bench.metrics.detection import FALSE_ALARMS
from bench.metrics.resampling import UNDEFINED, percent
from bench.records.metric import headline
from bench.records.run import RunData
from bench.report.detection.scores import (
    ALL,
    HEADLINE,
    Detected,
    detection_rows,
    detections,
    has_scores,
    victim_rows,
)
from bench.report.tables.files import RunTable
from bench.report.tables.notes import part_marked, part_notes
from bench.report.tables.table import (
    NA,
    Table,
    attack_head,
    attack_table,
    ends_record,
    number,
    with_ends,
)
from bench.types import SPLITS


def detection_table(run: RunData) -> Table:
    """AUC and rates of the detectors, and what success they leave."""
    found = detections(run)
    detectors = [name for name in found[0].by if name != ALL]
    labels = [("", "Attack")]
    labels += [("Attack unseen", label) for label in ("AUC (95 %)", "TPR (95 %)")]
    labels += [("AUC unseen", name) for name in detectors]
    labels += [("Attack known", "AUC"), ("Attack known", "TPR")]
    labels += [("Kin unseen", "AUC"), ("Originals only", "AUC")]
    labels += [("", headline().title), ("", f"Undetected {headline().title} (95 %)")]
    groups = (list(of) for _, of in groupby(found, lambda one: (one.split, one.attack.name)))
    return attack_table(
        f"Detection of anonymised images, Set-C of {run.suite}",
        labels,
        ((mine[0].split, mine[0].attack, _cells(mine, detectors)) for mine in groups),
        _notes(run, found),
        (record for one in found for record in _records(run, one)),
    )


def _cells(found: list[Detected], detectors: list[str]) -> list[str]:
    regimes = {one.regime: one for one in found}
    cells = [NA] * (2 + len(detectors))
    success = undetected = UNDEFINED
    in_part = False
    if unseen := regimes.get(HEADLINE):
        whole, success, undetected = unseen.by[ALL], unseen.success, unseen.undetected
        in_part = unseen.in_part
        cells = [with_ends(whole.auc, 2), with_ends(percent(whole.tpr), 0)]
        cells += [number(unseen.by[name].auc[0], 2) for name in detectors]
    for regime in ("known", "unrelated", "originals"):
        there = regimes[regime].by[ALL] if regime in regimes else None
        cells.append(NA if there is None else number(there.auc[0], 2))
        if regime == "known":
            cells.append(NA if there is None else number(percent(there.tpr)[0], 0))
    last = number(percent(success)[0], 0), with_ends(percent(undetected), 0)
    return [*cells, *(part_marked(text, in_part) for text in last)]


def _records(run: RunData, one: Detected) -> Iterator[dict[str, Any]]:
    tasr = headline().name
    for name, by in one.by.items():
        record = attack_head(run, one.split, one.attack) | {
            "regime": one.regime,
            "detector": name,
            "originals": one.images[0],
            "anonymised": one.images[1],
        }
        record |= ends_record("auc", by.auc)
        record |= ends_record("tpr", percent(by.tpr), "_percent")
        if name == ALL:
            whole = None if one.success[0] is None else "no" if one.in_part else "yes"
            record |= {"all_victims": whole}
            record |= ends_record(tasr, percent(one.success), "_percent")
            record |= ends_record(f"undetected_{tasr}", percent(one.undetected), "_percent")
        yield record


def _notes(run: RunData, found: list[Detected]) -> Iterator[str]:
    rows = detection_rows(run)
    quality = rows["quality_percent"].iloc[0]
    save = "as PNG" if pd.isna(quality) else f"as JPEG of quality {quality:g} (Pillow's, 4:2:0)"
    yield (
        f"Untouched and anonymised images are saved alike, {save}. AUC: chance that a detector "
        "finds an anonymised image likelier treated than an untouched one. TPR: share, in %, that "
        f"it objects to when it may object to {100 * FALSE_ALARMS:g} % of the untouched ones of "
        "the same split; of fewer than a hundred, to none: all hangs on the highest score then, "
        "and intervals hold the truth some 45 to 90 % of the time, not 95 (of 100 to 300, 80 to "
        "94 %)."
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
    title, fewest = headline().title, min(one.images[0] for one in found)
    of_new = min(100 * (len(found[0].by) - 1) / (fewest + 1), 100)
    more = "" if FALSE_ALARMS * fewest >= 1 else f" (of new images up to {number(of_new, 0)} %)"
    yield (
        f"Undetected {title}: share of images that a victim takes for the target's and that none "
        "of the detectors (attack unseen) objects to, where all together have that rate of false "
        f"alarms{more}, each objecting above the same rank among untouched images. In brackets: "
        "95 % interval from draws of scenes; thresholds move with them."
    )
    if not victim_rows(run)[1]:
        yield (
            f"Victims saw the images before that save; `camobench run --recompress {quality:g}` "
            "asks them after it."
        )
    elif not pd.isna(quality):
        yield f"{title}: of the images so saved, unlike that of Tables 2 and 3."
    yield from part_notes(run, any(one.in_part for one in found))
    counts = {SPLITS[one.split]: one.images[0] for one in found}
    yield f"Untouched: {', '.join(f'{count} {split}' for split, count in counts.items())}."


DETECTION = RunTable(stem="detection", is_there=has_scores, build=detection_table)
