"""From a run's folder to `detection.parquet`: would anyone notice that its pictures were treated?

Features of each attack's images are jobs; the detectors over them are linear, trained anew in
seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.contract import ATTACKS
from bench.detect import DETECTORS, detect
from bench.jobs.job import FeatureJob
from bench.plan.measures.reading import measured
from bench.records.parquet import write_frame
from bench.report.detection.scores import ROWS
from bench.store import Store
from bench.types import Progress

OF_ATTACK = ("attack_key", "attack_digest")
DECIMALS = 4
"""Of a score: processors move the fifth."""


def detect_run(
    folder: Path, store: Store, progress: Progress, *, quality_percent: int | None, **choices: Any
) -> dict[str, str]:
    """Write `detection.parquet` into the folder of a run; returns why attacks are left out.

    Untouched and treated images are saved last as JPEG of this quality, without one as PNG. For
    `choices` see `measured`.

    Raises:
        CamobenchError: As `measured`.
    """
    untouched = FeatureJob(quality_percent=quality_percent)
    with measured(folder, store, progress, lambda _: untouched, **choices) as (found, left_out):
        rows = pd.concat(_scores(found, progress), ignore_index=True)
    rows = rows.assign(
        quality_percent=pd.array([quality_percent] * len(rows), dtype="Int64"),
        score=rows["score"].round(DECIMALS),
    )
    write_frame(folder / ROWS, rows)
    return left_out


def _scores(measured: Mapping[str, pd.DataFrame], progress: Progress) -> list[pd.DataFrame]:
    """Scores of every attack's images and of untouched ones, by detector and regime."""
    sets = {
        name: {set_name: rows[rows["set"] == set_name] for set_name in ("B", "C")}
        for name, rows in measured.items()
    }
    untouched, attacks = sets.pop(""), sets
    found = []
    progress.start("training detectors", len(DETECTORS) * len(attacks))
    for detector in DETECTORS:

        def vectors(rows: pd.DataFrame, detector: str = detector) -> Any:
            return np.stack(rows[detector].to_list())

        treated = {n: vectors(part["B"]) for n, part in attacks.items() if len(part["B"])}
        plain, clean = vectors(untouched["B"]), vectors(untouched["C"])
        for name, part in attacks.items():
            tested = clean, vectors(part["C"])
            about = [
                rows.drop(columns=[*DETECTORS, "set"]).assign(
                    attack=name,
                    **{one: part["C"][one].iloc[0] for one in OF_ATTACK},
                    treated=is_treated,
                )
                for rows, is_treated in ((untouched["C"], False), (part["C"], True))
            ]
            method = ATTACKS.get(name).maker  # whatever its constants
            kin = [other for other in attacks if ATTACKS.get(other).maker == method]
            for one in detect(name, plain, treated, tested, kin):
                for rows, scores in zip(about, (one.originals, one.anonymised), strict=True):
                    found.append(rows.assign(detector=detector, regime=one.regime, score=scores))
            progress.advance()
    progress.finish()
    return found
