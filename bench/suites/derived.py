"""Suites made of another: with a split of real photographs, or as a rehearsal on its Set-B.

Real photographs are of models that no set knows, in Set-C: out of distribution as `out` is, but
with true optics and processing. One tile a photograph, from its centre. Those that ship are
lossless crops of camera originals, so that the camera's own JPEG data remain;
`assets/real/ATTRIBUTION.csv` names source and licence of each.

Nothing about an attack is tuned on Set-C or by asking a victim. A rehearsal is where its recipe is
chosen: networks trained on Set-B stand in for the victims, and its validation images for Set-C. Its
numbers are no result, and the audit says so, since all sets share their devices.
"""

from __future__ import annotations

import hashlib
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from bench.store import digest
from bench.suites.base import Images, SuiteCard, SuiteSource
from bench.suites.photographs.camera_names import one_spelling
from bench.suites.photographs.cutting import PhotographSource
from bench.suites.photographs.division import Placed
from bench.suites.photographs.layouts import get_layout
from bench.suites.photographs.reading import read_folder
from bench.suites.photographs.scan import Scan, list_images
from bench.types import IN, REAL, SILENT, CamobenchError, Progress, SetName
from bench.wording import listed, plural


@dataclass(frozen=True)
class WithRealPhotographs(PhotographSource):
    """A suite with a split of real photographs.

    Args:
        source: The suite; its own sets stay as they are.
        root: Folder of the photographs, in any layout that a folder suite may have.
        layout: Name of the layout that the suite was told, which is taken where it fits; else it is
            found out.
        skip_bad: Leave unusable files out instead of refusing the folder.
    """

    source: SuiteSource
    root: Path
    _: KW_ONLY
    layout: str | None = None
    skip_bad: bool = False
    progress: Progress = SILENT

    @cached_property
    def card(self) -> SuiteCard:
        """What the suite is.

        Raises:
            ImageError: If files cannot be used; counts them and names the first few.
            CamobenchError: If the suite has a camera model of the photographs already.
        """
        card = self.source.card
        models = tuple(dict.fromkeys(photo.model for photo in self._reading.photos))
        own = (*card.classes, *card.others)
        spelled = one_spelling((*own, *models))
        there = {spelled[name] for name in own}
        if known := sorted(name for name in models if spelled[name] in there):
            raise CamobenchError(
                f"{self.root} has photographs of {listed(known)}, which {card.name} knows: the "
                "split of real photographs is of other camera models"
            )
        number = plural(len(self._reading.photos), "real photograph")
        told = "; ".join(
            (f"{number} of {listed(models)} in the split `{REAL}`", *self._reading.notes)
        )
        return replace(
            card,
            real=models,
            fingerprint=digest(
                {
                    "suite": card.fingerprint,
                    "real": self._reading.files,
                    **({"layout": self._insisted} if self._insisted else {}),
                }
            ),
            note=f"{card.note}; {told}" if card.note else told,
        )

    def count(self, set_name: SetName) -> int:
        """Number of images in a set."""
        return self.source.count(set_name) + super().count(set_name)

    def rows(self, set_name: SetName, workers: int, start: int = 0) -> Images:
        """Yield the suite's own images of a set, then those of the real photographs."""
        own = self.source.count(set_name)
        if start < own:
            yield from self.source.rows(set_name, workers, start)
        for row, pixels in super().rows(set_name, workers, max(0, start - own)):
            image_id, photo_id = f"{REAL}-{row.image_id}", f"{REAL}/{row.photo_id}"
            look = row.look if isinstance(self.source, PhotographSource) else None
            yield replace(row, image_id=image_id, photo_id=photo_id, look=look), pixels

    @property
    def placed(self) -> list[Placed]:
        """The real photographs, all in Set-C."""
        return [
            Placed(photo=photo, set="C", split=REAL, partition="evaluation")
            for photo in self._reading.photos
        ]

    @cached_property
    def _insisted(self) -> str | None:
        if self.layout is None or get_layout(self.layout).share(list_images(self.root)) <= 0.5:
            return None
        return self.layout

    @cached_property
    def _reading(self) -> Scan:
        return read_folder(
            self.root,
            self.source.card.image_px,
            layout=self._insisted,
            skip_bad=self.skip_bad,
            progress=self.progress,
        )


REHEARSAL_PREFIX = "rehearsal:"
VALIDATION = "validation"
NOTE = "a rehearsal on Set-B alone: stand-ins take the victims' places; it chooses recipes"


@dataclass(frozen=True)
class RehearsalSource:
    """Set-B of a suite as all three sets of another."""

    source: SuiteSource

    @cached_property
    def card(self) -> SuiteCard:
        """The suite's card, without the cameras that Set-B lacks."""
        card = self.source.card
        return replace(
            card,
            name=f"{card.name}-rehearsal",
            fingerprint=hashlib.sha256(f"rehearsal {card.fingerprint}".encode()).hexdigest(),
            others=(),
            real=(),
            more_models=(),
            note=f"{NOTE}; {card.note}" if card.note else NOTE,
        )

    def count(self, set_name: SetName) -> int:
        """All of Set-B, or its validation images as Set-C."""
        return self._held_out if set_name == "C" else self.source.count("B")

    def rows(self, set_name: SetName, workers: int, start: int = 0) -> Images:
        """Yield each image of a set from `start` on."""
        pairs = self.source.rows("B", workers, 0 if set_name == "C" else start)
        if set_name == "C":
            kept = (pair for pair in pairs if pair[0].partition == VALIDATION)
            for row, pixels in islice(kept, start, None):
                yield replace(row, set="C", split=IN, partition="evaluation"), pixels
        else:
            for row, pixels in pairs:
                yield replace(row, set=set_name), pixels

    @cached_property
    def _held_out(self) -> int:
        """How many validation images there are; all are made once to know."""
        return sum(row.partition == VALIDATION for row, _ in self.source.rows("B", 1))
