"""One `entry-NAME.json`: what an attack's rows are, and where they come from.

The models are the schema: `Entry.model_json_schema()` gives it as JSON Schema. Further fields are
welcome and are kept.
"""

from __future__ import annotations

import json
import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from bench.records.participants import (
    AttackRecord,
    FailedCell,
    Record,
    Stated,
    Suspected,
    VictimRecord,
)

ENTRY_SCHEMA = 1
MOST_NAMED = 6
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class AuditCheck(Record):
    """One check of a suite's audit."""

    check: str
    verdict: str
    finding: str


class AuditRecord(Record):
    """What the audit of a suite found."""

    verdict: str
    checks: tuple[AuditCheck, ...] = ()


class Evaluated(Record):
    """Which images Set-C has.

    Attributes:
        sha256: Of the sorted JSON lists of image, photograph, scene, device, source and split, each
            a line.
    """

    images: int
    sha256: str


class SuiteRecord(Record):
    """A suite as an entry states it."""

    name: Stated
    fingerprint: Stated
    classes: Annotated[tuple[str, ...], Field(min_length=1)]
    note: str = ""
    evaluated: Evaluated | None = None
    audit: AuditRecord | None = None


class LpipsRecord(Record):
    """Which LPIPS measured the images."""

    version: str
    net: str
    trunk_sha256: str

    def __str__(self) -> str:
        return f"{self.version}, {self.net} ({self.trunk_sha256[:8]})"


class Scoring(Record):
    """A run that made some of an attack's rows: what may be otherwise, as far as stated."""

    precision: str | None = None
    device: str | None = None
    tf32: bool = False
    set_c_sha256: Sha256 | None = None
    commit: str | None = None
    dirty: bool | None = None

    @property
    def code(self) -> str:
        """Commit of the code, and whether it was changed."""
        commit = (self.commit or "unknown")[:12]
        return f"{commit} with uncommitted changes" if self.dirty else commit


class Provenance(Scoring):
    """What scored an attack's rows last, and what before: code, packages and machine."""

    packages: dict[str, str]
    device: str
    precision: str
    also_scored_by: tuple[Scoring, ...] = ()
    created: str = "n/a"
    device_name: str | None = None
    batch_size: int | None = None
    wall_time_s: float | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """Those of all these runs, each once, the last one first."""
        return tuple(dict.fromkeys(one.code for one in (self, *self.also_scored_by)))


class Entry(Record):
    """One attack on one suite: what `entry-NAME.json` beside the Parquet files must say."""

    version: Literal[1] = Field(alias="schema")
    attack: AttackRecord
    victims: Annotated[tuple[VictimRecord, ...], Field(min_length=1)]
    failed: tuple[FailedCell, ...] = ()
    suspicions: tuple[Suspected, ...] = ()
    suite: SuiteRecord
    recipe: Stated
    seed: int
    attack_seed: int | None = None
    scorer_version: int
    lpips: LpipsRecord
    metrics: dict[str, Any] = Field(default_factory=dict)
    """Version and code of each metric of images that a run may lack."""
    provenance: Provenance

    @model_validator(mode="after")
    def _victims_once(self) -> Entry:
        if len({victim.name for victim in self.victims}) < len(self.victims):
            raise ValueError("names a victim twice")
        return self

    @property
    def seeds(self) -> str:
        """The seed of all that was trained, and that of the attacks where it is another."""
        other = self.attack_seed not in (None, self.seed)
        return f"{self.seed} ({self.attack_seed} of the attacks)" if other else str(self.seed)

    @property
    def failed_victims(self) -> list[str]:
        """Victims whose cell failed."""
        return [cell.victim for cell in self.failed]

    def as_json(self) -> dict[str, Any]:
        """What its file holds."""
        found: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return found


def parse_entry(text: str) -> Entry:
    """An entry from JSON.

    Raises:
        ValueError: If it is no JSON, of another version, or not as the models say; names each
            field and what is expected of it.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not readable JSON ({error}); run its attack again") from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != ENTRY_SCHEMA:
        newer = isinstance(schema, int) and schema > ENTRY_SCHEMA
        remedy = "update camobench" if newer else "run again"
        raise ValueError(f"has schema {schema!r}, this version reads {ENTRY_SCHEMA}; {remedy}")
    try:
        return Entry.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(problems_of(error)) from error


def problems_of(error: ValidationError) -> str:
    """What is wrong with a record, each with its field."""
    found = [*dict.fromkeys(map(_sentence, error.errors()))]
    return "; ".join(found[:MOST_NAMED]) + (" ..." if len(found) > MOST_NAMED else "")


def _sentence(one: ErrorDetails) -> str:
    message = one["msg"].removeprefix("Value error, ")
    if one["type"] == "value_error" or not one["loc"]:
        return message
    found = "" if one["type"] == "missing" else f", found {reprlib.repr(one['input'])}"
    return f"`{'.'.join(map(str, one['loc']))}`: {message}{found}"


def read_entry(path: Path) -> Entry:
    """An entry from its file.

    Raises:
        ValueError: If it is unreadable, of another version or not as the models say; names the
            file, the fields and the remedy.
    """
    try:
        entry = parse_entry(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error}); run its attack again") from error
    except ValueError as error:
        raise ValueError(f"{path} {error}") from error
    if path.name != f"entry-{entry.attack.name}.json":
        name = entry.attack.name
        raise ValueError(f"{path} is of the attack {name!r}, so its name is entry-{name}.json")
    return entry
