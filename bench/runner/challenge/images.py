"""Anonymised images that were made elsewhere, as the source of a row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.jobs.items import GivenImages, Item
from bench.processes import cpu_count
from bench.recipes import Recipe
from bench.runner.challenge.looking import Sent
from bench.runner.challenge.members import Members
from bench.runner.challenge.png import RefusedError, decode
from bench.runner.challenge.specs import SentImagesSpec
from bench.types import StoppingError


class SentImages(GivenImages):
    """The images that were sent.

    Args:
        spec: What they are.
        members: The folder or archive that they are in.
        files: Where each of them is, by position in Set-C and target.
        classes: In-distribution camera models by name.
        recipe: Of the victims; without meaning here.
    """

    spec: SentImagesSpec
    readers: ClassVar[int] = cpu_count()

    def __init__(
        self,
        spec: SentImagesSpec,
        *,
        members: Members,
        files: Mapping[Item, Sent],
        classes: Sequence[str] = (),
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__(spec, classes=classes, recipe=recipe)
        self.members, self.files = members, files

    def has(self, item: Item) -> bool:
        """Whether this image was sent."""
        return item in self.files

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """Decode the files, which must be those that were checked.

        Raises:
            StoppingError: If one has changed since.
        """
        side = originals.shape[-1]

        def read(item: Item) -> NDArray[np.uint8]:
            sent = self.files[item]
            try:
                data = self.members.read(sent.member)
                if hashlib.sha256(data).hexdigest() == sent.sha256:
                    return decode(data, side)
            except RefusedError:
                pass
            raise StoppingError(
                f"{self.members.place}: {sent.member.path} has changed since it was checked; "
                "score it again"
            )

        with ThreadPoolExecutor(self.readers) as pool:
            pixels = np.stack(list(pool.map(read, items)))
        return torch.from_numpy(pixels).to(originals.device)
