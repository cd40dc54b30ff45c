"""What only the networks tell of a matrix's victims, for their cards: `victims.json`.

The report recomputes everything else from the predictions, without torch. A victim costs parameters
and floating-point operations: those of convolutions and matrix products, a multiply-add being two;
the rest (normalisation, activations, pooling, wavelets) is not counted, as is usual. The front-end
is counted by itself, because victims with the same one share its computation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.checks import to_unit
from bench.contract import VICTIMS, Victim
from bench.contract.global_state import kept_global_state
from bench.jobs.networks import Networks, is_shared
from bench.jobs.outcome import is_failure
from bench.jobs.scoring.score import KEY_DIGITS
from bench.plan.answers.kept import AnsweredPredictionsSpec
from bench.plan.session import Session
from bench.records.networks import VICTIMS_SCHEMA
from bench.store import Checkpoint, digest, read_json, write_json, write_sealed
from bench.types import Json

CURVE_POINTS = 60
COUNT_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Size and cost of a victim, and of its front-end; `None` where nobody could follow it."""

    parameters: int
    frontend_parameters: int
    flops_per_image: int | None
    frontend_flops_per_image: int | None


def write_network_cards(out: Path, session: Session, scored: Collection[str]) -> None:
    """Write size, cost and training of those of the matrix's victims that are scored into `out`."""
    graph = session.graph
    victims: list[Json] = []
    for name, key in graph.victims.items():
        answered = isinstance(VICTIMS.get(name).spec, AnsweredPredictionsSpec)
        if name in scored and not answered:
            made = session.shelf.find("victim", name, key) if key in graph.jobs else None
            told = None if made is None else _training(made)
            counted = _counts(session, name)
            victims.append({"name": name, "key": key[:KEY_DIGITS], **counted, "training": told})
    write_json(
        out / "victims.json",
        {"schema": VICTIMS_SCHEMA, "image_px": graph.suite.image_px, "victims": victims},
    )


def _training(checkpoint: Checkpoint) -> dict[str, Json]:
    card = checkpoint.card
    said = ("seconds", "figures", "hyperparameters", "provenance")
    curves = {name: thinned(curve) for name, curve in card["curves"].items()}
    return {name: card[name] for name in said} | {
        "curves": curves,
        "weights_sha256": checkpoint.sha256,
    }


def thinned(curve: Sequence[Sequence[float]]) -> list[Json]:
    """A curve of (step, value) with at most `CURVE_POINTS` points, to four significant digits.

    Neighbours are averaged; a point stands at the last of its steps.
    """
    groups = np.array_split(np.asarray(curve, dtype=np.float64), min(CURVE_POINTS, len(curve)) or 1)
    return [[float(g[-1, 0]), float(f"{g[:, 1].mean():.4g}")] for g in groups if len(g)]


def _counts(session: Session, name: str) -> Mapping[str, Any]:
    """Counted once and kept in the store: a count asks for the network itself."""
    graph = session.graph
    residual = VICTIMS.get(name).spec.residual
    key = digest(
        {
            "victim": graph.victims[name],
            "estimator": None if residual is None else graph.estimators["A"],
            "version": COUNT_VERSION,
        }
    )
    kept = session.store.root / "counts" / f"{key[:24]}.json"
    if not kept.is_file():
        image = torch.from_numpy(np.array(session.place.scorer.images[:1])).to(session.place.device)
        # as it was trained, not as rewritten for speed
        victim = Networks(graph, session.shelf, session.place.device).victim(name)
        write_sealed(kept, asdict(count(victim, to_unit(image))))
    return read_json(kept)


@torch.no_grad()
def count(victim: Victim, image: Tensor) -> Counts:
    """Count by running `victim` once on an image, (1, 3, H, W) float32 in [0, 1]."""
    parameters = {True: 0, False: 0}
    for name, weight in victim.named_parameters():
        parameters[is_shared(victim, name)] += weight.numel()
    flops = _flops(victim, image)
    return Counts(
        parameters=parameters[False],
        frontend_parameters=parameters[True],
        flops_per_image=None if flops is None else flops[1],
        frontend_flops_per_image=None if flops is None else flops[0],
    )


def _flops(victim: Victim, image: Tensor) -> tuple[int, int] | None:
    """Of the front-end, and of what follows: all of it for a victim that writes `logits` whole."""
    from torch.utils.flop_counter import FlopCounterMode  # slow to import, and rarely wanted

    split = type(victim).logits is Victim.logits
    first, rest = FlopCounterMode(display=False), FlopCounterMode(display=False)
    try:
        with kept_global_state():
            with first:
                features = victim.frontend(image) if split else image
            with rest:
                victim.backbone(features) if split else victim.logits(features)
    except BaseException as error:
        if not is_failure(error):
            raise
        return None  # a plug-in may do what the counter cannot follow; no result depends on it
    return int(first.get_total_flops()), int(rest.get_total_flops())
