"""`dresden-v1` from a local copy of the Dresden images, and how much of the protocol a copy holds.

What it holds is told by its file names alone. One central crop of 512 x 512 pixels a photograph, on
even offsets, which keep the colour filter array's grid; photographs are never rotated.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from bench.store import digest, file_digest
from bench.suites.base import SHARED_SCENES, Images, SuiteCard
from bench.suites.dresden.protocol import DRESDEN_V1, as_listed, protocol, stem_of
from bench.suites.photographs.cutting import PhotographSource, central_corner
from bench.suites.photographs.division import NEEDED, Placed
from bench.suites.photographs.layouts import DRESDEN, PhotoName
from bench.suites.photographs.scan import Photo, list_images, scan
from bench.types import IN, OUT, SETS, SILENT, CamobenchError, Progress, SetName
from bench.wording import listed

SUFFIXES = (".jpg", ".jpeg")
_LISTED = 12


def look(root: Path) -> tuple[dict[PhotoName, PurePosixPath], str]:
    """Tell from the names in a copy of the database which photographs of the protocol it holds.

    Names are read from both ends. Flat fields bear names like photographs and are told by their
    folder.

    Returns:
        Where each lies, in the order of the protocol, and for people what the copy holds in all.

    Raises:
        CamobenchError: If files of one name differ; names the first few.
    """
    found: dict[PhotoName, list[PurePosixPath]] = defaultdict(list)
    for path in list_images(root):
        name = DRESDEN.photo(path)
        if name and path.suffix.lower() in SUFFIXES:
            found[replace(as_listed(name), shot=str(int(name.shot)))].append(path)
    counts = Counter(photo.model for photo in found)
    told = listed((f"{model} ({count})" for model, count in counts.most_common()), _LISTED)
    photos = {photo: found[photo] for photo in protocol() if photo in found}
    several = [paths for paths in photos.values() if len(paths) > 1]
    if differ := [some for some in several if len({file_digest(root / p) for p in some}) > 1]:
        raise CamobenchError(
            f"{listed(' and '.join(map(str, some)) for some in differ)} in {root} bear one name "
            "and differ: remove all but the file that the camera wrote"
        )
    inventory = f"photographs by camera model: {told}" if told else "none"
    return {photo: paths[0] for photo, paths in photos.items()}, inventory


class Coverage:
    """How many photographs of the protocol were found of those expected, by model and set.

    Attributes:
        complete: Whether all are there.
        classes: The in-distribution models that have photographs for all sets.
        others: The out-of-distribution models that have photographs.
        summary: Found of expected, of each incomplete model.
    """

    def __init__(self, found: Collection[PhotoName]) -> None:
        there = Counter((photo.model, protocol()[photo]) for photo in found)
        wanted = Counter((photo.model, name) for photo, name in protocol().items())
        self.complete = there == wanted
        self.classes = tuple(
            model
            for model in DRESDEN_V1.models_in
            if all(there[model, name] >= NEEDED[name] for name in SETS)
        )
        self.others = tuple(model for model in DRESDEN_V1.models_out if there[model, "C"])
        lacking: dict[str, list[str]] = defaultdict(list)
        for model in DRESDEN_V1.models_in + DRESDEN_V1.models_out:
            for name in SETS:
                if (count := there[model, name]) < wanted[model, name]:
                    lacking[model].append(f"{name} {count}/{wanted[model, name]}")
        self.summary = ", ".join(f"{model} ({', '.join(told)})" for model, told in lacking.items())


def require(found: Collection[PhotoName], root: Path, inventory: str, *, partial: bool) -> Coverage:
    """Refuse a copy that the suite cannot be made of; `inventory` tells what else it holds.

    Raises:
        CamobenchError: If something is missing and `partial` was not asked for, or if what is there
            makes no two classes.
    """
    name, coverage = DRESDEN_V1.name, Coverage(found)
    others = f"or make a suite of the cameras that are there: `folder:{root}`"
    if not found:
        raise CamobenchError(
            f"{root} holds no photograph of the twelve camera models of {name}; found {inventory}. "
            f"Check --root, {others}"
        )
    expected = f"found of expected: {coverage.summary}"
    if not partial and not coverage.complete:
        there = set(found)
        missing = [photo for photo in protocol() if photo not in there]
        raise CamobenchError(
            f"{root} lacks {len(missing)} of the {len(protocol())} photographs of {name}, such as "
            f"{stem_of(missing[0])}.JPG; {expected}; add them, or use what is there with --partial "
            "(`partial=True`)"
        )
    if len(coverage.classes) < 2:
        raise CamobenchError(
            f"{root} has too little of {name}: fewer than two in-distribution models have "
            f"photographs for all sets; {expected}; add photographs, {others}"
        )
    return coverage


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
    """

    root: Path
    _: KW_ONLY
    partial: bool = False
    progress: Progress = SILENT

    @cached_property
    def card(self) -> SuiteCard:
        """What the suite is; its fingerprint hashes protocol and photographs, not where they lie.

        Raises:
            ImageError: If photographs cannot be used; counts them and names the first few.
            CamobenchError: If photographs are missing; shows which models lack how many.
        """
        photos, covered = self._found
        note = CHOICES_NOTE
        if not covered.complete:
            known = {*DRESDEN_V1.models_in, *DRESDEN_V1.models_out}
            absent = known - {*covered.classes, *covered.others}
            left = f"; left out: {', '.join(sorted(absent))}" if absent else ""
            note = (
                "WARNING, INCOMPLETE copy of the Dresden images, not the paper's protocol: found "
                f"of expected: {covered.summary}{left}; {CHOICES_NOTE}"
            )
        return SuiteCard(
            name=DRESDEN_V1.name,
            version=DRESDEN_V1.version,
            fingerprint=digest(
                {
                    "source": "dresden",
                    "spec": DRESDEN_V1,
                    "files": [(stem_of(name), photo.sha256) for name, photo in photos.items()],
                }
            ),
            classes=covered.classes,
            others=covered.others,
            image_px=DRESDEN_V1.image_px,
            note=note,
        )

    def rows(self, set_name: SetName, workers: int, start: int = 0) -> Images:
        """Yield the crops of a set from `start` on, named as the database names them."""
        names = {photo.path.as_posix(): stem_of(name) for name, photo in self._found[0].items()}
        for row, pixels in super().rows(set_name, workers, start):
            name = names[row.photo_id]
            yield replace(row, photo_id=name, image_id=name), pixels

    @cached_property
    def _found(self) -> tuple[Mapping[PhotoName, Photo], Coverage]:
        """Photographs of the protocol that can be used, in its order; how much of it they are."""
        paths, inventory = look(self.root)
        require(paths, self.root, inventory, partial=self.partial)
        found = scan(
            self.root,
            {path: name for name, path in paths.items()},
            DRESDEN,
            DRESDEN_V1.image_px,
            skip_bad=self.partial,
            remedy=REMEDY,
            progress=self.progress,
        )
        if found.copies and not self.partial:
            raise CamobenchError(
                f"{listed(map(str, found.copies))} in {self.root}: the bytes of another "
                "photograph; replace each with the file that the camera wrote, or leave them out "
                f"with {REMEDY}"
            )
        usable = {photo.path: photo for photo in found.photos}
        photos = {name: usable[path] for name, path in paths.items() if path in usable}
        return photos, require(photos, self.root, inventory, partial=self.partial)

    @cached_property
    def placed(self) -> list[Placed]:
        """The photographs of all sets, where the protocol wants them.

        Models without enough are left out. One in ten of each model in Set-A and in Set-B is for
        validation, alike in every copy.
        """
        photos, covered = self._found
        groups: dict[tuple[str, SetName], list[PhotoName]] = defaultdict(list)
        for name in photos:
            if name.model in covered.classes + covered.others:
                groups[name.model, protocol()[name]].append(name)
        placed = []
        for (model, at), group in groups.items():
            split = IN if model in covered.classes else OUT
            drawn = sorted(group, key=lambda n: digest([DRESDEN_V1.seed, "validation", stem_of(n)]))
            held_out = drawn[: max(1, round(DRESDEN_V1.validation_fraction * len(group)))]
            for name in group:
                trained = "validation" if name in held_out else "train"
                partition = "evaluation" if at == "C" else trained
                place = Placed(photo=photos[name], set=at, split=split, partition=partition)
                placed.append(place)
        return placed

    def corners(self, photo: Photo, count: int) -> list[tuple[int, int]]:
        """The centre."""
        return [central_corner(photo.width, photo.height, DRESDEN_V1.image_px)]
