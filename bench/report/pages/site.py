"""The static site: an index, a page per board, a card per attack and per victim.

Plain files that need neither network nor server; the same entries give the same bytes.
"""

import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench.report.leaderboard.boards import slug
from bench.report.leaderboard.standing import Standings
from bench.report.leaderboard.submissions import SITE, LeftOut
from bench.report.pages.board_pages import BoardPages
from bench.report.pages.environment import render_page
from bench.store import replacing, write_text
from bench.types import SILENT, Progress, tracked


def write_site(
    boards: Sequence[Standings],
    out: Path,
    left_out: Sequence[LeftOut] = (),
    progress: Progress = SILENT,
) -> Path:
    """Write the site into `out/leaderboard`, in place of an earlier one; returns its index page.

    `out` also holds `leaderboard.md` and its like, to which the index links.
    """
    folder = out / SITE
    values: dict[str, object] = {"root": "", "boards": boards, "left_out": left_out}
    with replacing(folder) as target:
        target.mkdir()
        for name in ("site.css", "site.js", "index.html"):
            write_text(target / name, render_page(name, **values))
        for one in tracked(boards, "writing pages, boards", progress):
            place = target / one.board.slug
            place.mkdir(exist_ok=True)
            for name, text in BoardPages(one, partial(_link, folder / one.board.slug, place)):
                write_text(place / name, text)
    return folder / "index.html"


def _link(board: Path, made: Path, folder: str, path: Path) -> str:
    """The address of a file of an entry `folder`, seen from a board's pages.

    What lies below the folder of the site's folder is linked where it is; everything else is
    copied beside the pages (`made`, until they replace `board`), so that the folder as a whole can
    be moved or put on a server.

    Raises:
        ValueError: If it is a symbolic link, which could publish any file of this machine.
    """
    if path.is_symlink():
        raise ValueError(f"{path} is a symbolic link; put the file itself there")
    found, site = path.resolve(), board.parent.resolve()
    if found.is_relative_to(site.parent) and not found.is_relative_to(site):
        return Path(os.path.relpath(found, board.resolve())).as_posix()
    copied = Path("files") / slug(folder) / path.name
    if not (made / copied).exists():
        (made / copied).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, made / copied)
    return copied.as_posix()
