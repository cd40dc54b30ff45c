"""Anonymised images as a platform would pass them on: saved once more, as JPEG.

The encoder is Pillow's with its defaults (baseline, 4:2:0 chroma, standard tables scaled to the
quality), the decoder libjpeg's. Which versions scored is in the provenance.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bench.runner.items import ImageSource, Item
from bench.types import Json, WrongUsageError

VERSION = 1
"""Raise it when re-compression changes: its rows are then scored anew."""


def recompression(quality_percent: int) -> dict[str, Json]:
    """What a key says of a re-compression."""
    return {
        "format": "jpeg",
        "quality_percent": quality_percent,
        "subsampling": "4:2:0",
        "version": VERSION,
    }


def parse_qualities(text: str) -> tuple[int, ...]:
    """JPEG qualities as people give them ("70,80,90"), best first, each once.

    Raises:
        WrongUsageError: If one is no whole number from 1 to 100.
    """
    found = set()
    for part in filter(None, map(str.strip, text.split(","))):
        if not (part.isdecimal() and 1 <= int(part) <= 100):
            raise WrongUsageError(
                f"{part!r} is no JPEG quality: give whole numbers from 1 to 100, such as "
                "70,80,90,95"
            )
        found.add(int(part))
    return tuple(sorted(found, reverse=True))


class RecompressedSource:
    """The images of another source after one JPEG save.

    Args:
        source: Makes the images.
        quality_percent: Of Pillow's encoder.
    """

    def __init__(self, source: ImageSource, quality_percent: int) -> None:
        self.source, self.quality_percent = source, quality_percent

    @property
    def targeted(self) -> bool:
        """As the other source says."""
        return self.source.targeted

    def has(self, item: Item) -> bool:
        """As the other source says."""
        return self.source.has(item)

    def anonymise(self, items: Sequence[Item], originals: Tensor) -> Tensor:
        """The other source's images, saved and read again."""
        return saved_as_jpeg(self.source.anonymise(items, originals), self.quality_percent)


def saved_as_jpeg(images: Tensor, quality_percent: int) -> Tensor:
    """Save images as JPEG and read them again.

    Args:
        images: (N, 3, H, W) uint8 RGB.
        quality_percent: Of Pillow's encoder, 1 to 100.

    Returns:
        (N, 3, H, W) uint8 on the same device.
    """
    again = np.empty(tuple(images.shape), np.uint8)
    for place, pixels in enumerate(images.permute(0, 2, 3, 1).cpu().numpy()):
        stream = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(
            stream, "JPEG", quality=quality_percent, subsampling="4:2:0"
        )
        with Image.open(stream) as image:
            again[place] = np.asarray(image).transpose(2, 0, 1)
    return torch.from_numpy(again).to(images.device)
