"""How much of the protocol somebody's copy of the Dresden images holds, by its file names alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from bench.store import file_digest
from bench.suites.dresden.protocol import DRESDEN_V1, Pinned, protocol
from bench.suites.layouts import DRESDEN, merged
from bench.suites.photographs.division import NEEDED
from bench.suites.photographs.scan import list_images
from bench.types import SETS, CamobenchError
from bench.wording import listed

SUFFIXES = (".jpg", ".jpeg")
_LISTED = 12


def look(root: Path) -> tuple[dict[Pinned, PurePosixPath], str]:
    """Tell from the names in a copy of the database which photographs of the protocol it holds.

    Names are read from both ends; case, blanks, dashes and underscores in a model's name do not
    count. Flat fields bear names like photographs and are told by their folder.

    Returns:
        Where each lies, in the order of the protocol, and for people what the copy holds in all.

    Raises:
        CamobenchError: If two files of one name differ; names both.
    """
    models = {_plain(photo.model): photo.model for photo in protocol()}
    found: dict[Pinned, list[PurePosixPath]] = defaultdict(list)
    for path in list_images(root):
        name = DRESDEN.photo(path)
        if name and path.suffix.lower() in SUFFIXES:
            name = merged(name)
            model = models.get(_plain(name.model), name.model)
            found[Pinned(model, int(name.device), int(name.shot))].append(path)
    counts = Counter(photo.model for photo in found)
    told = listed((f"{model} ({count})" for model, count in counts.most_common()), _LISTED)
    photos = {photo: found[photo] for photo in protocol() if photo in found}
    for paths in photos.values():
        if len(paths) > 1 and len({file_digest(root / path) for path in paths}) > 1:
            raise CamobenchError(
                f"{paths[0]} and {paths[1]} in {root} bear one name and differ: remove all but the "
                "file that the camera wrote"
            )
    inventory = f"photographs by camera model: {told}" if told else "none"
    return {photo: paths[0] for photo, paths in photos.items()}, inventory


def _plain(model: str) -> str:
    return "".join(letter for letter in model.lower() if letter.isalnum())


class Coverage:
    """Photographs found and expected, by camera model and set.

    Args:
        found: Photographs of the protocol.
    """

    def __init__(self, found: Collection[Pinned]) -> None:
        places = protocol()
        self._found = Counter((photo.model, places[photo].set) for photo in found)
        self._expected = Counter((photo.model, place.set) for photo, place in places.items())
        self.complete = self._found == self._expected
        self.classes = tuple(
            model
            for model in DRESDEN_V1.models_in
            if all(self._found[model, name] >= NEEDED[name] for name in SETS)
        )
        """The in-distribution models that have photographs for all sets."""
        self.others = tuple(model for model in DRESDEN_V1.models_out if self._found[model, "C"])
        """The out-of-distribution models that have photographs."""

    def summary(self) -> str:
        """Found of expected, of each incomplete model."""
        incomplete = []
        for model in DRESDEN_V1.models_in + DRESDEN_V1.models_out:
            counts = [(s, self._found[model, s], self._expected[model, s]) for s in SETS]
            lacking = [f"{s} {found}/{all_}" for s, found, all_ in counts if found < all_]
            incomplete += [f"{model} ({', '.join(lacking)})"] if lacking else []
        return ", ".join(incomplete)


def require(found: Collection[Pinned], root: Path, inventory: str, *, partial: bool) -> None:
    """Refuse a copy that the suite cannot be made of.

    Args:
        found: Photographs of the protocol.
        root: The copy, for messages.
        inventory: What else it holds, for messages.
        partial: Whether something may be missing.

    Raises:
        CamobenchError: If it holds nothing of the protocol, if something is missing and `partial`
            was not asked for, or if what is there makes no two classes.
    """
    name, coverage = DRESDEN_V1.name, Coverage(found)
    if not found:
        raise CamobenchError(
            f"{root} holds no photograph of the twelve camera models of {name}; found {inventory}. "
            f"Check --root, or make a suite of the cameras that are there: `folder:{root}`"
        )
    if not partial and not coverage.complete:
        there = set(found)
        missing = [photo for photo in protocol() if photo not in there]
        raise CamobenchError(
            f"{root} lacks {len(missing)} of the {len(protocol())} photographs of {name}, such as "
            f"{missing[0].name}.JPG; found of expected: {coverage.summary()}; add them, or use "
            "what is there with --partial (`partial=True`)"
        )
    if len(coverage.classes) < 2:
        raise CamobenchError(
            f"{root} has too little of {name}: fewer than two in-distribution models have "
            f"photographs for all sets; found of expected: {coverage.summary()}; add photographs, "
            f"or make a suite of the cameras that are there: `folder:{root}`"
        )
