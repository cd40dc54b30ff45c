"""What a file name means: `IMAGEID__TARGET.png`, or `IMAGEID.png` of an untargeted method."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath
from typing import TypeAlias

from bench.challenge.findings import Kind, RefusedError
from bench.challenge.instructions import BETWEEN, MANIFEST, README
from bench.wording import near

Place: TypeAlias = tuple[str, str | None]
"""Opaque id and target of one anonymised image."""

SURPLUS = Kind("surplus file", "note", "ignored; if it is an answer, name it as the README says")
MISNAMED = Kind(
    "file named almost as asked", "error", "name it IMAGEID__TARGET.png, or IMAGEID.png"
)
SUFFIX = ".png"
IMAGE_SUFFIXES = (SUFFIX, ".jpg", ".jpeg", ".jfif", ".tif", ".tiff", ".bmp", ".webp", ".gif")
JUNK = {"thumbs.db", "desktop.ini", MANIFEST, README.lower()}
"""What file managers leave behind, and what we sent ourselves."""
_ID = re.compile(r"(?=(c[0-9a-f]{16}))", re.IGNORECASE)  # as `Challenge.opaque` makes it


def parse_name(name: str, ids: Collection[str], targets: Collection[str]) -> Place:
    """Id and target of a file name; id and suffix in any case, for some file systems change it.

    Args:
        name: Of the file.
        ids: Of the challenge.
        targets: Classes of the suite.

    Raises:
        RefusedError: If it tells no image; says whether it was meant as an answer all the same.
    """
    name, classes = _normal(name), {_normal(one): one for one in targets}
    stem, suffix = name[: -len(SUFFIX)], name[-len(SUFFIX) :].lower()
    opaque, between, target = stem.partition(BETWEEN)
    if suffix == SUFFIX and opaque.lower() in ids and (not between or target in classes):
        return opaque.lower(), classes[target] if between else None
    known = next((one for one in _ID.finditer(name) if one[1].lower() in ids), None)
    after = name[known.end(1) :] if known else ""
    is_image = name.lower().endswith(IMAGE_SUFFIXES)
    if known is None or not (is_image or after.startswith(BETWEEN)):
        raise RefusedError(SURPLUS, "no such id" if suffix == SUFFIX else f"not named {SUFFIX}")
    if suffix != SUFFIX:
        raise RefusedError(MISNAMED, "no PNG: save what the method makes as one")
    if opaque.lower() in ids:
        raise RefusedError(MISNAMED, f"no such target{close_match(target, targets)}")
    raise RefusedError(MISNAMED, f"nothing goes before the id, and {BETWEEN}TARGET after it")


def is_junk(path: str) -> bool:
    """Whether a file is what file managers and archivers leave, or what we sent ourselves."""
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return hidden or parts[-1:] == () or parts[-1].lower() in JUNK


def close_match(name: str, known: Iterable[str]) -> str:
    """`, did you mean X?` where a known name is close, else nothing."""
    names = list(known)
    close = [one for one in names if one.casefold() == name.casefold()] or near(name, names)
    return f", did you mean {close[0]}?" if close else ""


def _normal(name: str) -> str:
    """Archives of some systems hold decomposed letters."""
    return unicodedata.normalize("NFC", name)
