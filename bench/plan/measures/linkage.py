"""From a run's folder to `linkage.parquet`: does an image still fit its device's fingerprint?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.jobs.features import PCE
from bench.jobs.fingerprints import keep_fingerprints
from bench.jobs.job import FeatureJob
from bench.plan.measures.reading import measured
from bench.records.parquet import write_frame
from bench.report.linkage import DEVICE, FRAMES, ROWS
from bench.store import Store
from bench.suites.base import Suite
from bench.suites.catalogue import load_suite
from bench.suites.flat_fields import FlatFields, photographed, simulated
from bench.suites.simcam.plan import SIMULATED
from bench.types import CamobenchError, Progress

DIGITS = 4
"""Of a PCE."""


def link_run(
    folder: Path,
    store: Store,
    progress: Progress,
    *,
    flat_fields: Path | None = None,
    **choices: Any,
) -> dict[str, str]:
    """Write `linkage.parquet` into the folder of a run; returns why attacks are left out.

    `flat_fields` are a folder of real devices'; simulated ones take their own. For `choices` see
    `measured`.

    Raises:
        CamobenchError: As `measured`; if there are no flat fields of a device of Set-C.
    """
    counts = dict[str, int]()

    def untouched(suite: Suite) -> FeatureJob:
        flat = _flat_fields(suite, flat_fields)
        counts.update(flat.counts)
        key = keep_fingerprints(store, suite, flat, progress)
        return FeatureJob(fingerprints=key)

    with measured(folder, store, progress, untouched, **choices) as (found, left_out):
        frames = pd.Series(counts).sort_index()
        rows = pd.concat([_long(some, frames) for some in found.values()], ignore_index=True)
    write_frame(folder / ROWS, rows)
    return left_out


def _flat_fields(suite: Suite, folder: Path | None) -> FlatFields:
    if folder is not None:
        return photographed(folder, suite)
    card = suite.card
    if card.name in SIMULATED:
        if load_suite(card.name).card.fingerprint != card.fingerprint:
            raise CamobenchError(
                f"the cameras of {card.name} are others today than those of this run, so that "
                "flat fields cannot be simulated; run it again"
            )
        return simulated(SIMULATED[card.name])
    raise CamobenchError(
        f"{card.name} needs flat fields of its devices: --flat-fields DIR, with "
        "MODEL/DEVICE/*.jpg or Dresden names"
    )


def _long(rows: pd.DataFrame, frames: pd.Series[int]) -> pd.DataFrame:
    """One row an image and fingerprint."""
    fits = np.stack(rows[PCE].to_list())
    whole = rows.drop(columns=[PCE, "set"]).loc[rows.index.repeat(len(frames))]
    more = {
        DEVICE: np.tile(frames.index.to_numpy(), len(rows)),
        FRAMES: np.tile(frames.to_numpy(), len(rows)),
        PCE: np.array([float(f"{value:.{DIGITS}g}") for value in fits.ravel()]),
    }
    return whole.assign(**more)
