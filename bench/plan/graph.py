"""The job graph: which networks a matrix needs, and the key of each.

A key hashes all that shapes a network (suite, spec, hyper-parameters, recipe, seed, the keys of
what it is trained against), so it is known before anything is trained. Jobs are small and
serialisable; where they run is the executor's affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from bench.contract import ATTACKS, VICTIMS, Traits
from bench.jobs.building import BuildError, traits_of
from bench.jobs.job import JobKind, Keys, TrainJob
from bench.jobs.networks import Shelf
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

_ORDER = ("estimator", "surrogate", "victim", "attack")


class _Planner:
    def __init__(
        self, suite: SuiteCard, recipe: Recipe, seeds: Mapping[SetName, int], store: Store | None
    ) -> None:
        forget_versions()
        self.suite, self.recipe, self.seeds, self.store = suite, recipe, seeds, store
        self.jobs: dict[str, TrainJob] = {}
        self.estimators: dict[SetName, str] = {}
        self.surrogates: dict[str, str] = {}
        self.known_attacks: dict[str, str] = {}
        self.classes: dict[str, tuple[str, ...]] = {}
        self.reducible: set[str] = set()
        self.told: dict[tuple[str, str], tuple[Traits, dict[str, Json]]] = {}

    def key(self, kind: str, set_name: SetName, **what: object) -> str:
        key = digest(
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
        return key if self.store is None else settled_key(self.store, key)

    def add(
        self, kind: JobKind, name: str, set_name: SetName, key: str, needs: Iterable[str] = ()
    ) -> None:
        seed = int(digest([self.seeds[set_name], kind, name, set_name])[:12], 16) % 2**31
        self.jobs[key] = TrainJob(
            kind=kind, name=name, set_name=set_name, key=key, seed=seed, needs=tuple(needs)
        )

    def estimator(self, set_name: SetName) -> str:
        if set_name not in self.estimators:
            shaped = {"filter": RESIDUAL_NAME, "version": RESIDUAL_VERSION}
            key = self.key("estimator", set_name, **shaped, budget=as_json(self.recipe.estimator))
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
        if (kind, name) in self.told:
            return self.told[kind, name]
        makeup = None if entry.origin is None else makeup_of(entry.builder)  # as yet unbuilt
        traits, thing = traits_of(kind, name, self.suite, self.recipe)
        what: dict[str, Json] = {
            "spec": (entry if thing is None else thing).spec.identity(),
            "hyperparameters": dict(traits.hyperparameters),
        }
        if makeup is not None:
            what |= identity_of(name, type(thing), entry.builder, makeup)
        self.told[kind, name] = traits, what
        return traits, what

    def victim(self, name: str, kind: JobKind, set_name: SetName) -> str:
        spec, (traits, what) = VICTIMS.get(name).spec, self.traits("victim", VICTIMS.get(name))
        if spec.more_models:
            set_name = "D"
            if not self.suite.more_models:
                raise BuildError(
                    f"{self.suite.name} has no photographs of further models for {name} to be "
                    "trained on, as simulated suites have; leave it out"
                )
        told = self.suite.taught(set_name)
        self.classes[name] = told if traits.classes is None else traits.classes
        if traits.reducible:
            self.reducible.add(name)
        if spec.residual is not None:
            if spec.residual != RESIDUAL_NAME:
                raise CamobenchError(
                    f"victim {name} asks for the residual {spec.residual!r}; the shared "
                    f"estimator gives {RESIDUAL_NAME!r}"
                )
            self.estimator("B" if set_name == "B" else "A")
        needs = [self.attack(one) for one in spec.aware_of]
        self.known_attacks |= zip(spec.aware_of, needs, strict=True)
        if needs:
            what = {**what, "aware_of": list[Json](needs), "aware_version": AWARE_VERSION}
        key = self.key("classifier", set_name, **what)
        if traits.learns:
            self.add(kind, spec.name, set_name, key, needs)
        return key

    def attack(self, name: str) -> str:
        entry = ATTACKS.get(name)
        traits, what = self.traits("attack", entry)
        needs = []
        for surrogate in entry.spec.surrogates:
            if surrogate not in self.surrogates:
                self.surrogates[surrogate] = self.surrogate(surrogate)
            needs.append(self.surrogates[surrogate])
            if VICTIMS.get(surrogate).spec.residual is not None:
                needs.append(self.estimator("B"))
        key = self.key("attack", "B", needs=needs, **what)
        if traits.learns:
            self.add("attack", name, "B", key, needs)
        return key

    def surrogate(self, name: str) -> str:
        """The key of a victim that teaches an attack, if it can."""
        spec, key, why = VICTIMS.get(name).spec, "", ""
        if not spec.differentiable:
            why = "no gradient passes it to the images"
        elif spec.aware_of:
            why = "it is trained on images of attacks, which need theirs first"
        elif spec.more_models:
            why = "Set-B has no photographs of the further models that it tells apart"
        else:
            key = self.victim(name, "surrogate", "B")
            if self.classes[name] != self.suite.classes:
                own = ", ".join(self.classes[name])
                why = f"targets are positions in the suite's classes, its own are {own}"
        if why:
            raise CamobenchError(f"{name} cannot be a surrogate: {why}; name another victim")
        return key


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
) -> Keys:
    """Lay out all jobs behind the matrix of `attacks` x `victims`.

    With `failures`, what cannot be built is noted there and stays without a job. A `store` knows
    which files plug-ins open as they run. `attack_seed` is of what is trained on Set-B.

    Raises:
        BuildError: If one cannot be built and there is no `failures`.
        UnknownNameError: If a name is not registered.
        CamobenchError: If a victim does not know the suite's classes.
    """
    attack_seed = seed if attack_seed is None else attack_seed
    planner = _Planner(suite, recipe, {"A": seed, "B": attack_seed, "D": seed}, store)
    victim_keys = {name: planner.or_hole("victim", name, failures) for name in victims}
    attack_keys = {name: planner.or_hole("attack", name, failures) for name in attacks}
    return Keys(
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
    )


def missing_jobs(graph: Keys, shelf: Shelf) -> list[TrainJob]:
    """Jobs that must run, dependencies first; a finished network does not need its own needs.

    An estimator is wanted by whoever is scored with it, so it always counts.
    """
    wanted: dict[str, TrainJob] = {}

    def want(key: str) -> None:
        job = graph.jobs.get(key)
        if job and key not in wanted and shelf.find(job.kind, job.name, key) is None:
            wanted[key] = job
            for need in job.needs:
                want(need)

    for key in (*graph.victims.values(), *graph.attacks.values(), graph.estimators.get("A", "")):
        want(key)
    # A victim that needs attacks comes last.
    last = {key for key, job in wanted.items() if job.kind == "victim" and job.needs}
    return sorted(wanted.values(), key=lambda job: (job.key in last, _ORDER.index(job.kind)))
