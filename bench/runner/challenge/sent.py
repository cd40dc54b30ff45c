"""Images that answered a challenge, as rows that the store keeps: any run finds them by name.

`sent/SUITE/NAME.json` describes all answers of that name, the current one last. Their images have a
key of their own, for neither recipe nor seed nor device shapes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import torch

from bench.contract import ATTACKS, Attack, AttackSpec
from bench.jobs.items import ImageSource, batches_of, items_of, mixed
from bench.jobs.kept import KeptImages, Recorder, kept_files
from bench.jobs.rows import row_shards
from bench.provenance import provenance
from bench.registry import Entry
from bench.runner.challenge.specs import (
    DESCRIBED,
    RECORD_VERSION,
    SentImagesSpec,
    answers_of,
    spec_of,
)
from bench.runner.challenge.stored import StoredImages
from bench.store import Store, digest, write_json
from bench.suites.base import Suite, set_c_checksum
from bench.types import CamobenchError, Json, Progress, Silent, as_json

SentRow: TypeAlias = Entry[AttackSpec, Attack]


def sent_folder(store: Store, suite: str, fingerprint: str) -> Path:
    """Where the rows that were sent for a suite are described."""
    return store.root / "sent" / store.data_folder(suite, fingerprint).name


def row_of(spec: SentImagesSpec, suite: Suite, store: Store) -> SentRow:
    """The row that images of a suite are, once they are kept."""
    count = len(row_shards(range(len(suite.manifest("C")))))
    files = kept_files(store, _images_key(spec, suite), count)
    return Entry(spec=spec, builder=partial(StoredImages, files=files, set_c=suite.checksum("C")))


def _images_key(spec: SentImagesSpec, suite: Suite) -> str:
    set_c = suite.checksum("C")
    pixels = [] if set_c is None else [set_c]
    return digest([suite.card.fingerprint, spec.targeted, spec.files_sha256, *pixels])


def keep_images(
    source: ImageSource,
    spec: SentImagesSpec,
    suite: Suite,
    store: Store,
    progress: Progress | None = None,
) -> None:
    """Keep the images of a row and describe it; it is the current one of its name from now on.

    Args:
        source: Of the images.
        spec: Of the row.
        suite: With Set-C, which they show.
        store: That gets them.
        progress: Told how far it is.

    Raises:
        StoppingError: If a file has changed since it was checked.
    """
    progress, card = progress or Silent(), suite.card
    images, manifest = suite.images("C"), suite.manifest("C")
    ranges = row_shards(mixed(manifest))  # as they will be scored
    key, set_c = _images_key(spec, suite), suite.checksum("C")
    pixels: dict[str, Json] = {} if set_c is None else {"set_c_sha256": set_c}
    files = kept_files(store, key, len(ranges))
    progress.start(f"keeping images of {spec.name}", len(images))
    folder = store.image_folder(key).name
    for indices, path in zip(ranges, files, strict=True):
        with store.lock("predictions", f"{folder}-{path.stem}"):  # which `sweep` asks for too
            if not _is_whole(path, targeted=spec.targeted):
                recorder = Recorder(source)
                wanted = items_of(indices, manifest, card.classes, targeted=spec.targeted)
                items = [item for item in wanted if source.has(item)]
                for part in batches_of(items):
                    originals = torch.from_numpy(images[[item.index for item in part]])
                    recorder.anonymise(part, originals)
                recorder.write(path, {**provenance(), **pixels})
            progress.advance(len(indices))
    progress.finish()
    path = sent_folder(store, card.name, card.fingerprint) / f"{spec.name}.json"
    described = {name: as_json(getattr(spec, name)) for name in DESCRIBED}
    answer: dict[str, Json] = {**described, "images": key, "shards": len(ranges)}
    with store.lock("sent", f"{path.parent.name}-{spec.name}"):
        former = answers_of(path) if path.is_file() else []
        others = [one for one in former if one["images"] != key]
        write_json(
            path,
            {
                "version": RECORD_VERSION,
                "suite": card.name,
                "fingerprint": card.fingerprint,
                "answers": [*others, answer],
            },
        )


def _is_whole(path: Path, *, targeted: bool) -> bool:
    if not path.is_file():
        return False
    try:
        KeptImages(path, targeted=targeted)
    except CamobenchError:
        return False
    return True


def sent_rows(
    store: Store, suite: str, fingerprint: str, *, but: Collection[str | None] = ()
) -> list[SentRow]:
    """The current row of every name that was sent for a suite.

    Args:
        store: That holds them.
        suite: By name.
        fingerprint: Of the suite.
        but: Names that are left out.

    Raises:
        CamobenchError: If a description is damaged or of another version.
    """
    found = sorted(sent_folder(store, suite, fingerprint).glob("*.json"))
    set_c = set_c_checksum(store, suite, fingerprint)
    return [_entry(store, answers_of(path)[-1], set_c) for path in found if path.stem not in but]


def sent_rows_of(store: Store, entries: Iterable[Mapping[str, Any]]) -> list[SentRow]:
    """The rows that entries of a run are of, current or replaced, as far as the store keeps them.

    Raises:
        CamobenchError: If a description is damaged or of another version.
    """
    found = []
    for entry in entries:
        attack = entry.get("attack", {})
        if attack.get("challenge") is None:
            continue
        suite = entry["suite"]
        path = sent_folder(store, suite["name"], suite["fingerprint"]) / f"{attack['name']}.json"
        if path.is_file():
            answers = [
                one for one in answers_of(path) if one["files_sha256"] == attack["files_sha256"]
            ]
            set_c = set_c_checksum(store, suite["name"], suite["fingerprint"])
            found += [_entry(store, one, set_c) for one in answers[-1:]]
    return found


def stored_images(store: Store, record: Path) -> list[StoredImages]:
    """The images of all answers that one of `sent_records` describes, the current one last.

    Raises:
        CamobenchError: If the description is damaged or of another version.
    """
    answers = answers_of(record)
    return [StoredImages(spec_of(one), files=_files(store, one)) for one in answers]


@contextmanager
def known(rows: Iterable[SentRow]) -> Iterator[None]:
    """Know rows as attacks inside the block; a name that something registered has stays its own."""
    with ExitStack() as stack:
        for entry in rows:
            if entry.spec.name not in ATTACKS:
                stack.enter_context(ATTACKS.during(entry))
        yield


def _entry(store: Store, answer: Mapping[str, Any], set_c: str | None) -> SentRow:
    builder = partial(StoredImages, files=_files(store, answer), set_c=set_c)
    return Entry(spec=spec_of(answer), builder=builder)


def _files(store: Store, answer: Mapping[str, Any]) -> list[Path]:
    return kept_files(store, answer["images"], answer["shards"])
