"""How much of the protocol somebody's copy of the Dresden images holds, by its file names alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from bench.store import file_digest
from bench.suites.dresden.protocol import DRESDEN_V1, Pinned, protocol
from bench.suites.photographs.division import NEEDED
from bench.suites.photographs.layouts import DRESDEN, merged
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

    Attributes:
        complete: Whether all are there.
        classes: The in-distribution models that have photographs for all sets.
        others: The out-of-distribution models that have photographs.
        summary: Found of expected, of each incomplete model.
    """

    def __init__(self, found: Collection[Pinned]) -> None:
        there = Counter((photo.model, protocol()[photo].set) for photo in found)
        wanted = Counter((photo.model, place.set) for photo, place in protocol().items())
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
                if there[model, name] < wanted[model, name]:
                    counts = f"{there[model, name]}/{wanted[model, name]}"
                    lacking[model].append(f"{name} {counts}")
        self.summary = ", ".join(f"{model} ({', '.join(told)})" for model, told in lacking.items())


def require(found: Collection[Pinned], root: Path, inventory: str, *, partial: bool) -> None:
    """Refuse a copy that the suite cannot be made of.

    Args:
        found: Photographs of the protocol.
        root: The copy, for messages.
        inventory: What else it holds, for messages.
        partial: Whether something may be missing.

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
            f"{missing[0].name}.JPG; {expected}; add them, or use what is there with --partial "
            "(`partial=True`)"
        )
    if len(coverage.classes) < 2:
        raise CamobenchError(
            f"{root} has too little of {name}: fewer than two in-distribution models have "
            f"photographs for all sets; {expected}; add photographs, {others}"
        )
