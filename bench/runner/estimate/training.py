"""Tries trainings: a step or two of each, on blank images."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.contract import ATTACKS, VICTIMS, FitContext, ProbeDone
from bench.data import AdversarySet, ExaminerSet
from bench.nets.residual import ResidualEstimator
from bench.processes import cpu_count
from bench.registry import Registry
from bench.runner.api import Session
from bench.runner.estimate.tries import Tries, shape_of
from bench.runner.graph import Job, build_attack, build_victim
from bench.suites.base import SuiteSource
from bench.training.residual import fit_estimator
from bench.types import SetName

VALIDATION_EVERY = 10


def _is_ours(job: Job) -> bool:
    """Whether its `fit` heeds a probe; that of a plug-in may train to the end."""
    if job.kind == "estimator":
        return True
    registry: Registry[Any, Any] = ATTACKS if job.kind == "attack" else VICTIMS
    return registry.get(job.name).origin is None


def training_seconds(
    session: Session, jobs: Sequence[Job], workers: int, tries: Tries
) -> dict[str, float]:
    """Seconds of each training by the job's key; those of plug-ins are not tried.

    Args:
        session: The request.
        jobs: What is to be trained.
        workers: How many share the processor's cores.
        tries: Remembers what was tried.
    """
    found: dict[str, float] = {}
    threads = torch.get_num_threads()
    if session.request.device == "cpu" and workers > 1:
        torch.set_num_threads(max(1, cpu_count() // workers))
    try:
        for job in jobs:
            shape, work = _training(job, session)
            if _is_ours(job):
                found[job.key] = tries.seconds(f"train {job.kind}", shape, work)
    finally:
        torch.set_num_threads(threads)
    return found


def _training(job: Job, session: Session) -> tuple[Hashable, Callable[[], float]]:
    """The shape of a training, and how to find out how long it takes."""
    graph, device = session.graph, torch.device(session.request.device)
    recipe, classes = graph.recipe, graph.suite.classes
    context = FitContext(device=device, seed=0, recipe=recipe, probe_steps=1)
    if job.kind == "estimator":
        estimator = ResidualEstimator(recipe.estimator)
        data = _blank_set(session.request.source, job.set_name)
        return (
            shape_of(estimator),
            lambda: _probed(
                lambda: fit_estimator(job.label, estimator, data, recipe.estimator, context)
            ),
        )
    if job.kind == "attack":
        attack = build_attack(job.name, classes, recipe)

        def play() -> float:
            surrogates = {}
            for name in attack.spec.surrogates:
                surrogate = build_victim(name, classes, recipe)
                if surrogate.spec.residual is not None:
                    surrogate.attach(ResidualEstimator(recipe.estimator).to(device), "tried")
                surrogates[name] = surrogate.to(device).eval().requires_grad_(False)
            data = _blank_set(session.request.source, "B")
            if not isinstance(data, AdversarySet):
                raise TypeError("an attack is trained on Set-B")
            playing = FitContext(
                device=device, seed=0, recipe=recipe, probe_steps=1, surrogates=surrogates
            )
            return _probed(lambda: attack.fit(data, playing))

        return (type(attack), shape_of(attack), attack.spec.surrogates, attack.spec.scfa), play
    victim = build_victim(job.name, classes, recipe)
    data = _blank_set(session.request.source, job.set_name)
    residual = VICTIMS.get(job.name).spec.residual
    return (type(victim), shape_of(victim), residual), lambda: _probed(
        lambda: victim.fit(data, context)
    )


def _probed(fit: Callable[[], object]) -> float:
    """Seconds of the whole training; of a `fit` that knows no probe, what it took."""
    began = time.perf_counter()
    try:
        fit()
    except ProbeDone as done:
        return done.steps * done.seconds_per_step
    return time.perf_counter() - began


class _Blank:
    """Keeps nothing and derives nothing: residuals of blank images are blank."""

    def array(
        self, name: str, shape: tuple[int, ...], fill: Callable[[NDArray[np.float32]], None]
    ) -> NDArray[np.float32]:
        blank = np.zeros(shape[1:], np.float32)
        return np.lib.stride_tricks.as_strided(blank, shape, (0, *blank.strides))


def _blank_set(source: SuiteSource, set_name: SetName) -> ExaminerSet | AdversarySet:
    """As many images as the set has, all the same one, which is in memory once."""
    count, side, classes = source.count(set_name), source.card.image_px, source.card.classes
    count = max(count, 2 * len(classes) * VALIDATION_EVERY)
    noise = np.random.default_rng(0).integers(0, 256, (3, side, side), dtype=np.uint8)
    kind = ExaminerSet if set_name == "A" else AdversarySet
    labels = np.arange(count, dtype=np.int64) % len(classes)
    return kind(
        images=np.lib.stride_tricks.as_strided(noise, (count, *noise.shape), (0, *noise.strides)),
        labels=labels,
        classes=classes,
        validation=(np.arange(count) // len(classes)) % VALIDATION_EVERY == 0,
        keeper=_Blank(),
    )
