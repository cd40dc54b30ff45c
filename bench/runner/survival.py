"""Scores anonymised images that are saved as JPEG before the victims see them: `survival.parquet`.

The rows are those of predictions with a column more, `quality_percent`; `survival.json` says what
made them. A run that was not asked for it leaves none behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from bench.report.survival import CHART, SURVIVAL_SCHEMA, SurvivalFiles
from bench.runner.cells import KEY_DIGITS, Cells
from bench.runner.failures import Failure
from bench.runner.matrix import Matrix
from bench.runner.recompress import recompression
from bench.store import replacing, write_json


def lost_to(cells: Mapping[int, Sequence[Cells]], attack: Cells) -> dict[str, Failure]:
    """What is missing of an attack after re-compression though it is there before, and why."""
    mine = [(quality, one) for quality, row in cells.items() for one in row]
    return {
        f"{victim} after JPEG {quality}": failure
        for quality, one in mine
        if one.attack == attack.attack
        for victim, failure in {**one.failed, **one.unmeasured}.items()
        if victim not in attack.failed
    }


def write_survival_rows(out: Path, matrix: Matrix, cells: Mapping[int, list[Cells]]) -> None:
    """Write all rows into `out`; where there are none, files of an earlier run go.

    Args:
        out: Folder of the run's results.
        matrix: Its ordinary cells are filled.
        cells: At each JPEG quality in per cent, filled.
    """
    files = SurvivalFiles(out)
    frames = [
        cell.predictions().assign(quality_percent=quality)
        for quality, row in cells.items()
        for cell in row
        if cell.victims
    ]
    if not frames:
        for path in (*files.all, out / CHART):
            path.unlink(missing_ok=True)
        return
    with replacing(files.rows) as target:
        pd.concat(frames, ignore_index=True).to_parquet(target, index=False)
    write_json(files.card, _card(matrix, cells))


def _card(matrix: Matrix, cells: Mapping[int, list[Cells]]) -> dict[str, object]:
    graph = matrix.graph
    return {
        "schema": SURVIVAL_SCHEMA,
        "suite": graph.suite.name,
        "suite_fingerprint": graph.suite.fingerprint,
        "recipe": graph.recipe.name,
        "seed": graph.seed,
        "attacks": {name: key[:KEY_DIGITS] for name, key in graph.attacks.items()},
        "victims": {name: key[:KEY_DIGITS] for name, key in graph.victims.items()},
        "scored": [
            {
                "attack": cell.attack,
                "recompression": recompression(quality),
                "provenance": {
                    **cell.scored_by[0],
                    "wall_time_s": round(cell.seconds, 1),
                    "also_scored_by": list(cell.scored_by[1:]),
                },
            }
            for quality, row in cells.items()
            for cell in row
        ],
    }
