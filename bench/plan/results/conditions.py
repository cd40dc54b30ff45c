"""Writes rows whose images went through something before they were scored.

`conditions.parquet` and `conditions-distortion.parquet` have the columns of the ordinary rows and
of the condition, `strength` and `quality_percent` (distortions are of weaker attacks alone);
`conditions.json` says what made them. A run that was not asked for any leaves none behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bench.jobs.scoring.score import KEY_DIGITS
from bench.plan.cells import Cells
from bench.plan.failures import Failure
from bench.plan.matrix import Matrix
from bench.records.load import CONDITIONS
from bench.report.conditions.curve_tables import CURVES
from bench.report.conditions.survival import SURVIVAL
from bench.store import replacing, write_json

CARD = "conditions.json"


def lost_to(cells: Sequence[Cells], plain: Cells) -> dict[str, Failure]:
    """What is missing of an attack under conditions though it is there without, and why."""
    return {
        f"{victim} {one.condition.said}": failure
        for one in cells
        if one.attack == plain.attack
        for victim, failure in {**one.failed, **one.unmeasured}.items()
        if victim not in plain.failed
    }


def write_conditions(out: Path, matrix: Matrix, cells: Sequence[Cells]) -> None:
    """Write all rows into `out`; where there are none, files of an earlier run go.

    Args:
        out: Folder of the run's results.
        matrix: Whose cells these are.
        cells: Of every attack under every condition but the plain one.
    """
    rows = [one.predictions().assign(**one.condition.columns) for one in cells if one.victims]
    measured = [
        one.distortion().assign(**one.condition.columns)
        for one in cells
        if one.victims and one.measured and one.condition.quality_percent is None
    ]
    for name, frames in zip(CONDITIONS, (rows, measured), strict=True):
        _write(out / f"{name}.parquet", frames)
    if rows:
        write_json(out / CARD, _card(matrix, [one for one in cells if one.victims]))
        return
    reports = (f"{one.stem}.*" for one in (CURVES, SURVIVAL))
    for path in (out / CARD, *(path for name in reports for path in out.glob(name))):
        path.unlink(missing_ok=True)


def _write(path: Path, frames: Sequence[pd.DataFrame]) -> None:
    if not frames:
        path.unlink(missing_ok=True)
        return
    frames = [frame.astype({"quality_percent": "Int64"}) for frame in frames]
    with replacing(path) as target:
        pd.concat(frames, ignore_index=True).to_parquet(target, index=False)


def _card(matrix: Matrix, cells: Sequence[Cells]) -> dict[str, object]:
    graph = matrix.graph
    return {
        "schema": 1,
        "suite": graph.suite.name,
        "suite_fingerprint": graph.suite.fingerprint,
        "recipe": graph.recipe.name,
        "seed": graph.seed,
        "attack_seed": graph.attack_seed,
        "attacks": {name: key[:KEY_DIGITS] for name, key in graph.attacks.items()},
        "victims": {name: key[:KEY_DIGITS] for name, key in graph.victims.items()},
        "scored": [
            {
                "attack": cell.attack,
                "condition": cell.condition.identity,
                "provenance": cell.provenance,
            }
            for cell in cells
        ],
    }
