"""What entries state of attacks and of victims, and what is said of them when something is odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

PARTIAL = "(partial)"
NO_NETWORK = "none"
"""The digest of what failed before there was a network."""
FAMILIES = ("wdf", "pef", "img")
ARCHITECTURES = ("resnet12", "resnet18", "resnet34", "densenet40", "densenet100")
"""Of the protocol's fifteen victims."""

RowKey = tuple[frozenset[str], bool]
"""Local classifiers and sCFA: what the paper's tables name a row by."""
# Printable ASCII without spaces and slashes.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][!-.0-\[\]-~]*$")]
Stated = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Of images made elsewhere: how many of those wanted there are.

    What is missing is never filled in, and a partial row says so wherever it stands.
    """

    scored: int
    wanted: int

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return self.scored == self.wanted

    def __str__(self) -> str:
        return f"{self.scored} of {self.wanted} images"


@dataclass(frozen=True, kw_only=True)
class FailedCell:
    """A hole: what went wrong when this victim was scored on an attack's images.

    Or when their distortion was measured, under whatever condition.

    Attributes:
        who: Failed; the attack itself, the victim, or something that one of them needs.
        log: With the traceback, relative to the run's folder.
    """

    victim: str
    who: str
    reason: str
    log: str


@dataclass(frozen=True, kw_only=True)
class Suspected:
    """What the outputs of an attack or of a victim look like; see `bench.metrics.suspicions`.

    Attributes:
        victim: Whose; "" for the attack itself.
    """

    victim: str
    kind: str
    finding: str


class Record(BaseModel):
    """A part of an entry: frozen, of the types stated, and open to further fields."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


class PlugIn(Record):
    """Of code that does not ship with camobench: what its key hashes, and what it does not."""

    origin: str
    source_sha256: str = ""
    modules: dict[str, Any] = {}
    packages: dict[str, Any] = {}
    opened: tuple[tuple[str, ...], ...] = ()
    not_covered: tuple[str, ...] = ()


class Participant(Record):
    """What is stated of an attack and of a victim."""

    name: Name
    key: Stated
    digest: Stated
    paper: str = ""
    licence: str = ""
    version: int | None = None
    plug_in: PlugIn | None = None
    challenge: str | None = None
    files_sha256: str | None = None
    predictions_sha256: str | None = None

    @property
    def elsewhere(self) -> bool:
        """Whether only its images, or only its predictions, are known."""
        return (self.files_sha256, self.predictions_sha256) != (None, None)

    @property
    def not_covered(self) -> tuple[str, ...]:
        """What shapes its results perhaps and is not part of its key."""
        return self.plug_in.not_covered if self.plug_in else ()


class AttackRecord(Participant):
    """An attack as its entry states it."""

    targeted: bool
    control: bool
    laac: tuple[str, ...]
    scfa: bool
    preliminary: bool = False
    paper_row: bool = False
    label: str = ""
    threat_model: str = ""
    reach_px: int | None = None
    surrogates: tuple[str, ...] = ()
    hyperparameters: dict[str, Any] = {}
    coverage: Coverage | None = None

    @model_validator(mode="after")
    def _covered(self) -> AttackRecord:
        stated = self.coverage
        if stated and not 0 < stated.scored <= stated.wanted:
            raise ValueError(f"{self.name} states a coverage of {stated}; score it anew")
        if self.partial and not self.elsewhere:
            raise ValueError(
                f"{self.name} states that it is partial, which only images made elsewhere can be"
            )
        return self

    @property
    def partial(self) -> Coverage | None:
        """How much there is, where some is missing."""
        return None if self.coverage is None or self.coverage.whole else self.coverage

    @property
    def marked(self) -> str:
        """Its name; says so where it is partial."""
        return f"{self.name} {PARTIAL}" if self.partial else self.name

    @property
    def kind(self) -> str:
        """One of "control", "preliminary" and "attack"."""
        return "control" if self.control else "preliminary" if self.preliminary else "attack"

    @property
    def caption(self) -> str:
        """Its label, where that says more than its name."""
        return "" if self.name.startswith(self.label) else self.label

    @property
    def shown(self) -> str:
        """Its label or else its name; says so where it is partial."""
        return f"{self.label or self.name} {PARTIAL}" if self.partial else self.label or self.name

    @property
    def is_full_method(self) -> bool:
        """Whether this is the paper's full method: all three local classifiers and no sCFA."""
        return self.row == (frozenset(FAMILIES), False)

    @property
    def row(self) -> RowKey | None:
        """Its place in the paper's tables.

        `None` for what has none: whatever is not one of the eight, such as controls, preliminary
        attacks, and what is not the protocol's own, however much it resembles one.
        """
        if self.control or not self.targeted or not self.paper_row:
            return None
        foreign = self.plug_in is not None or self.elsewhere
        return None if foreign else (frozenset(self.laac), self.scfa)


class VictimRecord(Participant):
    """A victim as an entry states it.

    Attributes:
        family: That it is counted in: the protocol's families hold its fifteen victims, and any
            other has a column of its own, whatever it states, under its name if it states none.
        digest: Of its weights.
        precision: Its backbone's.
        labels_only: Whether it states no probabilities.
    """

    family: str
    backbone: str
    classes: Annotated[tuple[str, ...], Field(min_length=1)]
    precision: str = "fp32"
    labels_only: bool = False
    residual: str | None = None

    @model_validator(mode="after")
    def _of_its_family(self) -> VictimRecord:
        fifteen = {f"{self.family}-{architecture}" for architecture in ARCHITECTURES}
        own = self.name in fifteen and self.plug_in is None and not self.elsewhere
        if own or self.family not in (*FAMILIES, "", "not stated"):
            return self
        return self.model_copy(update={"family": self.name})

    @property
    def column(self) -> tuple[Any, ...]:
        """All that entries must agree on, but for the digest, which what failed has not."""
        who = (self.name, self.key, self.family, self.backbone, self.precision)
        return (*who, self.labels_only, self.elsewhere)
