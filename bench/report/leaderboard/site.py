"""The static site: an index, a page per board, a card per attack and per victim.

Plain files that need neither network nor server; the same entries give the same bytes.
"""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from bench.report.leaderboard.cells import cells_csv
from bench.report.leaderboard.files import Files
from bench.report.leaderboard.pages import BoardPages, site_environment
from bench.report.leaderboard.standing import Standings
from bench.report.leaderboard.submissions import SITE, LeftOut
from bench.store import replacing
from bench.types import Progress, Silent


def write_site(
    boards: Sequence[Standings],
    out: Path,
    left_out: Sequence[LeftOut] = (),
    progress: Progress | None = None,
) -> Path:
    """Write the site into `out/leaderboard`, in place of an earlier one.

    Args:
        boards: At least one.
        out: The folder that also holds `leaderboard.md` and its like.
        left_out: Folders that are on no board, for the index.
        progress: Told of every board.

    Returns:
        The index page.
    """
    folder, environment = out / SITE, site_environment()
    script = resources.files("bench") / "assets" / "leaderboard" / "site.js"
    index = environment.get_template("leaderboard/index.html.j2")
    progress = progress or Silent()
    progress.start("writing pages, boards", len(boards))
    with replacing(folder) as target:
        target.mkdir()
        _write(target / "site.css", environment.get_template("leaderboard/site.css.j2").render())
        _write(target / "site.js", script.read_text("utf-8"))
        _write(target / "index.html", index.render(root="", boards=boards, left_out=left_out))
        files = Files(out, folder, target)
        for one in boards:
            place = target / one.board.slug
            place.mkdir(exist_ok=True)
            for name, text in BoardPages(one, files, environment):
                _write(place / name, text)
            _write(place / "cells.csv", cells_csv(one))
            progress.advance()
    progress.finish()
    return folder / "index.html"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
