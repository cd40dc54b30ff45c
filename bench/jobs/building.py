"""Builds attacks, victims and estimators, untrained, from what is registered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from torch import nn

from bench.contract import ATTACKS, REGISTRIES, VICTIMS, Traits
from bench.contract.global_state import kept_global_state, kept_random_numbers, seed_by
from bench.jobs.job import Keys, TrainJob
from bench.jobs.outcome import is_failure, reason_of
from bench.nets.residual import ResidualEstimator
from bench.recipes import Recipe
from bench.registry import Entry
from bench.sources.opened import as_made
from bench.suites.base import SuiteCard
from bench.types import CamobenchError

if TYPE_CHECKING:
    from bench.contract import Attack, Victim

ThingT = TypeVar("ThingT")


class BuildError(CamobenchError):
    """An attack or a victim cannot be made: its constructor raises, for want of a file perhaps."""


def build_victim(name: str, classes: Sequence[str], recipe: Recipe) -> Victim:
    """An untrained victim.

    Raises:
        BuildError: If its constructor fails.
        CamobenchError: If it does not know every class of the suite by name, or states one twice;
            it may know more.
    """
    victim = _built("victim", VICTIMS.get(name), classes, recipe)
    own = victim.classes
    unknown = [model for model in classes if model not in own]
    if unknown:
        raise CamobenchError(
            f"victim {name} does not know the suite's {', '.join(unknown)}: its classes are "
            f"{', '.join(map(str, own)) or 'none'}; train it on this suite's, or leave it out"
        )
    if len(set(own)) < len(own):
        raise CamobenchError(f"victim {name} states a class twice: {', '.join(map(str, own))}")
    return victim


def taught_classes(name: str, suite: SuiteCard) -> tuple[str, ...]:
    """The camera models that a victim is told of as it is built."""
    return suite.taught("D" if VICTIMS.get(name).spec.more_models else "A")


def build_attack(name: str, classes: Sequence[str], recipe: Recipe) -> Attack:
    """An untrained attack.

    Raises:
        BuildError: If its constructor fails.
    """
    return _built("attack", ATTACKS.get(name), classes, recipe)


def untrained(job: TrainJob, keys: Keys) -> nn.Module:
    """The network of a job as its training begins, whichever process it is built in.

    Raises:
        CamobenchError: As `build_victim` and `build_attack`.
    """
    seed_by(job.key, job.seed)
    if job.kind == "estimator":
        return ResidualEstimator(keys.recipe.estimator)
    if job.kind == "attack":
        return build_attack(job.name, keys.suite.classes, keys.recipe)
    return build_victim(job.name, keys.suite.taught(job.set_name), keys.recipe)


def traits_of(
    kind: str, name: str, suite: SuiteCard, recipe: Recipe
) -> tuple[Traits, Attack | Victim | None]:
    """What a recipe makes of an attack or a victim: a plug-in is built and asked.

    Returns:
        Its traits; and itself, where it was built.

    Raises:
        BuildError: If it cannot be built, or a weight file that it names cannot be read.
        CamobenchError: As `build_victim`.
    """
    entry = REGISTRIES[kind].get(name)
    if entry.traits is not None and entry.origin is None:
        return entry.traits(recipe), None
    thing: Attack | Victim
    if kind == "victim":
        thing = build_victim(name, taught_classes(name, suite), recipe)
    else:
        thing = build_attack(name, suite.classes, recipe)
    try:
        stated = thing.stated_hyperparameters()
    except CamobenchError as error:
        raise BuildError(str(error)) from error
    traits = Traits(
        hyperparameters=stated,
        classes=thing.classes,
        learns=thing.learns,
        reducible=bool(thing.rewritable),
    )
    return traits, thing


@contextmanager
def drawing_alike(keys: Keys, key: str) -> Iterator[None]:
    """Let what is drawn and in no checkpoint be the same in every process, and in training."""
    job = keys.jobs.get(key)
    with kept_random_numbers():
        seed_by(key, None if job is None else job.seed)
        yield


def _built(kind: str, entry: Entry[Any, ThingT], classes: Sequence[str], recipe: Recipe) -> ThingT:
    try:
        with kept_global_state(), as_made(entry.spec.name):
            return entry.builder(entry.spec, classes=classes, recipe=recipe)
    except BaseException as error:
        if not is_failure(error):
            raise
        if isinstance(error, CamobenchError):  # it says already who, what, and the remedy
            raise BuildError(str(error)) from error
        place = "" if entry.origin is None else f" mend {entry.origin}, or"
        raise BuildError(
            f"{kind} {entry.spec.name} cannot be built: {reason_of(error)};{place} leave it out"
        ) from error
