"""What an entry says of images and predictions that were made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.contract import AttackSpec, VictimSpec
from bench.report.coverage import Coverage


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
