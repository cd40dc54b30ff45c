"""Images that were sent once, read from the store as an attack that gives them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from bench.contract import Attack
from bench.jobs.scoring.items import GivenImages, Item
from bench.jobs.scoring.kept import KeptImages, kept_files
from bench.plan.answers import Answer, AnsweredImagesSpec
from bench.recipes import Recipe
from bench.store import Store
from bench.suites.base import set_c_checksum
from bench.types import CamobenchError


class AnsweredImages(GivenImages):
    """Images of an answer, read when they are wanted.

    Args:
        spec: What they are.
        answer: Where they are.
        store: That keeps them.
        classes: In-distribution camera models by name.
        recipe: Of the victims; without meaning here.
    """

    spec: AnsweredImagesSpec

    def __init__(
        self,
        spec: AnsweredImagesSpec,
        *,
        answer: Answer,
        store: Store,
        classes: Sequence[str] = (),
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__(spec, classes=classes, recipe=recipe)
        self.files = kept_files(store, answer.images, len(answer.shards))
        self.set_c = set_c_checksum(store, answer.suite, answer.fingerprint)
        self._numbers = {index: n for n, some in enumerate(answer.shards) for index in some}
        self._opened: tuple[int, KeptImages] | None = None

    def has(self, item: Item) -> bool:
        """Whether this image was sent."""
        return self._shard(self._numbers[item.index]).has(item)

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """The images as they were sent."""
        made = [
            self._shard(self._numbers[item.index]).anonymise([item], original[None])
            for item, original in zip(items, originals, strict=True)
        ]
        return torch.cat(made)

    def open(self, path: Path) -> KeptImages:
        """Read one of the files.

        Raises:
            CamobenchError: If it is missing or damaged; says what to do.
        """
        if not path.is_file():
            raise self.lost(path, "missing")
        try:
            return KeptImages(path, targeted=self.targeted)
        except CamobenchError as error:
            raise self.lost(path, "damaged") from error

    def _shard(self, number: int) -> KeptImages:
        if self._opened is None or self._opened[0] != number:
            path = self.files[number]
            opened = self.open(path)
            if len({self.set_c, opened.made_by["set_c_sha256"]} - {None}) > 1:
                raise self.lost(path, "changes to other pixels of Set-C than the store has now")
            self._opened = number, opened
        return self._opened[1]

    def lost(self, path: Path, how: str) -> CamobenchError:
        """What to say of a file that is missing or damaged."""
        name = self.spec.name
        return CamobenchError(
            f"images that were sent as {name} are {how} ({path}); score the answer again, with "
            f"`camobench score ANSWER --name {name}`, which keeps them anew"
        )


def require_kept(attack: Attack) -> None:
    """Refuse to go on without images that were sent; other attacks pass.

    Raises:
        CamobenchError: If a file of them is missing; says what to do.
    """
    if isinstance(attack, AnsweredImages):
        for path in attack.files:
            if not path.is_file():
                raise attack.lost(path, "missing")
