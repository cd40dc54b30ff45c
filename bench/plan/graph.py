"""The job graph: which networks a matrix needs, and the key of each.

A key hashes all that shapes a network (suite, spec, hyper-parameters, recipe, seed, the keys of
what it is trained against), so it is known before anything is trained. Jobs are small and
serialisable; where they run is the executor's affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from bench.contract import ATTACKS, VICTIMS, Traits
from bench.jobs.building import (
    BuildError,
    build_attack,
    build_victim,
    require_known,
    taught_classes,
)
from bench.jobs.job import JobKind, Keys, TrainJob
from bench.jobs.opened_files import identity_of, settled_key
from bench.jobs.outcome import Failed
from bench.plan.failures import Failures
from bench.recipes import AWARE_VERSION, RESIDUAL_NAME, RESIDUAL_VERSION, Recipe
from bench.registry import Entry
from bench.sources import makeup_of
from bench.sources.opened import forget_versions
from bench.store import Store, digest
from bench.suites.base import SuiteCard
from bench.types import CamobenchError, Json, SetName, as_json


@dataclass(frozen=True, kw_only=True)
class Graph(Keys):
    """All trainings behind a matrix, dependencies first.

    Attributes:
        jobs: By key.
        attack_seed: Of the networks that are trained on Set-B.
    """

    attack_seed: int = 0
    jobs: Mapping[str, TrainJob] = field(default_factory=dict)

    @property
    def keys(self) -> Keys:
        """Names and keys alone; they can travel to another process."""
        return Keys(**{one.name: getattr(self, one.name) for one in fields(Keys)})


class _Planner:
    def __init__(
        self, suite: SuiteCard, recipe: Recipe, seeds: Mapping[SetName, int], store: Store | None
    ) -> None:
        self.store = store
        forget_versions()
        self.suite, self.recipe, self.seeds = suite, recipe, seeds
        self.jobs: dict[str, TrainJob] = {}
        self.estimators: dict[SetName, str] = {}
        self.surrogates: dict[str, str] = {}
        self.known_attacks: dict[str, str] = {}
        self.classes: dict[str, tuple[str, ...]] = {}
        self.reducible: set[str] = set()
        self.known: dict[tuple[str, str], tuple[Traits, dict[str, Json]]] = {}

    def key(self, kind: str, set_name: SetName, **what: object) -> str:
        return digest(
            {
                "kind": kind,
                "set": set_name,
                "suite": self.suite.fingerprint,
                "recipe": self.recipe.name,
                "compact": self.recipe.compact,
                "seed": self.seeds[set_name],
                **what,
            }
        )

    def settled(self, key: str) -> str:
        return key if self.store is None else settled_key(self.store, key)

    def add(
        self,
        kind: JobKind,
        name: str,
        set_name: SetName,
        key: str,
        needs: tuple[str, ...] = (),
    ) -> None:
        seed = int(digest([self.seeds[set_name], kind, name, set_name])[:12], 16) % 2**31
        self.jobs[key] = TrainJob(
            kind=kind, name=name, set_name=set_name, key=key, seed=seed, needs=needs
        )

    def estimator(self, set_name: SetName) -> str:
        if set_name not in self.estimators:
            key = self.key(
                "estimator",
                set_name,
                filter=RESIDUAL_NAME,
                version=RESIDUAL_VERSION,
                budget=as_json(self.recipe.estimator),
            )
            self.estimators[set_name] = key
            self.add("estimator", RESIDUAL_NAME, set_name, key)
        return self.estimators[set_name]

    def or_hole(
        self, kind: Literal["attack", "victim"], name: str, failures: Failures | None
    ) -> str:
        """The key of an attack or a victim; one that cannot be built has a key that says so."""
        who, where = f"{kind} {name}", "as it is built"
        try:
            key = self.attack(name) if kind == "attack" else self.victim(name, "victim", "A")
        except BuildError as error:
            if failures is None:
                raise
            key = self.key("not built", "B" if kind == "attack" else "A", name=[kind, name])
            failures.jobs[key] = failures.note(who, Failed.of(error), where)
            self.classes.setdefault(name, self.suite.classes)
            return key
        if failures is not None:
            failures.clear(who, where)
        return key

    def traits(self, kind: str, entry: Entry[Any, Any]) -> tuple[Traits, dict[str, Json]]:
        """What the plan must know of a thing, and what its key hashes of it.

        What ships states it; a plug-in is built once to be asked.
        """
        name = entry.spec.name
        if (kind, name) not in self.known:
            self.known[kind, name] = (
                self._asked(kind, entry) if entry.traits is None else self._stated(entry)
            )
        return self.known[kind, name]

    def _stated(self, entry: Entry[Any, Any]) -> tuple[Traits, dict[str, Json]]:
        try:
            traits: Traits = entry.traits(self.recipe)  # type: ignore[misc]
        except CamobenchError as error:
            raise BuildError(str(error)) from error
        stated = dict(traits.hyperparameters)
        return traits, {"spec": entry.spec.identity(), "hyperparameters": stated}

    def _asked(self, kind: str, entry: Entry[Any, Any]) -> tuple[Traits, dict[str, Json]]:
        makeup = None if entry.origin is None else makeup_of(entry.builder)
        build = build_victim if kind == "victim" else build_attack
        name = entry.spec.name
        told = taught_classes(name, self.suite) if kind == "victim" else self.suite.classes
        thing = build(name, told, self.recipe)
        try:
            stated = thing.stated_hyperparameters()
        except CamobenchError as error:  # a weight file that they name
            raise BuildError(str(error)) from error
        traits = Traits(
            hyperparameters=stated,
            classes=thing.classes,
            learns=thing.learns,
            reducible=bool(thing.rewritable),
        )
        return traits, identity_of(thing, stated, entry.builder, makeup)

    def victim(self, name: str, kind: JobKind, set_name: SetName) -> str:
        entry = VICTIMS.get(name)
        spec, (traits, what) = entry.spec, self.traits("victim", entry)
        if spec.more_models:
            set_name = self.set_of_more_models(name, kind)
        told = self.suite.taught(set_name)
        self.classes[name] = told if traits.classes is None else traits.classes
        require_known(name, self.suite.classes, self.classes[name])
        if traits.reducible:
            self.reducible.add(name)
        if spec.residual is not None:
            if spec.residual != RESIDUAL_NAME:
                raise CamobenchError(
                    f"victim {name} asks for the residual {spec.residual!r}; the shared "
                    f"estimator gives {RESIDUAL_NAME!r}"
                )
            self.estimator("B" if set_name == "B" else "A")
        needs = tuple(self.known_attack(one, name, set_name) for one in spec.aware_of)
        if needs:
            what = {**what, "aware_of": list(needs), "aware_version": AWARE_VERSION}
        key = self.settled(self.key("classifier", set_name, **what))
        if traits.learns:
            self.add(kind, spec.name, set_name, key, needs)
        return key

    def set_of_more_models(self, name: str, kind: JobKind) -> SetName:
        if kind == "surrogate":
            raise CamobenchError(
                f"{name} cannot be a surrogate: Set-B has no photographs of the further models "
                "that it tells apart; name a victim that knows the suite's classes"
            )
        if not self.suite.more_models:
            raise BuildError(
                f"{self.suite.name} has no photographs of further models for {name} to be trained "
                "on, as simulated suites have; leave it out"
            )
        return "D"

    def known_attack(self, name: str, victim: str, set_name: SetName) -> str:
        if set_name == "B":
            raise CamobenchError(
                f"{victim} cannot be a surrogate: it is trained on images of attacks, which need "
                "theirs first; name a victim that is aware of none"
            )
        self.known_attacks[name] = self.attack(name)
        return self.known_attacks[name]

    def attack(self, name: str) -> str:
        entry = ATTACKS.get(name)
        traits, what = self.traits("attack", entry)
        needs = []
        for surrogate in entry.spec.surrogates:
            if surrogate not in self.surrogates:
                self.surrogates[surrogate] = self.victim(surrogate, "surrogate", "B")
                self._require_fit(surrogate)
            needs.append(self.surrogates[surrogate])
            if VICTIMS.get(surrogate).spec.residual is not None:
                needs.append(self.estimator("B"))
        key = self.settled(self.key("attack", "B", needs=needs, **what))
        if traits.learns:
            self.add("attack", name, "B", key, tuple(needs))
        return key

    def _require_fit(self, surrogate: str) -> None:
        if not VICTIMS.get(surrogate).spec.differentiable:
            raise CamobenchError(
                f"{surrogate} cannot be a surrogate: no gradient passes it to the images; name a "
                "victim that is differentiable"
            )
        if self.classes[surrogate] != self.suite.classes:
            raise CamobenchError(
                f"{surrogate} cannot be a surrogate: targets are positions in the suite's classes, "
                f"its own are {', '.join(self.classes[surrogate])}"
            )


def plan(
    suite: SuiteCard,
    recipe: Recipe,
    *,
    attacks: Iterable[str],
    victims: Iterable[str],
    seed: int = 0,
    attack_seed: int | None = None,
    failures: Failures | None = None,
    store: Store | None = None,
) -> Graph:
    """Lay out all jobs behind the matrix of `attacks` x `victims`.

    With `failures`, what cannot be built is noted there and stays without a job. A `store` knows
    which files plug-ins open as they run. What is trained on Set-B has the victims' seed unless
    `attack_seed` is another.

    Raises:
        BuildError: If one cannot be built and there is no `failures`.
        UnknownNameError: If a name is not registered.
        CamobenchError: If a victim does not know the suite's classes.
    """
    attack_seed = seed if attack_seed is None else attack_seed
    planner = _Planner(suite, recipe, {"A": seed, "B": attack_seed, "D": seed}, store)
    victim_keys = {name: planner.or_hole("victim", name, failures) for name in victims}
    attack_keys = {name: planner.or_hole("attack", name, failures) for name in attacks}
    return Graph(
        suite=suite,
        recipe=recipe,
        seed=seed,
        attack_seed=attack_seed,
        jobs=planner.jobs,
        victims=victim_keys,
        attacks=attack_keys,
        known=planner.known_attacks,
        surrogates=planner.surrogates,
        estimators=planner.estimators,
        classes={name: planner.classes[name] for name in victim_keys},
        reducible=frozenset(planner.reducible & victim_keys.keys()),
        learned=frozenset(planner.jobs),
    )
