"""`compare`: attacks against each other."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import format_option


@click.command()
@click.argument(
    "places", nargs=-1, required=True, metavar="DIR ATTACK... | DIR:ATTACK... | DIR DIR --ranks"
)
@click.option("--victim", help="On this victim alone.")
@click.option("--target", help="Sent to this camera model alone; with --victim, McNemar's test.")
@click.option(
    "--ranks", is_flag=True, help="Rank all targeted attacks instead, or those that are named."
)
@click.option(
    "--equal-distortion", "equal", is_flag=True, help="At LPIPS 0.04; needs runs with --strength."
)
@format_option
def compare(
    places: tuple[str, ...],
    victim: str | None,
    target: str | None,
    ranks: bool,
    equal: bool,
    format_: str,
) -> None:
    """Compare attacks of one run, or of several: differences with intervals and p-values.

    An attack alone is compared with doing nothing: the untouched images, asked for every target.
    Names may be patterns such as 'cgan-*'; all pairs are compared. Attacks of two runs (DIR1:A
    DIR2:B) must share suite, recipe, scorer and LPIPS version; means are over the victims that both
    have. DIR1 DIR2 --ranks, of whatever suites and recipes: do both rank the same attacks alike?

    Example: camobench compare camobench-out cgan-img-wdf-pef mislgan
    """
    from bench.report.comparison.contenders import (
        contenders_across,
        contenders_of,
        doing_nothing,
    )
    from bench.report.comparison.order import order_table
    from bench.report.comparison.pairs import pairs_table
    from bench.report.comparison.ranking import ranks_table
    from bench.report.tables.render import render

    if ranks and (victim or target):
        raise click.UsageError("--ranks is over all victims and targets")
    if equal and target:
        raise click.UsageError("--equal-distortion is over all targets")
    folders = [Path(place) for place in places]
    if ranks and len(folders) == 2 and all(folder.is_dir() for folder in folders):
        one, other = (contenders_of(folder, []) for folder in folders)
        click.echo(render(order_table(one, other, equal=equal), format_))
        return
    if folders[0].is_dir():
        names = places[1:]
        if not ranks and not names:
            raise click.UsageError("name the attacks to compare, or ask for --ranks")
        contenders = contenders_of(folders[0], names)
    else:
        contenders = contenders_across([_place(place) for place in places])
    if ranks:
        found = ranks_table(contenders, equal=equal)
    else:
        contenders += [doing_nothing(one) for one in contenders] if len(contenders) == 1 else []
        found = pairs_table(contenders, victim=victim, target=target, equal=equal)
    click.echo(render(found, format_))


def _place(text: str) -> tuple[Path, str]:
    folder, colon, attack = text.rpartition(":")
    if not colon or not folder or not attack:
        raise click.UsageError(f"{text!r} is no folder, and not DIR:ATTACK either")
    return Path(folder), attack
