"""Tries the networks that score: one batch through each."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence

import torch

from bench.contract import ATTACKS
from bench.metrics.distortion import measure
from bench.metrics.lpips import load_lpips
from bench.runner.api import Session
from bench.runner.batches import batch_for
from bench.runner.estimate.tries import Tries, shape_of
from bench.runner.graph import build_attack, build_victim
from bench.runner.precision import ready_attack, ready_network, ready_victim
from bench.suites.base import SuiteSource
from bench.training.residual import ResidualEstimator


def scoring_seconds(
    session: Session, cells: Mapping[str, Sequence[str]], tries: Tries
) -> dict[str, float]:
    """Seconds to score each attack on the victims it lacks.

    Args:
        session: The request.
        cells: Victims by attack.
        tries: Remembers what was tried.
    """
    found: dict[str, float] = {}
    if not cells:
        return found
    graph, device = session.graph, torch.device(session.request.device)
    side, classes = graph.suite.image_px, graph.suite.classes
    batch = session.request.batch or batch_for(side, side)
    originals = torch.randint(0, 256, (batch, 3, side, side), dtype=torch.uint8).to(device)
    unit = (originals.float() / 255).contiguous(memory_format=torch.channels_last)
    targets = torch.zeros(batch, dtype=torch.int64, device=device)
    lpips, _ = load_lpips(device)

    @torch.inference_mode()
    def timed(work: Callable[[], object]) -> float:
        work()
        _wait(device)
        began = time.perf_counter()
        work()
        _wait(device)
        return (time.perf_counter() - began) / batch

    counts = _transforms(session.request.source)
    distortion = tries.seconds(
        "distortion", side, lambda: timed(lambda: measure(originals, originals, lpips))
    )
    for name, victims in cells.items():
        spec = ATTACKS.get(name).spec
        attack = build_attack(name, classes, graph.recipe).to(device).eval()
        shape = (type(attack), shape_of(attack), spec.scfa)
        if not attack.learns:
            shape = (type(attack), name, False)
        ready_attack(attack, device)
        each = [
            distortion,
            tries.seconds(
                "attack",
                shape,
                lambda attack=attack, spec=spec: timed(  # type: ignore[misc]
                    lambda: attack(originals, targets if spec.targeted else None)
                ),
            ),
        ]
        estimators = set()
        for victim_name in victims:
            victim = build_victim(victim_name, classes, graph.recipe)
            front_end, residual = victim.spec.front_end, victim.spec.residual
            known_by = (type(victim), shape_of(victim), front_end)
            if residual is not None:
                estimator = ResidualEstimator(graph.recipe.estimator).to(device).eval()
                estimator.network = ready_network(estimator.network, device)
                victim.attach(estimator, "tried")
                if residual not in estimators:
                    estimators.add(residual)
                    each.append(
                        tries.seconds(
                            "front-end",
                            shape_of(estimator),
                            lambda estimator=estimator: timed(lambda: estimator(unit)),  # type: ignore[misc]
                        )
                    )
            victim.to(device).eval()
            ready_victim(victim, session.request.scored_in.of(victim_name), device)
            run = victim.logits if residual is None else victim.backbone
            each.append(
                tries.seconds(
                    "victim",
                    known_by,
                    lambda run=run: timed(lambda: run(unit)),  # type: ignore[misc]
                )
            )
        found[name] = sum(each) * counts[spec.targeted]
    return found


def _transforms(source: SuiteSource) -> dict[bool, int]:
    """Anonymised images of a targeted and of an untargeted attack; the split is not known yet."""
    images, classes = source.count("C"), len(source.card.classes)
    outside = len(source.card.others) / max(1, classes + len(source.card.others))
    return {True: math.ceil(images * (classes - 1 + outside)), False: images}


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
