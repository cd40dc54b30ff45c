"""Frozen specs: what an attack or a victim is, and which of its fields shape results."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from bench.types import SILENT_DEFAULT, Json, as_json

NOT_STATED = "not stated"
_NAME = r"[a-z0-9][!-.0-@[\]^`-~]*"
_KINDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "str": ("text", lambda told: isinstance(told, str)),
    "int": ("a whole number", lambda told: isinstance(told, int) and not isinstance(told, bool)),
    "bool": ("a truth value", lambda told: isinstance(told, bool)),
    "tuple[str, ...]": (
        "a tuple of text",
        lambda told: isinstance(told, tuple | list) and all(isinstance(one, str) for one in told),
    ),
}
"""What entries hold of a field, by its annotation; others are of who adds fields."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What attacks and victims both state.

    Attributes:
        name: Unique among its kind, in kebab-case.
        version: Raise it when a change of code changes results.
    """

    IDENTITY: ClassVar[tuple[str, ...]] = ("name", "version")
    """Fields that shape results and are hashed into keys; the others describe."""

    name: str
    version: int = 1
    paper: str = NOT_STATED
    licence: str = NOT_STATED

    def __post_init__(self) -> None:
        name, kind = self.name, type(self).__name__.removesuffix("Spec").lower()
        if not isinstance(name, str) or not re.fullmatch(_NAME, str(name)):
            raise ValueError(f"{kind} name {name!r} must be kebab-case, such as 'wavelet-denoise'")
        for told in fields(self):
            value, (meant, fits) = getattr(self, told.name), _KINDS.get(str(told.type), ("", bool))
            if meant and not fits(value):
                raise ValueError(
                    f"{kind} {name}: expected `{told.name}` to be {meant}, got {value!r}"
                )

    def identity(self) -> dict[str, Json]:
        """The fields that shape results."""
        return {field: as_json(getattr(self, field)) for field in self.IDENTITY}


@dataclass(frozen=True, kw_only=True)
class AttackSpec(Spec):
    """What an anonymiser is and what it needs.

    Attributes:
        targeted: Whether `targets` is used; removal methods and most controls are untargeted.
        laac: Families of the local auxiliary attribution classifiers, for the tables.
        scfa: Whether a synthetic CFA precedes the generator.
        surrogates: Victims by name, to be trained on Set-B and handed over frozen.
        control: Shown below the attacks: an attack is worth what it adds to the controls.
        reach_px: How far a pixel can influence the result, given a grid of 16 pixels; large
            photographs are then cut into tiles. `None`: unknown or unlimited, so never cut.
        paper_row: One of the eight rows of the paper's Tables 2 and 3: the published values stand
            beside it, and the paper's claims are about it. Means nothing in a plug-in.
        preliminary: Outside the paper's tables: in no word such as `all`, never beside its rows.
    """

    IDENTITY: ClassVar[tuple[str, ...]] = (
        "name",
        "version",
        "targeted",
        "laac",
        "scfa",
        "surrogates",
    )

    targeted: bool = True
    laac: tuple[str, ...] = ()
    scfa: bool = False
    surrogates: tuple[str, ...] = ()
    control: bool = False
    reach_px: int | None = None
    paper_row: bool = False
    preliminary: bool = False
    label: str = ""
    threat_model: str = "non-interactive black box"

    def __post_init__(self) -> None:
        super().__post_init__()
        reach = self.reach_px
        if reach is not None and (type(reach) is not int or reach < 0):
            raise ValueError(f"attack {self.name}: expected a whole `reach_px` >= 0, got {reach!r}")


@dataclass(frozen=True, kw_only=True)
class VictimSpec(Spec):
    """What an attribution classifier is.

    Attributes:
        front_end: Family in the tables: "wdf", "pef", "img" or a new one. A plug-in has a column
            of its own whatever it states: means over the first three are the protocol's.
        backbone: The network behind the front-end.
        residual: Name of the shared residual estimator it reads through ("wdf-v1"), if any.
        differentiable: Whether gradients reach the images; only then can it be a surrogate.
        supplementary: Beside the protocol's fifteen: in no word such as `all`, asked for by name,
            and a column of its own in the tables, never part of a family's mean.
        aware_of: Attacks, controls among them, whose versions of Set-A it is trained on beside the
            images themselves. It never holds an attack; its key hashes theirs.
        more_models: Whether it tells apart further camera models than the attacks know: it is
            trained on Set-D, of a suite that has one.
    """

    IDENTITY: ClassVar[tuple[str, ...]] = ("name", "version", "front_end", "backbone", "residual")

    front_end: str = NOT_STATED
    backbone: str = NOT_STATED
    residual: str | None = None
    differentiable: bool = True
    supplementary: bool = False
    aware_of: tuple[str, ...] = field(default=(), metadata=SILENT_DEFAULT)
    more_models: bool = field(default=False, metadata=SILENT_DEFAULT)


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What a recipe makes of an attack or a victim, as its key and the plan of a run ask it.

    Attributes:
        hyperparameters: As `stated_hyperparameters` gives them.
        classes: Camera models that a victim tells apart; `None`: the suite's.
        learns: Whether there is anything to train.
        reducible: Whether a victim's backbone can compute in bf16.
    """

    hyperparameters: Mapping[str, Json]
    classes: tuple[str, ...] | None = None
    learns: bool = True
    reducible: bool = False
