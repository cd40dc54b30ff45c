"""`leaderboard`: entry folders as ranked tables and a site."""

from __future__ import annotations

import os
from pathlib import Path

import click

from bench.cli.options import FOLDER, format_option, quiet_option, shared
from bench.cli.requests import say, watched
from bench.types import CamobenchError, tracked


@click.command()
@click.argument("results", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=FOLDER,
    default=Path("results"),
    show_default=True,
    help="Where leaderboard.{md,csv,tex,json} and the site in leaderboard/ go.",
)
@format_option
@quiet_option
def leaderboard(results: tuple[Path, ...], out: Path) -> None:
    """Rank the entries in all folders below RESULTS [results], and write tables and a site.

    Entries share a table only if suite, recipe, scorer, LPIPS, precision and the victims' networks
    agree; the others get a board of their own, which says why. Every folder is checked first as
    `verify` checks its rows; one that does not hold what it says is left out and named, and the
    exit code is 1. What another command made of other RESULTS is never replaced. The site needs no
    network: open OUT/leaderboard/index.html.

    Example: camobench leaderboard results camobench-out --out board
    """
    from bench.report.leaderboard.board_tables import render_boards
    from bench.report.leaderboard.boards import load_boards
    from bench.report.leaderboard.standing import build_standings
    from bench.report.leaderboard.submissions import SITE
    from bench.report.pages.site import write_site
    from bench.store import write_text
    from bench.store.outputs import note_own, require_own
    from bench.wording import plural

    missing = [str(path) for path in results if not path.exists()]
    if missing:
        raise click.BadParameter(f"there is no {', '.join(missing)}")
    results = results or (Path("results"),)
    made_of = {"results": sorted({os.path.relpath(one, out) for one in results})}
    files = {suffix: out / f"{SITE}.{suffix}" for suffix in ("md", "csv", "tex", "json")}
    require_own(out, SITE, made_of, [SITE, *(path.name for path in files.values())])
    with watched() as progress:
        boards, left_out = load_boards(results, progress)
        refused = "; ".join(map(str, left_out))
        if not boards:
            raise CamobenchError(f"nothing can be shown: {refused}")
        ranked = tracked(boards, "ranking attacks, boards", progress)
        standings = [build_standings(board) for board in ranked]
        note_own(out, SITE, made_of)
        page = write_site(standings, out, left_out, progress)
    texts = {suffix: render_boards(standings, suffix, left_out) for suffix in files}
    for suffix, path in files.items():
        write_text(path, texts[suffix])
    click.echo(texts[shared("format_")], nl=False)
    stem = out / "leaderboard"
    say(f"{plural(len(standings), 'board')}: {page}, and {stem}.md, .csv, .tex and .json")
    if left_out:
        raise CamobenchError(f"left out: {refused}")
