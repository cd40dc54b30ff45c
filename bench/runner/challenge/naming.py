"""What a file name means: `IMAGEID__TARGET.png`, or `IMAGEID.png` of an untargeted method."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from bench.runner.challenge.manifest import BETWEEN, MANIFEST, README
from bench.wording import near

SUFFIX = ".png"
JUNK = {"thumbs.db", "desktop.ini", MANIFEST, README.lower()}
"""What file managers leave behind, and what we sent ourselves."""


IMAGE_SUFFIXES = (
    SUFFIX,
    ".jpg",
    ".jpeg",
    ".jfif",
    ".tif",
    ".tiff",
    ".bmp",
    ".webp",
    ".gif",
    ".ppm",
)
_ID = re.compile(r"(?=(c[0-9a-f]{16}))", re.IGNORECASE)  # as `Challenge.opaque` makes it


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A file name that tells no image.

    Attributes:
        why: For people.
        meant: Whether it is an image with an id of the challenge in its name, so that its sender
            will have meant it as an answer.
    """

    why: str
    meant: bool


class Names:
    """Reads file names.

    Args:
        ids: Of the challenge.
        targets: Classes of the suite.
    """

    def __init__(self, ids: Iterable[str], targets: Iterable[str]) -> None:
        self.ids, self.targets = frozenset(ids), tuple(targets)
        self._target = {_normal(name): name for name in self.targets}

    def parse(self, name: str) -> tuple[str, str | None] | Unread:
        """(id, target) of a file name, or why it is none of ours.

        The id and the suffix are read in any case, for some file systems change it.
        """
        name = _normal(name)
        if not name.lower().endswith(SUFFIX):
            return self._unread(name, f"not named {SUFFIX}")
        opaque, between, target = name[: -len(SUFFIX)].partition(BETWEEN)
        if opaque.lower() not in self.ids:
            return self._unread(name, "no such id")
        if not between:
            return opaque.lower(), None
        if target not in self._target:
            return self._unread(name, f"no such target{close_match(target, self.targets)}")
        return opaque.lower(), self._target[target]

    def _unread(self, name: str, why: str) -> Unread:
        known = [found for found in _ID.finditer(name) if found[1].lower() in self.ids]
        begins = bool(known) and name[known[0].end(1) :].startswith(BETWEEN)
        meant = bool(known) and (begins or name.lower().endswith(IMAGE_SUFFIXES))
        if meant and not name.lower().endswith(SUFFIX):
            why = "no PNG: save what the method makes as one"
        if meant and why == "no such id":
            after = name[known[0].end(1) : -len(SUFFIX)]
            why = "two underscores go between id and target"
            if known[0].start():
                why = "the id goes first"
            elif not after.startswith("_"):
                why = f"nothing but {BETWEEN}TARGET goes after the id"
        return Unread(why=why, meant=meant)


def is_junk(path: str) -> bool:
    """Whether a file is what file managers and archivers leave, or what we sent ourselves."""
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return hidden or parts[-1].lower() in JUNK


def close_match(name: str, known: Iterable[str]) -> str:
    """`, did you mean X?` where a known name is close, else nothing."""
    names = list(known)
    close = [one for one in names if one.casefold() == name.casefold()] or near(name, names)
    return f", did you mean {close[0]}?" if close else ""


def _normal(name: str) -> str:
    """Archives of some systems hold decomposed letters."""
    return unicodedata.normalize("NFC", name)
