"""Finding the photographs of the protocol in somebody's copy of the Dresden images."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.store import file_digest
from bench.suites.dresden.protocol import Pinned, protocol
from bench.suites.layouts.dresden import flat_field, merged, parse_dresden
from bench.suites.layouts.naming import PhotoName
from bench.types import CamobenchError

SUFFIXES = (".jpg", ".jpeg")
_LISTED = 12


@dataclass(frozen=True, kw_only=True)
class Copy:
    """What a copy of the database holds, by its file names alone.

    Attributes:
        photos: Where each photograph of the protocol lies; more than one path for duplicates.
        others: Photographs that the protocol does not use, by camera model.
    """

    photos: Mapping[Pinned, tuple[PurePosixPath, ...]]
    others: Counter[str]

    def inventory(self) -> str:
        """All photographs of the copy, counted by camera model."""
        counts = self.others + Counter(photo.model for photo in self.photos)
        listed = [f"{model} ({count})" for model, count in counts.most_common(_LISTED)]
        more = f" and {len(counts) - _LISTED} more" if len(counts) > _LISTED else ""
        return f"photographs by camera model: {', '.join(listed)}{more}" if listed else "none"


def look(paths: Iterable[PurePosixPath]) -> Copy:
    """Tell from the paths of a copy which photographs of the protocol it holds.

    Names are read from both ends; case, blanks, dashes and underscores in a model's name do not
    count. Flat fields bear names like photographs and are told by their folder.
    """
    models = {_plain(photo.model): photo.model for photo in protocol()}
    photos: dict[Pinned, list[PurePosixPath]] = defaultdict(list)
    others: Counter[str] = Counter()
    for path in paths:
        name = parse_dresden(path)
        if name is None or flat_field(path) or path.suffix.lower() not in SUFFIXES:
            continue
        pinned = _pinned(merged(name), models)
        if pinned in protocol():
            photos[pinned].append(path)
        else:
            others[pinned.model] += 1
    return Copy(photos={p: tuple(photos[p]) for p in protocol() if p in photos}, others=others)


def one_path_each(root: Path, copy: Copy) -> dict[Pinned, PurePosixPath]:
    """Choose the first path of each photograph.

    Raises:
        CamobenchError: If two files of one name differ; names both.
    """
    for paths in copy.photos.values():
        if len(paths) > 1 and len({file_digest(root / path) for path in paths}) > 1:
            raise CamobenchError(
                f"{paths[0]} and {paths[1]} in {root} bear one name and differ: remove all but the "
                "file that the camera wrote"
            )
    return {pinned: paths[0] for pinned, paths in copy.photos.items()}


def _pinned(name: PhotoName, models: Mapping[str, str]) -> Pinned:
    model = models.get(_plain(name.model), name.model)
    return Pinned(model=model, device=int(name.device), shot=int(name.shot))


def _plain(model: str) -> str:
    return "".join(letter for letter in model.lower() if letter.isalnum())
