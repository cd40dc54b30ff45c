"""Does an image still show its device? The table of `linkage.parquet`, and its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.metrics.detection import Interval
from bench.metrics.linkage import Linkage, linkage
from bench.records.load import read_parquet
from bench.records.participants import AttackRecord
from bench.records.run import RunData, once
from bench.report.detection.scores import IMAGE, has_other_targets, match_networks
from bench.report.tables.render import render
from bench.report.tables.table import Row, Table, kind_of, make_table, number, section
from bench.store import write_text
from bench.types import SPLITS
from bench.wording import plural

ROWS = "linkage.parquet"
DEVICE, FRAMES = "fingerprint", "flat_fields"
_COLUMNS = (
    *("split", *IMAGE, "device", "attack", "attack_key", "attack_digest"),
    *(DEVICE, FRAMES, "pce"),
)


@dataclass(frozen=True, kw_only=True)
class Linked:
    """Figures of one attack in one split, and those of the same images before."""

    attack: AttackRecord
    split: str
    images: int
    before: Linkage
    after: Linkage


@once
def linkage_rows(run: RunData) -> pd.DataFrame:
    """PCE of the run's images, untouched ones without an attack.

    Raises:
        ValueError: If there are none, or they are not of this run.
    """
    path = run.directory / ROWS
    if not path.is_file():
        raise ValueError(f"{path} is missing; `camobench linkage {run.directory}` makes it")
    rows = read_parquet(path, _COLUMNS)
    match_networks(rows[rows["attack"].notna()], path, run)
    if rows["pce"].isna().any() or not rows["split"].isin(list(SPLITS)).all():
        raise ValueError(f"{path} has a PCE that is NaN, or an unknown split; make it again")
    if problem := _incomplete(rows, run):
        raise ValueError(f"{path} {problem}; make it again")
    return rows


def _incomplete(rows: pd.DataFrame, run: RunData) -> str:
    """What is missing or surplus: nobody leaves out what fits its device."""
    devices = set(rows[DEVICE])
    item = ["split", "attack", *IMAGE]
    if rows.duplicated([*item, DEVICE]).any():
        return "has an image and fingerprint twice"
    if len(rows) != len(devices) * len(rows[item].drop_duplicates()):
        return "lacks some fingerprint's PCE of an image"
    if not set(rows["device"]) <= devices:
        return "has images of a device without a fingerprint"
    before = rows[rows["attack"].isna()]
    for attack, mine in rows.groupby("attack"):
        if set(mine["image_id"]) != set(before["image_id"]):
            return f"has other images of {attack} than untouched ones"
        if has_other_targets(mine, run):
            return f"has other targets of {attack} than the run"
    return ""


@once
def links(run: RunData) -> list[Linked]:
    """Every attack in every split that has devices with fingerprints.

    Raises:
        ValueError: As `linkage_rows`.
    """
    rows = linkage_rows(run)
    rows = rows.assign(target=rows["target"].fillna(""))
    attacks, found = {attack.name: attack for attack in run.attacks}, []
    untouched = rows[rows["attack"].isna()].groupby("split")
    before = {str(split): _figures(mine) for split, mine in untouched}
    for (split, name), mine in rows.groupby(["split", "attack"]):
        after = _figures(mine)
        found.append(
            Linked(
                attack=attacks[str(name)],
                split=str(split),
                images=len(mine) // mine[DEVICE].nunique(),
                before=before[str(split)],
                after=after,
            )
        )
    order = [*SPLITS]
    return sorted(
        found, key=lambda one: (order.index(one.split), one.attack.control, one.attack.name)
    )


def _figures(rows: pd.DataFrame) -> Linkage:
    wide = rows.pivot(index=[*IMAGE, "device"], columns=DEVICE, values="pce")
    own = wide.columns.get_indexer(wide.index.get_level_values("device"))
    photographs = pd.factorize(wide.index.get_level_values("photo_id"), sort=True)[0]
    return linkage(wide.to_numpy(np.float64), own, photographs)


def linkage_table(run: RunData) -> Table:
    """Median PCE and AUC before and after each attack.

    Raises:
        ValueError: As `linkage_rows`.
    """
    found = links(run)
    labels = [("", "Attack")]
    labels += [
        (what, f"{when} (95 %)")
        for what in ("Median PCE", "AUC of own device")
        for when in ("before", "after")
    ]
    rows: list[Row] = []
    for split, mine in groupby(found, key=lambda one: one.split):
        rows.append(section(SPLITS[split].capitalize(), len(labels)))
        for one in mine:
            kind, cells = kind_of(one.attack), tuple(_cells(one))
            rows.append(Row(kind=kind, name=one.attack.name, cells=cells))
    return make_table(
        f"Device linkage of anonymised images, Set-C of {run.suite}",
        labels,
        rows,
        _notes(run),
        (_record(run, one) for one in found),
    )


def _cells(one: Linked) -> Iterator[str]:
    for name, digits in (("pce", 0), ("auc", 2)):
        for figures in (one.before, one.after):
            value, ends = _value(figures, name)
            shown = f" ({'–'.join(number(end, digits) for end in ends)})" if ends else ""
            yield number(value, digits) + shown


def _value(figures: Linkage, name: str) -> tuple[float, Interval]:
    return getattr(figures, name), getattr(figures, f"{name}_interval")


def _record(run: RunData, one: Linked) -> dict[str, Any]:
    record: dict[str, Any] = {
        **{"suite": run.suite, "split": one.split, "attack": one.attack.name},
        "attack_key": one.attack.key,
        "control": "yes" if one.attack.control else "no",
        "images": one.images,
    }
    for name in ("pce", "auc"):
        for when, figures in (("before", one.before), ("after", one.after)):
            value, ends = _value(figures, name)
            record |= {f"{name}_{when}": value}
            record |= dict(
                zip(
                    (f"{name}_{when}_low", f"{name}_{when}_high"), ends or (None, None), strict=True
                )
            )
    return record


def _notes(run: RunData) -> Iterator[str]:
    rows = linkage_rows(run)
    devices, frames = rows[DEVICE].nunique(), sorted(set(rows[FRAMES]))
    yield (
        "PCE: peak-to-correlation energy of an image's noise residual with the fingerprint of its "
        "own device, at no shift; about 1 in size where they do not belong together. Before: the "
        "same images untouched. In brackets: 95 % bootstrap interval over photographs."
    )
    counts = ", ".join(
        f"{mine['image_id'].nunique()} images of {plural(mine['device'].nunique(), 'device')} "
        f"{SPLITS[split]}"
        for split in SPLITS
        if len(mine := rows[rows["split"] == split])
    )
    many = "–".join(map(str, dict.fromkeys((frames[0], frames[-1]))))
    yield (
        f"Fingerprints are maximum-likelihood estimates from {many} flat fields a device, in no "
        "set. AUC: chance that an image fits its own device better than an image of the split fits "
        f"another of the {devices} with flat fields; 0.5 hides the device. Set-C has {counts}."
    )
    without = sorted(set(run.distortion["split"]) - set(rows["split"]))
    if without:
        where = " and ".join(SPLITS[split] for split in without)
        yield f"{where.capitalize()} n/a: there are no flat fields of their devices."


def linkage_texts(run: RunData) -> dict[str, str]:
    """`linkage.{md,csv,tex}` by file name; none for a run without PCE."""
    if not (run.directory / ROWS).is_file():
        return {}
    table = linkage_table(run)
    return {f"linkage.{suffix}": render(table, suffix) for suffix in ("md", "csv", "tex")}


def write_linkage(run: RunData) -> list[Path]:
    """Write them into the run's own folder."""
    return [write_text(run.directory / name, text) for name, text in linkage_texts(run).items()]
