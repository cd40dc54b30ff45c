"""What a file name means: `IMAGEID__TARGET.png`, or `IMAGEID.png` of an untargeted method."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Set
from functools import partial
from pathlib import PurePosixPath
from typing import TypeAlias

from bench.challenge.export import BETWEEN, MANIFEST, README
from bench.challenge.findings import Kind, RefusedError, close_match

Place: TypeAlias = tuple[str, str | None]
"""Opaque id and target of one anonymised image."""
SURPLUS = Kind("surplus file", "note", "ignored; if it is an answer, name it as the README says")
MISNAMED = Kind(
    "file named almost as asked", "error", "name it IMAGEID__TARGET.png, or IMAGEID.png"
)
SUFFIX = ".png"
IMAGE_SUFFIXES = (
    *(SUFFIX, ".jpg", ".jpeg", ".jfif", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".heic"),
)
JUNK = {"thumbs.db", "desktop.ini", MANIFEST, README.lower()}
"""What file managers leave behind, and what we sent ourselves."""
_ID = re.compile(r"(?=(c[0-9a-f]{16}))")  # as `Challenge.opaque` makes it
_normal = partial(unicodedata.normalize, "NFC")  # archives of some systems hold decomposed letters


def parse_name(name: str, ids: Set[str], targets: Collection[str]) -> Place:
    """Id and target of a file name; id and suffix in any case, for some file systems change it.

    Raises:
        RefusedError: If it tells no image; `MISNAMED` if it is an image's all the same and holds an
            id, `SURPLUS` if it was not meant as an answer.
    """
    name, classes = _normal(name), {_normal(one): one for one in targets}
    stem, dot, suffix = name.rpartition(".")
    opaque, between, target = stem.partition(BETWEEN)
    is_png, is_known = f"{dot}{suffix}".lower() == SUFFIX, opaque.lower() in ids
    if is_png and is_known and (not between or target in classes):
        return opaque.lower(), classes[target] if between else None
    if not name.lower().endswith(IMAGE_SUFFIXES) or ids.isdisjoint(_ID.findall(name.lower())):
        raise RefusedError(SURPLUS, "no such id" if is_png else f"not named {SUFFIX}")
    if is_png and is_known:
        raise RefusedError(MISNAMED, f"no such target{close_match(target, targets)}")
    raise RefusedError(MISNAMED, f"not IMAGEID{BETWEEN}TARGET{SUFFIX}")


def is_junk(path: str) -> bool:
    """Whether a file is what file managers and archivers leave, or what we sent ourselves."""
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return hidden or parts[-1:] == () or parts[-1].lower() in JUNK
