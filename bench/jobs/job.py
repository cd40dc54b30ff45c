"""Jobs: small records of what is to be done, which any process can do that sees the store.

A job never carries a graph, a network or an array. It is done when its artifact is in the store.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self, TypeAlias

from bench.jobs.scoring.condition import PLAIN, Condition
from bench.jobs.scoring.precision import Precision
from bench.recipes import Recipe
from bench.suites.base import SuiteCard
from bench.types import Json, SetName
from bench.wording import plural

JobKind = Literal["estimator", "victim", "surrogate", "attack"]


@dataclass(frozen=True, kw_only=True)
class _WholeJob:
    """A job that fails or is done as a whole, whatever becomes of others."""

    key: str
    needs: tuple[str, ...] = ()

    def left(self, bad: Collection[Hashable]) -> Self:
        """What of it is still to be tried: all, for nobody else's failure is its own."""
        return self

    def parts(self) -> list[Self]:
        """What to try instead once its process has ended: nothing."""
        return []

    def blamed(self) -> Hashable:
        """Who fails where it does."""
        return self.key


@dataclass(frozen=True, kw_only=True)
class TrainJob(_WholeJob):
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
    seed: int

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"{self.kind} {self.name} (Set-{self.set_name})"


@dataclass(frozen=True, kw_only=True)
class FeatureJob(_WholeJob):
    """What is read of one attack's images, or of the untouched ones.

    Of Set-B and Set-C that is what detectors learn from; or, of Set-C alone, how images fit the
    fingerprints of devices.

    Attributes:
        attack: By name; none for untouched images.
        quality_percent: Of the JPEG save that all images get last; `None` for PNG.
        fingerprints: Key of those in the store; none for detectors.
        key: Hash of all that is behind its images.
    """

    attack: str = ""
    key: str = ""
    quality_percent: int | None = None
    fingerprints: str = ""

    @property
    def label(self) -> str:
        """What a person calls it."""
        what = "device of" if self.fingerprints else "features of"
        return f"{what} {self.attack or 'untouched images'}"


@dataclass(frozen=True, kw_only=True)
class ScoreJob:
    """Some images of Set-C, anonymised by one attack and classified by some victims.

    Attributes:
        attack: By name.
        stems: Name of each victim, and of its files in the row.
        shard: Which of the `row_shards`.
        images: How many that are.
        row: Key of the row: of all that is behind its images.
        condition: What happens to the images before they are scored.
        keep_images: Keep them in the store, as the attack made them.
        kept: Key of the images that are kept, whatever the condition.
        needs: Keys of jobs that have to be done before.
        alone: Tells who is to blame: the attack by itself, or with one victim.
    """

    attack: str
    stems: tuple[tuple[str, str], ...]
    shard: int
    images: int
    row: str
    kept: str
    condition: Condition = PLAIN
    keep_images: bool = False
    needs: tuple[str, ...] = ()
    alone: bool = False

    @property
    def key(self) -> str:
        """Unlike that of every other job of a run."""
        names = ",".join(name for name, _ in self.stems) if self.alone else ""
        return f"{self.row}/{self.shard}/{self.alone}/{names}"

    @property
    def label(self) -> str:
        """What a person calls all jobs of its row."""
        what = f"scoring {self.attack} on {plural(len(self.stems), 'victim')}"
        if not self.stems:
            what = f"distortion of {self.attack}"
        return f"{what} {self.condition.said}".rstrip()

    def left(self, bad: Collection[Hashable]) -> ScoreJob | None:
        """The job without victims that failed elsewhere in the row; `None` if the attack did."""
        if (self.row, "") in bad:
            return None
        stems = tuple(one for one in self.stems if (self.row, one[0]) not in bad)
        if len(stems) == len(self.stems):
            return self
        return None if self.alone else replace(self, stems=stems)

    def parts(self) -> list[ScoreJob]:
        """What to try instead once its process has ended: the attack, then a victim at a time."""
        if self.alone:
            return []
        first = replace(self, stems=(), alone=True)
        each = [replace(self, stems=(one,), alone=True, needs=(first.key,)) for one in self.stems]
        return [first, *each]

    def blamed(self) -> tuple[str, str]:
        """Row and victim that fail where it does; no victim is the attack."""
        return self.row, self.stems[0][0] if self.alone and self.stems else ""


CELL_TIMEOUT_S = 3600.0
"""Of scoring one shard by one attack on its victims."""
Job: TypeAlias = TrainJob | FeatureJob | ScoreJob


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Which network each name of a matrix stands for, and the trainings behind them.

    Attributes:
        victims: Key of each victim, by name.
        attacks: Key of each attack, by name; also of those that have nothing to learn.
        known: The same of attacks that victims are aware of.
        estimators: Key of the residual estimator of each set that has one.
        classes: Camera models that each victim tells apart, by the victim's name.
        reducible: Victims whose backbones can compute in bf16: the others are always in fp32.
        jobs: By key, dependencies first, of all that has a checkpoint, once it is trained.
        attack_seed: Of all that is trained on Set-B.
    """

    suite: SuiteCard
    recipe: Recipe
    seed: int
    attack_seed: int
    victims: Mapping[str, str] = field(default_factory=dict)
    attacks: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)
    surrogates: Mapping[str, str] = field(default_factory=dict)
    estimators: Mapping[SetName, str] = field(default_factory=dict)
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reducible: frozenset[str] = frozenset()
    jobs: Mapping[str, TrainJob] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where jobs run: everything a process needs beside the job itself.

    Attributes:
        store_root: Where the suite's images and all artifacts are.
        keys: What each name stands for.
        precision: That victims are scored in.
        shipped: Use the networks that ship with the package.
        batch: Images at a time, or `AUTO`.
        began: Provenance of the run that asked for the jobs.
    """

    store_root: Path
    keys: Keys
    device: str
    precision: Precision
    shipped: bool
    batch: int
    began: Mapping[str, Json]
