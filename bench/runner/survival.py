"""Scores anonymised images that are saved as JPEG before the victims see them: `survival.parquet`.

The rows are those of predictions with a column more, `quality_percent`; `survival.json` says what
made them. A run that was not asked for it leaves none behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from bench.report.survival import CHART, SURVIVAL_SCHEMA, SurvivalFiles
from bench.runner.matrix import KEY_DIGITS, Cells, Matrix
from bench.runner.recompress import recompression
from bench.store import replacing, write_json
from bench.types import CamobenchError


def score_survival(
    out: Path, matrix: Matrix, attacks: Iterable[str], qualities: Sequence[int]
) -> None:
    """Score what is missing at each JPEG quality and write all of it into `out`.

    Args:
        out: Folder of the run's results.
        matrix: Its ordinary cells are filled.
        attacks: By name.
        qualities: In per cent; with none, files of an earlier run go.

    Raises:
        CamobenchError: If every cell failed.
    """
    files = SurvivalFiles(out)
    if not qualities:
        for path in (*files.all, out / CHART):
            path.unlink(missing_ok=True)
        return
    names = list(attacks)
    cells = {quality: matrix.fill(names, quality) for quality in qualities}
    frames = [
        cell.predictions().assign(quality_percent=quality)
        for quality, row in cells.items()
        for cell in row
        if cell.victims
    ]
    if not frames:
        raise CamobenchError("every cell after re-compression failed; the log says why")
    with replacing(files.rows) as target:
        pd.concat(frames, ignore_index=True).to_parquet(target, index=False)
    write_json(files.card, _card(matrix, cells))


def _card(matrix: Matrix, cells: dict[int, list[Cells]]) -> dict[str, object]:
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
