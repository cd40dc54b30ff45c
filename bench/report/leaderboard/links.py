"""Where the site's pages find the files of an entry folder."""

import os
import shutil
from pathlib import Path

from bench.report.leaderboard.boards import Board
from bench.report.leaderboard.slugs import slug


class Files:
    """Addresses of entry files, relative to a board's pages.

    What lies below the folder that the site is written to is linked where it is; everything else
    is copied beside the pages, so that the folder as a whole can be moved or put on a server.
    """

    def __init__(self, out: Path, site: Path, target: Path) -> None:
        """Args: the folder of the site's folder; the site as it will be; the site as it is made."""
        self._out, self._site, self._target = out.resolve(), site.resolve(), target

    def link(self, board: Board, folder: str, path: Path) -> str:
        """The address of a file of an entry folder, seen from the board's pages.

        Raises:
            ValueError: If it is a symbolic link, which could publish any file of this machine.
        """
        if path.is_symlink():
            raise ValueError(f"{path} is a symbolic link; put the file itself there")
        pages = self._site / board.slug
        found = path.resolve()
        if found.is_relative_to(self._out) and not found.is_relative_to(self._site):
            return Path(os.path.relpath(found, pages)).as_posix()
        copied = Path("files") / slug(folder) / path.name
        place = self._target / board.slug / copied
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        return copied.as_posix()
