"""`dresden-v1` from a local copy of the Dresden images.

One central crop of 512 x 512 pixels a photograph, on even offsets, which keep the colour filter
array's grid; photographs are never rotated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from pathlib import Path

from bench.store import digest
from bench.suites.base import SHARED_SCENES, Images, SuiteCard
from bench.suites.dresden.coverage import Coverage, look, require
from bench.suites.dresden.protocol import DRESDEN_V1, Pinned, Place, protocol
from bench.suites.photographs.cutting import PhotographSource, central_corner
from bench.suites.photographs.division import Placed
from bench.suites.photographs.layouts import DRESDEN, PhotoName
from bench.suites.photographs.scan import Photo, scan
from bench.types import CamobenchError, Progress, SetName

CHOICES_NOTE = (
    "Dresden devices: Set-A 2 and 3, Set-B 0 and 1, Set-C 4, out of distribution 2; Set-C is the "
    "first 100 photographs of a device by shot number, as the paper does not say which 100; "
    f"{SHARED_SCENES}"
)
REMEDY = "--partial (`partial=True`)"


@dataclass(frozen=True)
class DresdenSource(PhotographSource):
    """The paper's protocol on a copy of the database.

    The copy is read when the card is first asked for.

    Args:
        root: The folder of the copy; photographs may lie in folders below it.
        partial: Use what is there when the copy is not complete; the note then says what is not.
        progress: Told of each file as the copy is read.
    """

    root: Path
    _: KW_ONLY
    partial: bool = False
    progress: Progress | None = None

    @cached_property
    def card(self) -> SuiteCard:
        """What the suite is; its fingerprint hashes protocol and photographs, not where they lie.

        Raises:
            ImageError: If photographs cannot be used; counts them and names the first few.
            CamobenchError: If photographs are missing; shows which models lack how many.
        """
        covered = Coverage(self._photos)
        files = [(pinned.name, photo.sha256) for pinned, photo in self._photos.items()]
        return SuiteCard(
            name=DRESDEN_V1.name,
            version=DRESDEN_V1.version,
            fingerprint=digest({"source": "dresden", "spec": DRESDEN_V1, "files": files}),
            classes=covered.classes,
            others=covered.others,
            image_px=DRESDEN_V1.image_px,
            note=_note(covered),
        )

    def rows(self, set_name: SetName, workers: int, start: int = 0) -> Images:
        """Yield the crops of a set from `start` on, named as the database names them."""
        names = {photo.path.as_posix(): pinned.name for pinned, photo in self._photos.items()}
        for row, pixels in super().rows(set_name, workers, start):
            name = names[row.photo_id]
            yield replace(row, photo_id=name, image_id=name), pixels

    @cached_property
    def _photos(self) -> Mapping[Pinned, Photo]:
        """The photographs of the protocol that can be used, in its order."""
        paths, inventory = look(self.root)
        require(paths, self.root, inventory, partial=self.partial)
        names = {
            path: PhotoName(model=pinned.model, device=str(pinned.device), shot=str(pinned.shot))
            for pinned, path in paths.items()
        }
        found = scan(
            self.root,
            names,
            DRESDEN,
            DRESDEN_V1.image_px,
            skip_bad=self.partial,
            remedy=REMEDY,
            progress=self.progress,
        )
        if found.copies and not self.partial:
            raise CamobenchError(
                f"{found.copies[0]} in {self.root} has the bytes of another photograph: replace "
                f"it with the file that the camera wrote, or leave it out with {REMEDY}"
            )
        usable = {photo.path: photo for photo in found.photos}
        photos = {pinned: usable[path] for pinned, path in paths.items() if path in usable}
        require(photos, self.root, inventory, partial=self.partial)
        return photos

    @cached_property
    def placed(self) -> list[Placed]:
        """The photographs of all sets."""
        return place(self._photos)

    def corners(self, photo: Photo, count: int) -> list[tuple[int, int]]:
        """The centre."""
        return [central_corner(photo.width, photo.height, DRESDEN_V1.image_px)]


def place(photos: Mapping[Pinned, Photo]) -> list[Placed]:
    """Put photographs where the protocol wants them; models without enough are left out.

    One in ten of each model in Set-A and in Set-B is for validation, alike in every copy.
    """
    covered = Coverage(photos)
    groups: dict[tuple[str, Place], list[Pinned]] = defaultdict(list)
    for pinned in photos:
        if pinned.model in covered.classes + covered.others:
            groups[pinned.model, protocol()[pinned]].append(pinned)
    placed = []
    for (_, at), group in groups.items():
        drawn = sorted(group, key=lambda p: digest([DRESDEN_V1.seed, "validation", p.name]))
        held_out = drawn[: max(1, round(DRESDEN_V1.validation_fraction * len(group)))]
        for pinned in group:
            trained = "validation" if pinned in held_out else "train"
            partition = "evaluation" if at.set == "C" else trained
            placed.append(Placed(photo=photos[pinned], **at._asdict(), partition=partition))
    return placed


def _note(covered: Coverage) -> str:
    if covered.complete:
        return CHOICES_NOTE
    absent = {*DRESDEN_V1.models_in, *DRESDEN_V1.models_out} - {*covered.classes, *covered.others}
    left = f"; left out: {', '.join(sorted(absent))}" if absent else ""
    return (
        f"WARNING, INCOMPLETE copy of the Dresden images, not the paper's protocol: found of "
        f"expected: {covered.summary}{left}; {CHOICES_NOTE}"
    )
