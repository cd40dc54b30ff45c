"""What only the networks tell of a matrix's victims, for their cards: `victims.json`.

The report recomputes everything else from the predictions, without torch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.checks import to_unit
from bench.contract import VICTIMS
from bench.jobs.networks import AS_STORED, BEFORE_ROUNDING, Networks
from bench.jobs.scoring.score import KEY_DIGITS
from bench.plan.answers.kept import AnsweredPredictionsSpec
from bench.plan.matrix import Matrix
from bench.plan.results.counts import COUNT_VERSION, count
from bench.records.networks import VICTIMS_SCHEMA
from bench.store import Checkpoint, digest, read_json, write_json
from bench.types import Json

CURVE_POINTS = 60


def write_network_cards(out: Path, matrix: Matrix, scored: Collection[str] | None = None) -> None:
    """Write size, cost and training of the matrix's victims into `out`: of all, or of `scored`."""
    graph = matrix.graph
    victims: list[Json] = []
    for name, key in graph.victims.items():
        known = not isinstance(VICTIMS.get(name).spec, AnsweredPredictionsSpec)
        if not known or (scored is not None and name not in scored):
            continue
        checkpoint = matrix.shelf.find("victim", name, key) if key in graph.jobs else None
        victims.append(
            {
                "name": name,
                "key": key[:KEY_DIGITS],
                **_counts(matrix, name),
                "training": None
                if checkpoint is None
                else training(checkpoint, graph.recipe.compact),
            }
        )
    write_json(
        out / "victims.json",
        {"schema": VICTIMS_SCHEMA, "image_px": graph.suite.image_px, "victims": victims},
    )


def training(checkpoint: Checkpoint, compact: bool) -> dict[str, Json]:
    """What a checkpoint's card says of its training; older cards lack some of it."""
    card = checkpoint.card
    return {
        "seconds": card["seconds"],
        "figures": card["figures"],
        "curves": {name: thinned(curve) for name, curve in card["curves"].items()},
        "weights_sha256": checkpoint.sha256,
        "validation_of": card.get("validation_of", BEFORE_ROUNDING if compact else AS_STORED),
        "hyperparameters": card.get("hyperparameters"),
        "provenance": card.get("provenance"),
    }


def thinned(curve: Sequence[Sequence[float]], points: int = CURVE_POINTS) -> list[Json]:
    """A curve of (step, value) with at most `points` points, to four significant digits.

    Neighbours are averaged; a point stands at the last of its steps.
    """
    groups = np.array_split(np.asarray(curve, dtype=np.float64), min(points, len(curve)) or 1)
    return [[int(g[-1, 0]), float(f"{g[:, 1].mean():.4g}")] for g in groups if len(g)]


def _counts(matrix: Matrix, name: str) -> Mapping[str, Any]:
    """Counted once and kept in the store: a count asks for the network itself."""
    graph = matrix.graph
    residual = VICTIMS.get(name).spec.residual
    key = digest(
        {
            "victim": graph.victims[name],
            "estimator": None if residual is None else graph.estimators["A"],
            "version": COUNT_VERSION,
        }
    )
    kept = matrix.shelf.store.count_file(key)
    if not kept.is_file():
        image = torch.from_numpy(np.array(matrix.scorer.images[:1])).to(matrix.place.device)
        as_trained = Networks(
            graph, matrix.shelf, matrix.place.device
        )  # not as rewritten for speed
        write_json(kept, asdict(count(as_trained.victim(name), to_unit(image))))
    return read_json(kept)
