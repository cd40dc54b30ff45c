"""What an entry says of images and predictions that were made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bench.contract import AttackSpec, VictimSpec
from bench.records.participants import Coverage
from bench.store import Store, read_json
from bench.types import CamobenchError

RECORD_VERSION = 1
DESCRIBED = (
    "name",
    "targeted",
    "label",
    "paper",
    "licence",
    "threat_model",
    "files_sha256",
    "challenge",
    "coverage",
    "copies",
)


@dataclass(frozen=True, kw_only=True)
class SentImagesSpec(AttackSpec):
    """An anonymiser of which only images are known.

    Attributes:
        files_sha256: Digest of the SHA-256 of every file that is scored, with what it shows.
        challenge: Key of the challenge that they answer.
        coverage: How many of the images and targets that the protocol scores there are.
        copies: Outputs that equal their original in every pixel, scored or not.
    """

    IDENTITY: ClassVar[tuple[str, ...]] = (*AttackSpec.IDENTITY, "files_sha256")

    files_sha256: str
    challenge: str
    coverage: Coverage
    copies: int = 0


@dataclass(frozen=True, kw_only=True)
class SentPredictionsSpec(VictimSpec):
    """A classifier of which only predictions are known.

    Attributes:
        predictions_sha256: Digest of the predictions, by what each image is.
        challenge: Key of the challenge that they answer.
        coverage: How many of the images it was asked about it answered.
        labels_only: Whether it states no probabilities.
    """

    IDENTITY: ClassVar[tuple[str, ...]] = (*VictimSpec.IDENTITY, "predictions_sha256")

    predictions_sha256: str
    challenge: str
    coverage: Coverage
    labels_only: bool = False


def all_sent_specs(store: Store) -> list[tuple[str, AttackSpec]]:
    """Name of the suite and spec of every current row."""
    return [
        (read_json(path)["suite"], spec_of(answers_of(path)[-1])) for path in sent_records(store)
    ]


def sent_records(store: Store) -> list[Path]:
    """The descriptions of all rows that were sent."""
    return sorted((store.root / "sent").glob("*/*.json"))


def spec_of(answer: Mapping[str, Any]) -> SentImagesSpec:
    """The spec of one of `answers_of`."""
    described = {name: answer[name] for name in DESCRIBED}
    return SentImagesSpec(**{**described, "coverage": Coverage(**answer["coverage"])})


def answers_of(path: Path) -> list[dict[str, Any]]:
    """All answers that a description is of, the current one last.

    Raises:
        CamobenchError: If the description is damaged or of another version.
    """
    again = f"score the answer again, with `camobench score ANSWER --name {path.stem}`"
    damaged = f"{path}, which describes images that were sent, is damaged; remove it and {again}"
    try:
        record = read_json(path)
    except CamobenchError as error:
        raise CamobenchError(damaged) from error
    if record.get("version") != RECORD_VERSION:
        raise CamobenchError(
            f"{path} describes a row of version {record.get('version')}, this one reads "
            f"{RECORD_VERSION}; use the version of camobench that scored it"
        )
    answers: list[dict[str, Any]] = record.get("answers") or []
    if not answers or any(not {*DESCRIBED, "images", "shards"} <= one.keys() for one in answers):
        raise CamobenchError(damaged)
    return answers
