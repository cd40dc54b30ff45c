"""Images that were sent once, read from the store as an attack that gives them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from bench.contract import Attack
from bench.jobs.scoring.items import GivenImages, Item
from bench.jobs.scoring.kept import KeptImages, kept_file
from bench.plan.answers.kept import Answer, AnsweredImagesSpec
from bench.recipes import Recipe
from bench.store import Store
from bench.suites.base import set_c_checksum
from bench.types import CamobenchError


class AnsweredImages(GivenImages):
    """Images of an answer that the store keeps, read when they are wanted."""

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
        self.targeted = spec.targeted
        self.files = [kept_file(store, answer.images, n) for n in range(len(answer.shards))]
        self.set_c = set_c_checksum(store, answer.suite, answer.fingerprint)
        self._places = {
            index: path
            for path, some in zip(self.files, answer.shards, strict=True)
            for index in some
        }
        self._opened = lru_cache(maxsize=1)(self.open)

    def has(self, item: Item) -> bool:
        """Whether this image was sent."""
        return self._opened(self._places[item.index]).has(item)

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """The images as they were sent."""
        made = [
            self._opened(self._places[item.index]).anonymise([item], original[None])
            for item, original in zip(items, originals, strict=True)
        ]
        return torch.cat(made)

    def open(self, path: Path) -> KeptImages:
        """Read one of the files, and refuse one that is damaged or changes other pixels."""
        try:
            opened = KeptImages(path, targeted=self.targeted)
        except CamobenchError as error:
            raise self.lost(path, "damaged" if path.is_file() else "missing") from error
        if len({self.set_c, opened.made_by["set_c_sha256"]} - {None}) > 1:
            raise self.lost(path, "changes to other pixels of Set-C than the store has now")
        return opened

    def lost(self, path: Path, how: str) -> CamobenchError:
        """What to say of a file that is missing or damaged."""
        name = self.spec.name
        return CamobenchError(
            f"images that were sent as {name} are {how} ({path}); score the answer again, with "
            f"`camobench score ANSWER --name {name}`, which keeps them anew"
        )


def require_kept(attack: Attack) -> None:
    """Refuse to go on without images that were sent; other attacks pass."""
    if isinstance(attack, AnsweredImages):
        for path in attack.files:
            if not path.is_file():
                raise attack.lost(path, "missing")
