"""Answers to challenges that the store keeps: any run finds their rows by name.

`sent/SUITE/NAME.json` describes the last answer of that name. Its images have a key of their own,
for neither recipe nor seed nor device shapes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from pydantic import BaseModel, ValidationError

from bench.contract import ATTACKS, AttackSpec, VictimSpec
from bench.records.participants import Coverage
from bench.registry import Deferred, Entry
from bench.store import Store, read_json, write_json
from bench.types import CamobenchError

if TYPE_CHECKING:
    from bench.contract import Attack

AnsweredRow: TypeAlias = "Entry[AttackSpec, Attack]"


@dataclass(frozen=True, kw_only=True)
class AnsweredImagesSpec(AttackSpec):
    """An anonymiser of which only images are known, by the key of the challenge that they answer.

    Attributes:
        files_sha256: Digest of the SHA-256 of every file that is scored, with what it shows.
        copies: Outputs that equal their original in every pixel, scored or not.
    """

    IDENTITY: ClassVar[tuple[str, ...]] = (*AttackSpec.IDENTITY, "files_sha256")

    files_sha256: str
    challenge: str
    coverage: Coverage
    copies: int = 0


@dataclass(frozen=True, kw_only=True)
class AnsweredPredictionsSpec(VictimSpec):
    """A classifier of which only predictions are known, perhaps `labels_only`, likewise."""

    IDENTITY: ClassVar[tuple[str, ...]] = (*VictimSpec.IDENTITY, "predictions_sha256")

    predictions_sha256: str
    challenge: str
    labels_only: bool = False


class Answer(BaseModel):
    """One answer of images to a suite, with their key and the places in Set-C of each file's."""

    spec: AnsweredImagesSpec
    suite: str
    fingerprint: str
    images: str
    shards: list[list[int]]

    def row(self, store: Store) -> AnsweredRow:
        """Its images as an attack."""
        builder = Deferred("bench.plan.answers.images:AnsweredImages")
        return Entry(spec=self.spec, builder=partial(builder, answer=self, store=store))


def record_files(store: Store) -> list[Path]:
    """The records of all names that images were sent by."""
    return sorted((store.root / "sent").glob("*/*.json"))


def read_answer(path: Path) -> Answer:
    """Read one of `record_files`, or say what to do with a damaged one."""
    again = f"score the answer again, with `camobench score ANSWER --name {path.stem}`"
    try:
        return Answer.model_validate(read_json(path))
    except (CamobenchError, ValidationError) as error:
        raise CamobenchError(
            f"{path}, which describes images that were sent, is damaged or of another version; "
            f"remove it and {again}"
        ) from error


def keep_answer(store: Store, answer: Answer) -> None:
    """Describe an answer whose images are kept, in place of the one that had its name."""
    folder = _folder(store, answer.suite, answer.fingerprint)
    write_json(folder / f"{answer.spec.name}.json", answer.model_dump())


def answered_rows(
    store: Store, suite: str, fingerprint: str, *, but: str | None = None
) -> list[AnsweredRow]:
    """The row of every name that was sent for a suite, but for one."""
    files = sorted(_folder(store, suite, fingerprint).glob("*.json"))
    return [read_answer(path).row(store) for path in files if path.stem != but]


@contextmanager
def known(rows: Iterable[AnsweredRow]) -> Iterator[None]:
    """Know rows as attacks inside the block; a name that something registered has stays its own."""
    with ExitStack() as stack:
        for entry in rows:
            if entry.spec.name not in ATTACKS:
                stack.enter_context(ATTACKS.during(entry))
        yield


def _folder(store: Store, suite: str, fingerprint: str) -> Path:
    return store.root / "sent" / store.data_folder(suite, fingerprint).name
