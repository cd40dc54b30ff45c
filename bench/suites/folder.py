"""A folder of the user's own photographs as a suite, in a layout of `photographs.layouts`."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path

from bench.checks import PATCH_PX
from bench.store import digest
from bench.suites.base import SuiteCard
from bench.suites.photographs.cutting import ALIGN_PX, PhotographSource, most_tiles
from bench.suites.photographs.division import (
    PHOTOS_C,
    SEED,
    VALIDATION_FRACTION,
    Division,
    Placed,
    divide,
)
from bench.suites.photographs.layouts import get_layout
from bench.suites.photographs.reading import read_folder
from bench.suites.photographs.scan import Scan
from bench.types import IN, SILENT, Progress, SetName
from bench.wording import split_names

FOLDER_VERSION = 2  # raise it when the same folder and options give other images
IMAGE_PX = 256
TRAIN_TILES = 80  # what a class should have at least to train on
MOST_TILES = 64  # of a photograph, when the number is not given
EVALUATION_TILES = 20
MOST_EVALUATION_TILES = 4


@dataclass(frozen=True)
class FolderSource(PhotographSource):
    """A folder of photographs as a suite.

    The folder is read when the card is first asked for.

    Args:
        image_px: Side of the square tiles, a multiple of 16; 256 by default.
        classes: The in-distribution models, in a list or separated by commas; by default all that
            have enough photographs.
        tiles_per_photo: In Set-A and Set-B; by default 4 to 64, so many that each class has some
            80 training tiles. In Set-C there are 1 to 4, so many that each class has some 20.
        skip_bad: Leave unusable files out instead of refusing the folder.
        layout: Name of how the files are named; by default found out.

    Raises:
        CamobenchError: If there is no such layout.
        ValueError: If an option is out of range.
    """

    root: Path
    _: KW_ONLY
    image_px: int = IMAGE_PX
    classes: Sequence[str] | str | None = None
    tiles_per_photo: int | None = None
    skip_bad: bool = False
    layout: str | None = None
    progress: Progress = SILENT

    def __post_init__(self) -> None:
        if self.layout is not None:
            get_layout(self.layout)
        px: object = self.image_px
        if not isinstance(px, int) or px < PATCH_PX or px % ALIGN_PX:
            raise ValueError(
                f"expected `image_px` a multiple of {ALIGN_PX} from {PATCH_PX}, got {px}"
            )
        if self.tiles_per_photo is not None and self.tiles_per_photo < 1:
            raise ValueError(
                f"expected `tiles_per_photo` of at least 1, got {self.tiles_per_photo}"
            )

    @cached_property
    def card(self) -> SuiteCard:
        """What the suite is.

        Raises:
            ImageError: If files cannot be used; counts them and names the first few.
            CamobenchError: If the folder cannot be divided into sets; says what it holds.
        """
        name = Path(os.path.abspath(self.root)).name.lower()
        slug = re.sub(r"[^a-z0-9]+", "-", name).strip("-") or "photos"
        tiles = f"up to {self.tiles['A']} in Set-A and B, {self.tiles['C']} in Set-C"
        notes = (self._division.note, f"tiles a photograph: {tiles}", *self._reading.notes)
        return SuiteCard(
            name=f"folder-{slug}",
            version=FOLDER_VERSION,
            fingerprint=digest(
                {
                    "source": "folder",
                    "version": FOLDER_VERSION,
                    "files": self._reading.files,
                    "layout": self._reading.layout.name,
                    "image_px": self.image_px,
                    "classes": self._chosen,
                    "seed": SEED,
                    "tiles_per_photo": self.tiles_per_photo,
                    "tiles_per_photo_c": None,
                    "photos_c": PHOTOS_C,
                    "validation_fraction": VALIDATION_FRACTION,
                    "skip_bad": self.skip_bad,
                }
            ),
            classes=self._division.classes,
            others=self._division.others,
            image_px=self.image_px,
            note="; ".join(notes),
        )

    @property
    def placed(self) -> Sequence[Placed]:
        """The photographs of all sets."""
        return self._division.placed

    @cached_property
    def _reading(self) -> Scan:
        return read_folder(
            self.root,
            self.image_px,
            layout=self.layout,
            skip_bad=self.skip_bad,
            progress=self.progress,
        )

    @cached_property
    def _chosen(self) -> tuple[str, ...] | None:
        if self.classes is None:
            return None
        known = {photo.model for photo in self._reading.photos}
        given = [self.classes] if isinstance(self.classes, str) else self.classes
        return tuple(name for text in given for name in split_names(text, known))

    @cached_property
    def _division(self) -> Division:
        tells = self._reading.layout.tells_devices
        return divide(self._reading.photos, classes=self._chosen, tells_devices=tells)

    @cached_property
    def tiles(self) -> Mapping[SetName, int]:
        """Tiles a photograph in each set."""
        used = [p for p in self.placed if p.split == IN and p.partition != "validation"]
        counts = Counter((place.set, place.photo.model) for place in used)
        fit = math.ceil(TRAIN_TILES / min(n for (name, _), n in counts.items() if name != "C"))
        evaluate = math.ceil(EVALUATION_TILES / min(counts["C", m] for m in self._division.classes))
        most = max(most_tiles(p.photo.width, p.photo.height, self.image_px) for p in self.placed)
        tiles = min(self.tiles_per_photo or min(max(fit, 4), MOST_TILES), most)
        return {"A": tiles, "B": tiles, "C": min(evaluate, MOST_EVALUATION_TILES, most)}
