"""Images that answer a challenge: they become kept images, and their row scored like any other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.challenge.answer_files import AnswerFiles
from bench.challenge.findings import RefusedError
from bench.challenge.ids import Challenge, require_challenges
from bench.challenge.image_checks import CheckedImage, CheckedImages, check_images, decode
from bench.jobs.scoring.items import Item, batches_of, items_of, mixed
from bench.jobs.scoring.kept import Recorder, kept_file
from bench.jobs.scoring.rows import row_shards
from bench.plan.answers.kept import Answer, AnsweredImagesSpec, AnsweredRow, keep_answer
from bench.plan.request import Request, open_session
from bench.plan.session import Session
from bench.processes import cpu_count
from bench.provenance import provenance
from bench.records.participants import Coverage
from bench.store import Store, digest
from bench.suites.base import Suite
from bench.types import Progress, StoppingError


@dataclass(frozen=True, kw_only=True)
class ImagesAnswer:
    """Images that came back, checked and still open; the source of what is kept.

    Attributes:
        images: Those that the protocol scores.
        coverage: How many of them there are.
    """

    challenge: Challenge
    suite: Suite
    request: Request
    files: AnswerFiles
    checked: CheckedImages
    images: Mapping[Item, CheckedImage]
    coverage: Coverage

    @property
    def targeted(self) -> bool:
        """Whether files name a target."""
        return self.checked.targeted

    def entry(self, name: str, store: Store, **described: Any) -> AnsweredRow:
        """The row that they are, once they are kept; `described` are further fields of its spec."""
        names, classes = self.suite.manifest("C")["image_id"], self.suite.card.classes
        told = sorted(
            (names[item.index], "" if item.target is None else classes[item.target], image.sha256)
            for item, image in self.images.items()
        )
        spec = AnsweredImagesSpec(
            name=name,
            targeted=self.targeted,
            files_sha256=digest(told),
            challenge=self.challenge.key,
            coverage=self.coverage,
            copies=self.checked.copies,
            **described,
        )
        return self._answer(spec).row(store)

    def keep(self, session: Session, spec: Any) -> None:
        """Keep the images in the store and describe them, as the current row of this name.

        Raises:
            StoppingError: If a file has changed since it was checked.
        """
        store, progress = session.store, session.progress
        answer, originals = self._answer(spec), self.suite.images("C")
        pixels = {"set_c_sha256": self.suite.checksum("C")}
        progress.start(f"keeping images of {spec.name}", len(originals))
        for shard, indices in enumerate(answer.shards):
            path, chosen = kept_file(store, answer.images, shard), set(indices)
            recorder = Recorder(self)
            for part in batches_of([item for item in self.images if item.index in chosen]):
                before = originals[[item.index for item in part]]
                recorder.anonymise(part, torch.from_numpy(before))
            recorder.write(path, {**provenance(), **pixels})
            progress.advance(len(indices))
        progress.finish()
        keep_answer(store, answer)

    def has(self, item: Item) -> bool:
        """Whether this image was sent."""
        return item in self.images

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """Decode the files, which must be those that were checked.

        Raises:
            StoppingError: If one has changed since.
        """
        side = originals.shape[-1]

        def read(item: Item) -> NDArray[np.uint8]:
            image = self.images[item]
            try:
                data = self.files.read(image.file)
                if hashlib.sha256(data).hexdigest() == image.sha256:
                    return decode(data, side)
            except RefusedError:
                pass
            raise StoppingError(
                f"{self.files.place}: {image.file.path} has changed since it was checked; "
                "score it again"
            )

        with ThreadPoolExecutor(cpu_count()) as pool:
            return torch.from_numpy(np.stack(list(pool.map(read, items))))

    def _answer(self, spec: AnsweredImagesSpec) -> Answer:
        card, set_c = self.suite.card, self.suite.checksum("C")
        shaped = [card.fingerprint, spec.targeted, spec.files_sha256, set_c]
        shards = row_shards(mixed(self.suite.manifest("C")))  # as they will be scored
        return Answer(
            spec=spec,
            suite=card.name,
            fingerprint=card.fingerprint,
            images=digest(shaped),
            shards=list(map(list, shards)),
        )


@contextmanager
def check_images_answer(
    place: Path, request: Request, store: Store, progress: Progress
) -> Iterator[ImagesAnswer]:
    """Check a folder or zip of images and keep it open.

    Raises:
        CamobenchError: If the store holds no challenge of the suite.
        WrongUsageError: If it is neither a folder nor a zip.
    """
    (challenge,) = require_challenges(store, request.source.card, "attacks")
    suite = open_session(request, store, progress).prepare(("C",))
    manifest, classes, images = suite.manifest("C"), suite.card.classes, suite.images("C")
    places = {opaque: image.item.index for opaque, image in challenge.images(suite).items()}
    originals = {opaque: images[index] for opaque, index in places.items()}
    most_files = 2 * len(places) * (len(classes) + 1) + 1000  # twice the wanted ones
    most_bytes = 2 * 3 * suite.card.image_px**2 + (1 << 20)  # twice the pixels, and a profile
    with AnswerFiles(place, most_bytes=most_bytes, most_files=most_files) as opened:
        checked = check_images(opened, originals, classes, progress)
        sent = {
            Item(index=places[one], target=None if to is None else classes.index(to)): image
            for (one, to), image in checked.images.items()
        }
        wanted = items_of(range(len(manifest)), manifest, classes, targeted=checked.targeted)
        scored = {item: sent[item] for item in wanted if item in sent}
        yield ImagesAnswer(
            challenge=challenge,
            suite=suite,
            request=request,
            files=opened,
            checked=checked,
            images=scored,
            coverage=Coverage(scored=len(scored), wanted=len(wanted)),
        )
