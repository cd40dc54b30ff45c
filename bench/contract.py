"""What an attack and a victim are: specs, base classes, registries.

An author writes `Attack.transform` or `Victim.logits`; the harness calls the final wrappers,
because one cannot know what an author returns. An attack is handed Set-B and a `FitContext`: no
victim, no Set-A, no Set-C label and no store can reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar, final

import torch
from torch import Tensor, nn

from bench import checks
from bench.data import AdversarySet, ExaminerSet
from bench.recipes import Recipe
from bench.registry import Entry, Registry
from bench.types import FitReport, Json, Progress, Silent

NOT_STATED = "not stated"


@dataclass(frozen=True, kw_only=True)
class AttackSpec:
    """What an anonymiser is and what it needs.

    Identity fields (hashed into keys): `name`, `version`, `targeted`, `laac`, `scfa`, `surrogates`.
    The others describe.

    Attributes:
        version: Raise it when a change of code changes results.
        targeted: Whether `targets` is used; controls and removal methods are untargeted.
        control: Shown below the attacks: an attack is worth what it adds to the controls.
        laac: Families of the local auxiliary attribution classifiers, for the tables.
        scfa: Whether a synthetic CFA precedes the generator.
        surrogates: Victims by name, to be trained on Set-B and handed over frozen.
        reach_px: How far a pixel can influence the result, given a grid of 16 pixels; large
            photographs are then cut into tiles. `None`: unknown or unlimited, so never cut.
        preliminary: Outside the paper's tables: in no word such as `all`, never beside its rows.
    """

    name: str
    version: int = 1
    targeted: bool = True
    laac: tuple[str, ...] = ()
    scfa: bool = False
    surrogates: tuple[str, ...] = ()
    control: bool = False
    reach_px: int | None = None
    preliminary: bool = False
    label: str = ""
    paper: str = NOT_STATED
    licence: str = NOT_STATED
    threat_model: str = "non-interactive black box"

    def __post_init__(self) -> None:
        _require_name(self.name, "attack")
        if self.reach_px is not None and self.reach_px < 0:
            raise ValueError(f"attack {self.name}: expected `reach_px` >= 0, got {self.reach_px}")

    def identity(self) -> dict[str, Json]:
        """The fields that shape results."""
        return {
            "name": self.name,
            "version": self.version,
            "targeted": self.targeted,
            "laac": list(self.laac),
            "scfa": self.scfa,
            "surrogates": list(self.surrogates),
        }


@dataclass(frozen=True, kw_only=True)
class VictimSpec:
    """What an attribution classifier is.

    Identity fields: `name`, `version`, `front_end`, `backbone`, `residual`. The others describe.

    Attributes:
        front_end: Family in the tables: "wdf", "pef", "img" or a new one.
        backbone: The network behind the front-end.
        residual: Name of the shared residual estimator it reads through ("wdf-v1"), if any.
    """

    name: str
    version: int = 1
    front_end: str = NOT_STATED
    backbone: str = NOT_STATED
    residual: str | None = None
    paper: str = NOT_STATED
    licence: str = NOT_STATED

    def __post_init__(self) -> None:
        _require_name(self.name, "victim")

    def identity(self) -> dict[str, Json]:
        """The fields that shape results."""
        return {
            "name": self.name,
            "version": self.version,
            "front_end": self.front_end,
            "backbone": self.backbone,
            "residual": self.residual,
        }


@dataclass(frozen=True, kw_only=True)
class Snapshots:
    """Where a training loop keeps its state, so that a killed run continues.

    Attributes:
        load: Returns the last saved state or `None`.
        save: Replaces it.
        every_s: Seconds between two saves.
    """

    load: Callable[[], dict[str, Any] | None] = lambda: None
    save: Callable[[dict[str, Any]], None] = lambda state: None
    every_s: float = 60.0


@dataclass(frozen=True, kw_only=True)
class FitContext:
    """All that training may know beside its data.

    Attributes:
        surrogates: Frozen, differentiable victims trained on Set-B, by name, as the spec asks.
        label: What this training is called, if that says more than the name: the same network may
            be trained as a victim and as a surrogate.
    """

    device: torch.device
    seed: int
    recipe: Recipe
    progress: Progress = field(default_factory=Silent)
    snapshots: Snapshots = field(default_factory=Snapshots)
    surrogates: Mapping[str, Victim] = field(default_factory=dict)
    label: str = ""


class Attack(nn.Module):
    """A camera-model anonymiser.

    Subclasses set `spec` and write `transform`; trained ones write `fit` too and keep their
    networks as attributes, so that the state that `fit` leaves is what is stored.

    Args:
        spec: Overrides the class's own spec (one implementation, several specs).
        classes: In-distribution camera models by name; targets index them.
        recipe: Training budget.
    """

    spec: AttackSpec

    def __init__(
        self,
        spec: AttackSpec | None = None,
        *,
        classes: Sequence[str] = (),
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__()
        if spec is not None:
            self.spec = spec
        self.classes = tuple(classes)
        self.recipe = recipe

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__call__" in vars(cls):
            raise TypeError(
                f"{cls.__name__} overrides `__call__`, which checks and rounds; write `transform`"
            )

    @property
    def hyperparameters(self) -> Mapping[str, Json]:
        """Whatever beside spec and recipe name shapes the results; hashed into the key."""
        return {}

    def fit(self, data: AdversarySet, context: FitContext) -> FitReport:
        """Learn from Set-B; the default has nothing to learn."""
        return FitReport()

    def transform(self, images: Tensor, targets: Tensor | None) -> Tensor:
        """Anonymise.

        Args:
            images: (N, 3, H, W) float32 RGB in [0, 1], exact multiples of 1/255.
            targets: (N,) int64 positions in `classes`; `None` for an untargeted attack.

        Returns:
            (N, 3, H, W) in [0, 1]; what lies outside is clipped.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define `transform`")

    @final  # type: ignore[misc]  # torch declares it as a writable attribute
    def __call__(self, images: Tensor, targets: Tensor | None = None) -> Tensor:
        """Anonymise uint8 images into uint8 images, as a file would hold them.

        Args:
            images: (N, 3, H, W) uint8.
            targets: (N,) int64, or `None` for an untargeted attack.

        Returns:
            (N, 3, H, W) uint8.

        Raises:
            ValueError: If `transform` returns another shape, no floating-point tensor, or NaN or
                infinite values.
        """
        checks.require_images(images)
        if self.spec.targeted and (targets is None or targets.shape != images.shape[:1]):
            raise ValueError(f"{self.spec.name} is targeted: expected {len(images)} `targets`")
        out = self.transform(checks.to_unit(images), targets if self.spec.targeted else None)
        if not isinstance(out, Tensor) or not out.is_floating_point():
            raise ValueError(f"{self.spec.name}: `transform` must return a floating-point tensor")
        if out.shape != images.shape:
            raise ValueError(
                f"{self.spec.name}: `transform` returned shape {tuple(out.shape)}, "
                f"expected {tuple(images.shape)}"
            )
        checks.require_finite(out, f"{self.spec.name}: the anonymised images")
        return checks.to_uint8(out)

    @property
    def learns(self) -> bool:
        """Whether there is anything to train."""
        return type(self).fit is not Attack.fit


class Victim(nn.Module):
    """A camera-model attribution classifier.

    Subclasses set `spec` and write `logits`, or the split `frontend` and `backbone`: then
    everything with the same `frontend_digest` shares one computation of the front-end.
    """

    spec: VictimSpec
    shared_prefixes: ClassVar[tuple[str, ...]] = ()
    """Prefixes of state that another artifact holds, left out of this one's checkpoint."""

    def __init__(
        self,
        spec: VictimSpec | None = None,
        *,
        classes: Sequence[str] = (),
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__()
        if spec is not None:
            self.spec = spec
        self.classes = tuple(classes)
        self.recipe = recipe

    @property
    def hyperparameters(self) -> Mapping[str, Json]:
        """Whatever beside spec and recipe name shapes the results; hashed into the key."""
        return {}

    @property
    def frontend_digest(self) -> str | None:
        """Equal digests mean equal front-ends; `None` keeps the front-end private."""
        return None

    def attach(self, residual_estimator: nn.Module, digest: str) -> None:
        """Receive the shared residual estimator that the spec's `residual` asks for."""
        raise NotImplementedError(f"{type(self).__name__} does not take a residual estimator")

    def fit(self, data: ExaminerSet | AdversarySet, context: FitContext) -> FitReport:
        """Learn from Set-A; as a surrogate, from Set-B. The default has nothing to learn."""
        return FitReport()

    def frontend(self, images: Tensor) -> Tensor:
        """Map (N, 3, H, W) in [0, 1] to features; the default changes nothing."""
        return images

    def backbone(self, features: Tensor) -> Tensor:
        """Map features to (N, C) logits."""
        raise NotImplementedError(f"{type(self).__name__} defines neither `logits` nor `backbone`")

    def logits(self, images: Tensor) -> Tensor:
        """Classify.

        Args:
            images: (N, 3, H, W) float32 RGB in [0, 1].

        Returns:
            (N, C) logits, columns in the order of `classes`.
        """
        return self.backbone(self.frontend(images))

    def forward(self, images: Tensor) -> Tensor:
        """Same as `logits`."""
        return self.logits(images)

    @final
    def checked_logits(self, values: Tensor, count: int) -> Tensor:
        """Check what `logits` or `backbone` returned for `count` images.

        Raises:
            ValueError: If the shape is not (count, C) or a value is NaN or infinite.
        """
        expected = (count, len(self.classes))
        if tuple(values.shape) != expected:
            raise ValueError(
                f"{self.spec.name}: expected logits of shape {expected}, got {tuple(values.shape)}"
            )
        checks.require_finite(values, f"{self.spec.name}: the logits")
        return values

    @property
    def learns(self) -> bool:
        """Whether there is anything to train."""
        return type(self).fit is not Victim.fit


def _require_name(name: str, kind: str) -> None:
    if not name or name != name.strip().lower() or any(c in name for c in " /\\_"):
        raise ValueError(f"{kind} name {name!r} must be kebab-case, such as 'wavelet-denoise'")


def _entries(thing: Any, base: type, spec_type: type) -> Iterable[Entry[Any, Any]]:
    if isinstance(thing, Entry):
        return [thing]
    if isinstance(thing, type) and issubclass(thing, base):
        spec = getattr(thing, "spec", None)
        if not isinstance(spec, spec_type):
            raise TypeError(
                f"{thing.__name__} needs a class attribute `spec: {spec_type.__name__}`"
            )
        return [Entry(spec=spec, builder=thing)]
    if isinstance(thing, list | tuple):
        return [entry for item in thing for entry in _entries(item, base, spec_type)]
    raise TypeError(f"expected a subclass of {base.__name__} or an `Entry`, got {thing!r}")


def _attack_entries(thing: Any) -> Iterable[Entry[AttackSpec, Attack]]:
    return _entries(thing, Attack, AttackSpec)


def _victim_entries(thing: Any) -> Iterable[Entry[VictimSpec, Victim]]:
    return _entries(thing, Victim, VictimSpec)


ATTACKS: Registry[AttackSpec, Attack] = Registry("attack", "camobench.attacks", _attack_entries)
VICTIMS: Registry[VictimSpec, Victim] = Registry("victim", "camobench.victims", _victim_entries)

AttackClass = TypeVar("AttackClass", bound=type[Attack])
VictimClass = TypeVar("VictimClass", bound=type[Victim])


def register_attack(cls: AttackClass) -> AttackClass:
    """Class decorator for plug-in files: register an `Attack` under its spec's name."""
    ATTACKS.names()  # built-ins first, so that a name taken twice is the plug-in's fault
    ATTACKS.add(cls, origin=cls.__module__)
    return cls


def register_victim(cls: VictimClass) -> VictimClass:
    """Class decorator for plug-in files: register a `Victim` under its spec's name."""
    VICTIMS.names()
    VICTIMS.add(cls, origin=cls.__module__)
    return cls
