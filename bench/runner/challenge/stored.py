"""Images of a row that was sent, read from the store as an attack that gives them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from bench.contract import Attack
from bench.jobs.items import GivenImages, Item
from bench.jobs.kept import KeptImages
from bench.recipes import Recipe
from bench.runner.challenge.specs import SentImagesSpec
from bench.types import CamobenchError


class StoredImages(GivenImages):
    """Images that were sent once, read from the store when they are wanted.

    Args:
        spec: What they are.
        files: One a shard of Set-C, as `keep_images` writes them.
        classes: In-distribution camera models by name.
        recipe: Of the victims; without meaning here.
        set_c: SHA-256 of the images of Set-C as the store has them, if that is known.
    """

    spec: SentImagesSpec

    def __init__(
        self,
        spec: SentImagesSpec,
        *,
        files: Sequence[Path],
        classes: Sequence[str] = (),
        recipe: Recipe | None = None,
        set_c: str | None = None,
    ) -> None:
        super().__init__(spec, classes=classes, recipe=recipe)
        self.files, self.set_c = files, set_c
        self._opened: tuple[int, KeptImages] | None = None

    def has(self, item: Item) -> bool:
        """Whether this image was sent."""
        number = self._numbers.get(item.index)
        return number is not None and self._shard(number).has(item)

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """The images as they were sent."""
        made = [
            self._shard(self._numbers[item.index]).anonymise([item], original[None])
            for item, original in zip(items, originals, strict=True)
        ]
        return torch.cat(made)

    def verify(self) -> None:
        """Open every file.

        Raises:
            CamobenchError: If one is missing or damaged; says what to do.
        """
        for number in range(len(self.files)):
            self._shard(number)

    @cached_property
    def _numbers(self) -> dict[int, int]:
        """The file that each image is in."""
        found: dict[int, int] = {}
        for number, path in enumerate(self.files):
            if not path.is_file():
                raise self.lost(path, "missing")
            try:
                indices = pq.read_table(path, columns=["index"])["index"].to_pylist()
            except (pa.ArrowException, OSError) as error:
                raise self.lost(path, "damaged") from error
            found |= dict.fromkeys(indices, number)
        return found

    def _shard(self, number: int) -> KeptImages:
        if self._opened is None or self._opened[0] != number:
            path = self.files[number]
            if not path.is_file():
                raise self.lost(path, "missing")
            try:
                opened = KeptImages(path, targeted=self.targeted)
            except CamobenchError as error:
                raise self.lost(path, "damaged") from error
            if None is not self.set_c != opened.made_by.get("set_c_sha256", self.set_c):
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
    if isinstance(attack, StoredImages):
        for path in attack.files:
            if not path.is_file():
                raise attack.lost(path, "missing")
