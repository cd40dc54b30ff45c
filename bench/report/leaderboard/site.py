"""The static site: an index, a page per board, a card per attack and per victim.

Plain files that need neither network nor server; the same entries give the same bytes.
"""

from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment

from bench.report.leaderboard.attack_page import attack_page
from bench.report.leaderboard.board_page import board_page
from bench.report.leaderboard.context import Context, make_context, site_environment
from bench.report.leaderboard.heat import cells_csv
from bench.report.leaderboard.links import Files
from bench.report.leaderboard.standing import Standings
from bench.report.leaderboard.submissions import SITE, LeftOut
from bench.report.leaderboard.victim_page import board_cards, victim_page
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
    folder = out / SITE
    environment = site_environment()
    with replacing(folder) as target:
        target.mkdir()
        _write(target / "site.css", environment.get_template("leaderboard/site.css.j2").render())
        _write(target / "site.js", _script())
        index = environment.get_template("leaderboard/index.html.j2")
        page = index.render(root="", boards=boards, left_out=left_out)
        _write(target / "index.html", page)
        files = Files(out, folder, target)
        progress = progress or Silent()
        progress.start("writing pages, boards", len(boards))
        for one in boards:
            place = target / one.board.slug
            place.mkdir(exist_ok=True)
            for name, text in _pages(make_context(one, files), environment):
                _write(place / name, text)
            _write(place / "cells.csv", cells_csv(one))
            progress.advance()
        progress.finish()
    return folder / "index.html"


def _pages(context: Context, environment: Environment) -> Iterator[tuple[str, str]]:
    """File name and text of every page of a board."""

    def page(template: str, values: dict[str, Any]) -> str:
        found = environment.get_template(f"leaderboard/{template}.html.j2")
        return found.render(context.shared() | values)

    yield "index.html", page("board", board_page(context))
    for attack in context.board.run.attacks:
        name = f"attack-{context.attack_slug[attack.name]}.html"
        yield name, page("attack", attack_page(context, attack))
    cards = board_cards(context.board)
    for victim in context.board.run.victims:
        name = f"victim-{context.victim_slug[victim.name]}.html"
        yield name, page("victim", victim_page(context, victim, cards[victim.name]))


def _script() -> str:
    file = resources.files("bench") / "assets" / "leaderboard" / "site.js"
    return file.read_text("utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
