"""Does an image still show its device? The table of `linkage.parquet`, and its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from bench.metrics.linkage import Linkage, linkage
from bench.records.participants import AttackRecord
from bench.records.run import RunData, once
from bench.report.detection.scores import IMAGE, measured_rows
from bench.report.statistics import by_attack
from bench.report.tables.files import RunTable
from bench.report.tables.table import Table, attack_head, attack_table, ends_record, with_ends
from bench.types import SPLITS
from bench.wording import listed, plural

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


def has_pce(run: RunData) -> bool:
    """Whether the run's images were compared with fingerprints."""
    return (run.directory / ROWS).is_file()


@once
def linkage_rows(run: RunData) -> pd.DataFrame:
    """PCE of the run's images, untouched ones without an attack."""
    rows = measured_rows(run, ROWS, _COLUMNS, "pce", [DEVICE, FRAMES], "linkage")
    if strange := set(rows["device"]) - set(rows[DEVICE]):
        raise ValueError(
            f"{run.directory / ROWS} has no fingerprint of {listed(sorted(strange))}; `camobench "
            f"linkage {run.directory}` makes it anew"
        )
    return rows


@once
def links(run: RunData) -> list[Linked]:
    """Every attack in every split that has devices with fingerprints."""
    rows = linkage_rows(run)
    rows = rows.assign(target=rows["target"].fillna(""))
    untouched = rows[rows["attack"].isna()].groupby("split")
    before = {str(split): _figures(mine) for split, mine in untouched}
    return [
        Linked(
            attack=attack,
            split=split,
            images=len(mine) // mine[DEVICE].nunique(),
            before=before[split],
            after=_figures(mine),
        )
        for split, attack, mine in by_attack(run, rows)
    ]


def linkage_by_attack(run: RunData) -> dict[tuple[str, str], Linkage]:
    """Figures of anonymised images by attack and split; none without fingerprints."""
    found = links(run) if has_pce(run) else []
    return {(one.attack.name, one.split): one.after for one in found}


def _figures(rows: pd.DataFrame) -> Linkage:
    wide = rows.pivot(index=[*IMAGE, "device"], columns=DEVICE, values="pce")
    own = wide.columns.get_indexer(wide.index.get_level_values("device"))
    scenes = pd.factorize(wide.index.get_level_values("scene"), sort=True)[0]
    photographs = wide.index.get_level_values("photo_id").nunique()
    return linkage(wide.to_numpy(np.float64), own, scenes, photographs)


def linkage_table(run: RunData) -> Table:
    """Median PCE and AUC before and after each attack."""
    found = links(run)
    labels = [("", "Attack")]
    labels += [
        (what, f"{when} (95 %)")
        for what in ("Median PCE", "AUC of own device")
        for when in ("before", "after")
    ]
    return attack_table(
        f"Device linkage of anonymised images, Set-C of {run.suite}",
        labels,
        ((one.split, one.attack, _cells(one)) for one in found),
        _notes(run),
        (_record(run, one) for one in found),
    )


def _cells(one: Linked) -> list[str]:
    both = one.before, one.after
    return [*(with_ends(of.pce, 0) for of in both), *(with_ends(of.auc, 2) for of in both)]


def _record(run: RunData, one: Linked) -> dict[str, Any]:
    record = attack_head(run, one.split, one.attack) | {"images": one.images}
    for name, when in product(("pce", "auc"), ("before", "after")):
        record |= ends_record(f"{name}_{when}", getattr(getattr(one, when), name))
    return record


def _notes(run: RunData) -> Iterator[str]:
    rows = linkage_rows(run)
    devices, frames = rows[DEVICE].nunique(), sorted(set(rows[FRAMES]))
    yield (
        "PCE: peak-to-correlation energy of an image's noise residual with the fingerprint of its "
        "own device, at no shift; about 1 in size where they do not belong together. Before: the "
        "same images untouched. In brackets: 95 % interval from draws of scenes."
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


LINKAGE = RunTable(stem="linkage", is_there=has_pce, build=linkage_table)
