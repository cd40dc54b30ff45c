"""Tries the networks that score: one batch through each."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from bench.checks import to_unit
from bench.contract import ATTACKS, VICTIMS
from bench.metrics.distortion import measure
from bench.nets.residual import ResidualEstimator
from bench.runner.api import Session
from bench.runner.batches import batch_for
from bench.runner.estimate.tries import Tries
from bench.runner.graph import build_attack, build_victim
from bench.runner.missing import Missing
from bench.runner.precision import ready_attack, ready_network, ready_victim
from bench.suites.base import SuiteSource

ACCELERATOR_BATCH = 32
"""Where the scorer finds its batch by trying."""


def scoring_seconds(session: Session, missing: Missing, tries: Tries) -> dict[str, float]:
    """Seconds to score each attack on the victims it lacks.

    Args:
        session: The request.
        missing: Its cells, by attack and by what comes after it.
        tries: Remembers what was tried.
    """
    if not missing.cells:
        return {}
    counts, trial, found = _transforms(session.request.source), _Trial(session, tries), {}
    for name, victims in missing.cells.items():
        behind = missing.attack_of[name]
        asked, scored = counts[ATTACKS.get(behind).spec.targeted]
        each = sum(trial.victim(victim) for victim in victims)
        each += sum(
            trial.front_end(residual)
            for residual in {VICTIMS.get(victim).spec.residual for victim in victims}
            if residual is not None
        )
        if name not in missing.measured:
            each += trial.distortion()
        found[name] = each * scored
        if behind not in missing.kept:
            found[name] += trial.attack(behind) * asked
    return found


class _Trial:
    """Times one image of everything, in a batch as scoring has it."""

    def __init__(self, session: Session, tries: Tries) -> None:
        self.request, self.graph, self.tries = session.request, session.graph, tries
        self.device, self.side = torch.device(self.request.device), self.graph.suite.image_px
        chosen = ACCELERATOR_BATCH
        if self.device.type == "cpu":
            chosen = batch_for(self.side, self.side)
        self.batch = self.request.batch or chosen

    def attack(self, name: str) -> float:
        """Anonymising an image."""
        entry = ATTACKS.get(name)

        def work() -> float:
            attack = build_attack(name, self.graph.suite.classes, self.graph.recipe)
            ready_attack(attack.to(self.device).eval(), self.device)
            targets = torch.zeros(self.batch, dtype=torch.int64, device=self.device)
            wanted = targets if entry.spec.targeted else None
            return self._timed(lambda: attack(self.originals, wanted))

        # Attacks that train by one builder have networks of one shape, before which an sCFA may be.
        learns = name in {job.name for job in self.graph.jobs.values() if job.kind == "attack"}
        known_by = (entry.builder, entry.spec.scfa) if learns else name
        return self.tries.seconds("attack" if learns else "control", known_by, work)

    def victim(self, name: str) -> float:
        """Classifying an image, or its residual estimate."""
        spec = VICTIMS.get(name).spec
        precision = self.request.scored_in.of(name) if name in self.graph.reducible else "fp32"

        def work() -> float:
            victim = build_victim(name, self.graph.suite.classes, self.graph.recipe)
            ready_victim(victim.to(self.device).eval(), precision, self.device)
            run = victim.logits if spec.residual is None else victim.backbone
            return self._timed(lambda: run(self.unit))

        known_by = (spec.front_end, spec.backbone, precision, name if spec.supplementary else "")
        return self.tries.seconds("victim", known_by, work)

    def front_end(self, residual: str) -> float:
        """Estimating the residual that victims share."""

        def work() -> float:
            estimator = ResidualEstimator(self.graph.recipe.estimator).to(self.device).eval()
            estimator.network = ready_network(estimator.network, self.device)
            return self._timed(lambda: estimator(self.unit))

        return self.tries.seconds("front-end", residual, work)

    def distortion(self) -> float:
        """Measuring how much an image changed."""

        def work() -> float:
            return self._timed(lambda: measure(self.originals, self.originals))

        return self.tries.seconds("distortion", self.side, work)

    @cached_property
    def originals(self) -> Tensor:
        """(batch, 3, side, side) uint8."""
        shape = (self.batch, 3, self.side, self.side)
        return torch.randint(0, 256, shape, dtype=torch.uint8).to(self.device)

    @cached_property
    def unit(self) -> Tensor:
        """The same as networks read them."""
        return to_unit(self.originals)

    @torch.no_grad()
    def _timed(self, work: Callable[[], object]) -> float:
        """Seconds an image, after a first run that pays for what is set up once."""
        work()
        _wait(self.device)
        began = time.perf_counter()
        work()
        _wait(self.device)
        return (time.perf_counter() - began) / self.batch


def _transforms(source: SuiteSource) -> dict[bool, tuple[int, int]]:
    """Images that a targeted and an untargeted attack makes, and how many of them are scored.

    The split is not known yet.
    """
    images, classes = source.count("C"), len(source.card.classes)
    outsiders = len(source.card.others) + len(source.card.real)
    outside = outsiders / max(1, classes + outsiders)
    scored = math.ceil(images * (classes - 1 + outside))
    return {True: (images * classes, scored), False: (images, images)}


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
