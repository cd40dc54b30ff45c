"""Answers to challenges that the store keeps: any run finds their rows by name.

`sent/SUITE/NAME.json` describes all answers of that name, the current one last. Their images have a
key of their own, for neither recipe nor seed nor device shapes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, Field, ValidationError

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


class Record(BaseModel):
    """All answers of one name for a suite, the current one last."""

    version: Literal[2] = 2
    answers: list[Answer] = Field(min_length=1)


def record_files(store: Store) -> list[Path]:
    """The records of all names that images were sent by."""
    return sorted((store.root / "sent").glob("*/*.json"))


def read_answers(path: Path) -> list[Answer]:
    """Read one of `record_files`, or say what to do with a damaged one."""
    again = f"score the answer again, with `camobench score ANSWER --name {path.stem}`"
    try:
        return Record.model_validate(read_json(path)).answers
    except (CamobenchError, ValidationError) as error:
        raise CamobenchError(
            f"{path}, which describes images that were sent, is damaged or of another version; "
            f"remove it and {again}"
        ) from error


def add_answer(store: Store, answer: Answer) -> None:
    """Describe an answer whose images are kept: it is the current one of its name from now on."""
    path = _file(store, answer.suite, answer.fingerprint, answer.spec.name)
    with store.lock("sent", f"{path.parent.name}-{path.stem}"):
        former = read_answers(path) if path.is_file() else []
        others = [one for one in former if one.images != answer.images]
        write_json(path, Record(answers=[*others, answer]).model_dump())


def current_answers(store: Store) -> list[Answer]:
    """The current one of every name and suite."""
    return [read_answers(path)[-1] for path in record_files(store)]


def answered_rows(
    store: Store, suite: str, fingerprint: str, *, but: Collection[str | None] = ()
) -> list[AnsweredRow]:
    """The current row of every name that was sent for a suite, but for some names."""
    files = sorted(_file(store, suite, fingerprint, "*").parent.glob("*.json"))
    return [read_answers(path)[-1].row(store) for path in files if path.stem not in but]


def answered_rows_of(store: Store, entries: Iterable[Mapping[str, Any]]) -> list[AnsweredRow]:
    """The rows that entries of a run are of, current or replaced, as far as the store has them."""
    found = {}
    for entry in entries:
        attack, suite = entry.get("attack", {}), entry["suite"]
        path = _file(store, suite["name"], suite["fingerprint"], attack.get("name", ""))
        if attack.get("challenge") is not None and path.is_file():
            for one in read_answers(path):
                if one.spec.files_sha256 == attack["files_sha256"]:
                    found[path] = one.row(store)
    return list(found.values())


@contextmanager
def known(rows: Iterable[AnsweredRow]) -> Iterator[None]:
    """Know rows as attacks inside the block; a name that something registered has stays its own."""
    with ExitStack() as stack:
        for entry in rows:
            if entry.spec.name not in ATTACKS:
                stack.enter_context(ATTACKS.during(entry))
        yield


def _file(store: Store, suite: str, fingerprint: str, name: str) -> Path:
    return store.root / "sent" / store.data_folder(suite, fingerprint).name / f"{name}.json"
