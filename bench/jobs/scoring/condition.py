"""What happens to an anonymised image before it is scored: some of its change, a JPEG save.

The strength s of an attack g makes x + s (g(x, t) - x) of its images, rounded to 8 bits again. The
JPEG encoder is Pillow's with its defaults (baseline, 4:2:0 chroma, standard tables scaled to the
quality), the decoder libjpeg's; which versions scored is in the provenance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from bench.data import as_jpeg
from bench.records.frames import condition_said
from bench.types import Json, WrongUsageError

VERSION = 1
"""Raise it when re-compression changes: its rows are then scored anew."""
NumberT = TypeVar("NumberT", int, float)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What is done to anonymised images; its fields are columns of the rows under it.

    Attributes:
        strength: Share of the attack's change that is made, 0 to 1.
        quality_percent: Of a JPEG save after it, if there is one.
    """

    strength: float = 1.0
    quality_percent: int | None = None

    @property
    def said(self) -> str:
        """What a person calls it; nothing, where nothing is done."""
        return condition_said(self.strength, self.quality_percent)

    @property
    def identity(self) -> dict[str, Json]:
        """What the key of a row says of it: nothing, where nothing is done."""
        said: dict[str, Json] = {} if self.strength == 1 else {"strength": self.strength}
        if self.quality_percent is not None:
            said["recompressed"] = {
                "format": "jpeg",
                "quality_percent": self.quality_percent,
                "subsampling": "4:2:0",
                "version": VERSION,
            }
        return said

    def of(self, originals: Tensor, anonymised: Tensor) -> Tensor:
        """What becomes of anonymised images: (N, 3, H, W) uint8, as originals and they are."""
        if self.strength != 1:
            anonymised = torch.lerp(originals.float(), anonymised.float(), self.strength)
            anonymised = anonymised.round().clamp(0, 255).to(torch.uint8)
        if self.quality_percent is not None:
            anonymised = saved_as_jpeg(anonymised, self.quality_percent)
        return anonymised


PLAIN = Condition()


def conditions_of(strengths: Sequence[float], qualities: Sequence[int]) -> tuple[Condition, ...]:
    """The plain one first, then every strength, then every quality at full strength."""
    found = [Condition(strength=one) for one in strengths]
    found += [Condition(quality_percent=one) for one in qualities]
    return tuple(dict.fromkeys((PLAIN, *found)))


def parse_strengths(given: str | Iterable[float]) -> tuple[float, ...]:
    """Strengths as people give them ("0.25,0.5,1", or numbers), smallest first, each once.

    To six places, as rows are told apart by them.

    Raises:
        WrongUsageError: If one is no number above 0 and at most 1.
    """
    wanted = "strength: give numbers above 0 and at most 1, such as 0.25,0.5,1"
    found = _numbers(given, lambda part: round(float(part), 6), lambda one: 0 < one <= 1, wanted)
    return tuple(sorted(found))


def parse_qualities(given: str | Iterable[int]) -> tuple[int, ...]:
    """JPEG qualities as people give them ("70,80,90", or numbers), best first, each once.

    Raises:
        WrongUsageError: If one is no whole number from 1 to 100.
    """
    wanted = "JPEG quality: give whole numbers from 1 to 100, such as 70,80,90,95"
    found = _numbers(given, _whole, lambda value: 1 <= value <= 100, wanted)
    return tuple(sorted(found, reverse=True))


def _whole(part: str) -> int:
    return int(part) if part.isdecimal() else 0


def _numbers(
    given: str | Iterable[float],
    read: Callable[[str], NumberT],
    fits: Callable[[NumberT], bool],
    wanted: str,
) -> set[NumberT]:
    text = given if isinstance(given, str) else ",".join(map(str, given))
    found = set()
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            value = read(part)
        except ValueError:
            value = read("0")
        if not fits(value):
            raise WrongUsageError(f"{part!r} is no {wanted}")
        found.add(value)
    return found


def saved_as_jpeg(images: Tensor, quality_percent: int) -> Tensor:
    """Save (N, 3, H, W) uint8 images as JPEG and read them again."""
    pixels = images.permute(0, 2, 3, 1).cpu().numpy()
    again = np.stack([as_jpeg(one, quality_percent) for one in pixels])
    return torch.from_numpy(again).permute(0, 3, 1, 2).contiguous().to(images.device)
