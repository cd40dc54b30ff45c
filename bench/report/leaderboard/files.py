"""Names from strangers as names of files, and where the pages find the files of entry folders."""

import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path


def slug(name: str) -> str:
    """A file name of lower-case letters, digits, dots and dashes, marked where that loses some.

    Two names never give one file, whatever is in them.
    """
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "unnamed"
    if plain == name and len(plain) <= 80:
        return plain
    return f"{plain[:60]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def slugs(names: Sequence[str]) -> list[str]:
    """One a name; a name that is there again gets a number."""
    found: list[str] = []
    for name in map(slug, names):
        again = sum(name == other.partition("--")[0] for other in found)
        found.append(f"{name}--{again + 1}" if again else name)
    return found


class Files:
    """Addresses of entry files, relative to a board's pages.

    What lies below the folder that the site is written to is linked where it is; everything else
    is copied beside the pages, so that the folder as a whole can be moved or put on a server.
    """

    def __init__(self, out: Path, site: Path, target: Path) -> None:
        """Args: the folder of the site's folder; the site as it will be; the site as it is made."""
        self._out, self._site, self._target = out.resolve(), site.resolve(), target

    def link(self, board: str, folder: str, path: Path) -> str:
        """The address of a file of an entry folder, seen from a board's pages.

        Raises:
            ValueError: If it is a symbolic link, which could publish any file of this machine.
        """
        if path.is_symlink():
            raise ValueError(f"{path} is a symbolic link; put the file itself there")
        found = path.resolve()
        if found.is_relative_to(self._out) and not found.is_relative_to(self._site):
            return Path(os.path.relpath(found, self._site / board)).as_posix()
        copied = Path("files") / slug(folder) / path.name
        place = self._target / board / copied
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        return copied.as_posix()
