"""From a run's folder to `linkage.parquet`: does an image still fit its device's fingerprint?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bench.jobs.features import PCE
from bench.jobs.fingerprints import fingerprint_file, keep_fingerprints
from bench.jobs.scoring.rows import read_rows
from bench.plan.measure import Means, measured, write_measured
from bench.records.run import RunData
from bench.report.linkage import DEVICE, FRAMES, ROWS
from bench.suites.base import Suite
from bench.suites.catalogue import SIMULATED
from bench.suites.flat_fields import photographed, simulated
from bench.types import CamobenchError

DIGITS = 4
"""Of a PCE."""


def link_run(folder: Path, means: Means, *, flat_fields: Path | None = None) -> dict[str, str]:
    """Write `linkage.parquet` into the folder of a run.

    Args:
        folder: As of `measured`.
        means: Likewise.
        flat_fields: Of real devices, a folder; simulated ones take their own.

    Returns:
        Why attacks are left out, by name.

    Raises:
        CamobenchError: As `measured`; if there are no flat fields of a device of Set-C.
    """
    kept = ""

    def fingerprints(run: RunData, suite: Suite) -> tuple[None, str]:
        nonlocal kept
        if flat_fields is not None:
            frames = photographed(flat_fields, run.suite)
        elif run.suite in SIMULATED:
            frames = simulated(SIMULATED[run.suite])
        else:
            raise CamobenchError(
                f"{run.suite} needs flat fields of its devices: --flat-fields DIR, with "
                "MODEL/DEVICE/*.jpg or Dresden names"
            )
        kept = keep_fingerprints(means.store, suite, frames, means.progress)
        return None, kept

    with measured(folder, means, fingerprints) as found:
        known = read_rows([fingerprint_file(means.store, kept)])
        frames = known.groupby("device")["frames"].first()
        rows = pd.concat([_long(some, frames) for some in found.rows.values()], ignore_index=True)
    write_measured(folder / ROWS, rows)
    return found.left_out


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
