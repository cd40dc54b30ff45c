"""The job graph: which networks a matrix needs, and the key of each.

A key hashes all that shapes a network (suite, spec, hyper-parameters, recipe, seed, the keys of
what it is trained against), so it is known before anything is trained. Jobs are small and
serialisable; where they run is the executor's affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from bench import deadlines
from bench.contract import ATTACKS, VICTIMS, Traits
from bench.recipes import RESIDUAL_NAME, RESIDUAL_VERSION, Recipe
from bench.registry import Entry
from bench.runner.failures import Failures, is_failure, reason_of
from bench.runner.opened_files import Identity, settled_key
from bench.sources import as_built
from bench.sources.opened import forget_versions
from bench.store import Store, digest
from bench.suites.base import SuiteCard
from bench.supervision import at_work
from bench.types import CamobenchError, Json, SetName, as_json

if TYPE_CHECKING:
    from bench.contract import Attack, Victim

ThingT = TypeVar("ThingT")
JobKind = Literal["estimator", "victim", "surrogate", "attack"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One network to be trained.

    Attributes:
        name: Of the spec, or of the residual filter for an estimator.
        set_name: What it is trained on.
        key: Hash of all that shapes it.
        seed: Its own, derived from the run's.
        needs: Keys of the jobs whose networks its training uses.
    """

    kind: JobKind
    name: str
    set_name: SetName
    key: str
    seed: int
    needs: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"{self.kind} {self.name} (Set-{self.set_name})"


@dataclass(frozen=True, kw_only=True)
class Graph:
    """All jobs behind a matrix, dependencies first.

    Attributes:
        jobs: By key.
        victims: Key of each victim, by name.
        attacks: Key of each attack, by name; also of those that have nothing to learn.
        estimators: Key of the residual estimator of each set that has one.
        classes: Camera models that each victim tells apart, by the victim's name.
        reducible: Victims whose backbones can compute in bf16: the others are always in fp32.
    """

    suite: SuiteCard
    recipe: Recipe
    seed: int
    jobs: Mapping[str, Job] = field(default_factory=dict)
    victims: Mapping[str, str] = field(default_factory=dict)
    attacks: Mapping[str, str] = field(default_factory=dict)
    surrogates: Mapping[str, str] = field(default_factory=dict)
    estimators: Mapping[SetName, str] = field(default_factory=dict)
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reducible: frozenset[str] = frozenset()


class BuildError(CamobenchError):
    """An attack or a victim cannot be made: its constructor raises, for want of a file perhaps."""


def build_victim(name: str, classes: Sequence[str], recipe: Recipe) -> Victim:
    """An untrained victim.

    Raises:
        BuildError: If its constructor fails.
        CamobenchError: If it does not know every class of the suite by name; it may know more.
    """
    victim = _built("victim", VICTIMS.get(name), classes, recipe)
    _require_known(name, classes, victim.classes)
    return victim


def _require_known(name: str, classes: Sequence[str], own: tuple[str, ...]) -> None:
    unknown = [model for model in classes if model not in own]
    if unknown:
        raise CamobenchError(
            f"victim {name} does not know the suite's {', '.join(unknown)}: its classes are "
            f"{', '.join(own) or 'none'}; train it on this suite's, or leave it out"
        )
    if len(set(own)) < len(own):
        raise CamobenchError(f"victim {name} states a class twice: {', '.join(own)}")


def build_attack(name: str, classes: Sequence[str], recipe: Recipe) -> Attack:
    """An untrained attack.

    Raises:
        BuildError: If its constructor fails.
    """
    return _built("attack", ATTACKS.get(name), classes, recipe)


def _built(kind: str, entry: Entry[Any, ThingT], classes: Sequence[str], recipe: Recipe) -> ThingT:
    from bench.global_state import kept_global_state

    try:
        limit_s = deadlines.OPENING_LIMIT_S
        building = at_work(f"{kind} {entry.spec.name}", "as it is built", limit_s)
        limit = deadlines.deadline(limit_s, "its constructor")
        with building, kept_global_state(), limit, as_built():
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


class _Planner:
    def __init__(self, suite: SuiteCard, recipe: Recipe, seed: int, store: Store | None) -> None:
        self.store = store
        forget_versions()
        self.suite, self.recipe, self.seed = suite, recipe, seed
        self.jobs: dict[str, Job] = {}
        self.estimators: dict[SetName, str] = {}
        self.surrogates: dict[str, str] = {}
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
                "seed": self.seed,
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
        seed = int(digest([self.seed, kind, name, set_name])[:12], 16) % 2**31
        self.jobs[key] = Job(
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
            failures.jobs[key] = failures.note(who, error, where)
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
        identity = Identity(entry)
        build = build_victim if kind == "victim" else build_attack
        thing = build(entry.spec.name, self.suite.classes, self.recipe)
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
        return traits, identity.of(thing, stated)

    def victim(self, name: str, kind: JobKind, set_name: SetName) -> str:
        entry = VICTIMS.get(name)
        spec, (traits, what) = entry.spec, self.traits("victim", entry)
        self.classes[name] = self.suite.classes if traits.classes is None else traits.classes
        _require_known(name, self.suite.classes, self.classes[name])
        if traits.reducible:
            self.reducible.add(name)
        if spec.residual is not None:
            if spec.residual != RESIDUAL_NAME:
                raise CamobenchError(
                    f"victim {name} asks for the residual {spec.residual!r}; the shared "
                    f"estimator gives {RESIDUAL_NAME!r}"
                )
            self.estimator(set_name)
        key = self.settled(self.key("classifier", set_name, **what))
        if traits.learns:
            self.add(kind, spec.name, set_name, key)
        return key

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
    failures: Failures | None = None,
    store: Store | None = None,
) -> Graph:
    """Lay out all jobs behind the matrix of `attacks` x `victims`.

    With `failures`, what cannot be built is noted there and stays without a job. A `store` knows
    which files plug-ins open as they run.

    Raises:
        BuildError: If one cannot be built and there is no `failures`.
        UnknownNameError: If a name is not registered.
        CamobenchError: If a victim does not know the suite's classes.
    """
    planner = _Planner(suite, recipe, seed, store)
    victim_keys = {name: planner.or_hole("victim", name, failures) for name in victims}
    attack_keys = {name: planner.or_hole("attack", name, failures) for name in attacks}
    return Graph(
        suite=suite,
        recipe=recipe,
        seed=seed,
        jobs=planner.jobs,
        victims=victim_keys,
        attacks=attack_keys,
        surrogates=planner.surrogates,
        estimators=planner.estimators,
        classes={name: planner.classes[name] for name in victim_keys},
        reducible=frozenset(planner.reducible & victim_keys.keys()),
    )
