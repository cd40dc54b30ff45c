"""`table`, `claims`, `cards`, `curves`, `survival`, `compare`, `list`: print what is there."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import (
    FORMATS,
    format_option,
    run_argument,
    shared,
    shared_option,
)
from bench.cli.requests import say, show_rows, show_table
from bench.types import SPLITS


@click.command("list")
@click.argument("what", type=click.Choice(["attacks", "victims", "suites", "recipes", "metrics"]))
@shared_option(
    "--format",
    "format_",
    type=click.Choice([*FORMATS.choices, "bib"]),
    default="md",
    show_default=True,
    help="Of the table; bib: BibTeX of the benchmark and of every method.",
)
@click.option("--json", "as_json_", is_flag=True, help="All fields of each, for scripts.")
def list_(what: str, as_json_: bool) -> None:
    """Show what is registered.

    Example: camobench list attacks --json
    """
    from bench.plan.names.listing import listing, open_forms, shown

    rows, format_ = listing(what), shared("format_")
    if format_ == "bib":
        from bench.report.citations import bibtex

        papers = {str(row["name"]): str(row.get("paper") or "") for row in rows}
        click.echo(bibtex(papers if what in ("attacks", "victims") else {}), nl=False)
        return
    full = as_json_ or format_ == "json"
    show_rows(rows if full else shown(what, rows), "json" if full else format_)
    for form in [] if full else open_forms(what):
        say(f"and by name alone: {form}")


@click.command()
@run_argument
@click.option("--split", type=click.Choice([*SPLITS, "all"]), default="all", show_default=True)
@format_option
@click.option(
    "--correct-only",
    is_flag=True,
    help="Table 2 over the images that each victim got right when untouched.",
)
@click.option("--targets", is_flag=True, help="Success by attack, victim and target camera.")
@click.option("--rows", default="", help="Attacks, such as 'cgan-*,identity' [all].")
@click.option("--columns", default="", help="Headings, such as 'TASR*,LPIPS' [all]; for md, tex.")
@click.option("--no-published", is_flag=True, help="Leave the paper's rows out.")
@click.option("--bold-best", is_flag=True, help="Mark the best attack of each column; for md, tex.")
@click.option("--write", is_flag=True, help="Rewrite all tables and the report in DIRECTORY.")
def table(
    directory: Path,
    split: str,
    correct_only: bool,
    targets: bool,
    rows: str,
    columns: str,
    no_published: bool,
    bold_best: bool,
    write: bool,
) -> None:
    """Recompute the tables from the Parquet files in DIRECTORY.

    What is chosen is printed and not written. LaTeX is one float or more, each of which can be read
    in one column of text or, as `table*`, across two.

    Example: camobench table camobench-out --format tex --columns 'TASR*,LPIPS' --no-published
    """
    from bench.records.load import load_run
    from bench.report.cards import clean_accuracy_table
    from bench.report.pages.report import write_all
    from bench.report.tables.choosing import choose
    from bench.report.tables.column import targets_table
    from bench.report.tables.paper import build_table, correct_only_table
    from bench.report.tables.render import render_all

    run = load_run(directory)
    if targets:
        show_table(targets_table(run))
        return
    if correct_only and (write or split not in ("in", "all")):
        raise click.UsageError("--correct-only goes with --split in, and not with --write")
    splits = run.splits if split == "all" else (split,)
    found = [correct_only_table(run)] if correct_only else [build_table(run, s) for s in splits]
    wanted = {
        "rows": [one for one in rows.split(",") if one],
        "columns": [one for one in columns.split(",") if one],
    }
    found = choose(found, **wanted, published=not no_published, bold_best=bold_best)
    beside = [] if correct_only or any(wanted.values()) else [clean_accuracy_table(run)]
    click.echo(render_all([*found, *beside], shared("format_")))
    if write:
        write_all(run)


@click.command()
@run_argument
@format_option
def claims(directory: Path) -> None:
    """Judge the paper's claims on the entries in DIRECTORY: holds, does not hold, not measured.

    Every claim is made of comparisons, each with a 95 % interval over scenes; beside
    the verdict stands that on the paper's own tables. A claim that does not hold is a result.

    Example: camobench claims camobench-out --format json
    """
    from bench.records.load import load_run
    from bench.report.claims.judging import render_claims

    click.echo(render_claims(load_run(directory), shared("format_")), nl=False)


@click.command()
@run_argument
@format_option
def cards(directory: Path) -> None:
    """Say what each victim of a run is worth: clean accuracy, calibration, size, cost, training.

    Example: camobench cards camobench-out --format csv
    """
    from bench.records.load import load_run
    from bench.report.cards import victims_table

    show_table(victims_table(load_run(directory)))


@click.command()
@run_argument
@format_option
def curves(directory: Path) -> None:
    """Say how well each attack does at the same distortion: success at LPIPS 0.04.

    Needs a run that was scored with --strength, such as
    `camobench run --attacks 'cgan-*,controls' --strength 0.25,0.5,0.75`.

    Example: camobench curves camobench-out --format csv
    """
    from bench.records.load import load_run
    from bench.report.conditions.curve_tables import curves_table

    show_table(curves_table(load_run(directory)))


@click.command()
@run_argument
@format_option
def survival(directory: Path) -> None:
    """Say how much of each attack's success is left when its images are saved as JPEG.

    Needs a run that was scored with --recompress, such as
    `camobench run --attacks mislgan,controls --victims 'pef-*' --recompress 70,80,90,95`.

    Example: camobench survival camobench-out --format csv
    """
    from bench.records.load import load_run
    from bench.report.conditions.survival import survival_table

    show_table(survival_table(load_run(directory)))


@click.command()
@run_argument
@click.argument("attacks", nargs=-1, metavar="[ATTACK... | DIRECTORY --ranks]")
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
    directory: Path,
    attacks: tuple[str, ...],
    victim: str | None,
    target: str | None,
    ranks: bool,
    equal: bool,
) -> None:
    """Compare attacks of a run: differences with intervals and p-values.

    An attack alone is compared with doing nothing: the untouched images, asked for every target.
    Names may be patterns such as 'cgan-*'; all pairs are compared. DIR1 DIR2 --ranks, of whatever
    suites and recipes: do both rank the same attacks alike?

    Example: camobench compare camobench-out cgan-img-wdf-pef mislgan
    """
    from bench.report.comparison.contenders import contenders_of, doing_nothing
    from bench.report.comparison.order import order_table
    from bench.report.comparison.pairs import pairs_table
    from bench.report.comparison.ranking import ranks_table

    if ranks and (victim or target):
        raise click.UsageError("--ranks is over all victims and targets")
    if equal and target:
        raise click.UsageError("--equal-distortion is over all targets")
    if ranks and len(attacks) == 1 and Path(attacks[0]).is_dir():
        one, other = (contenders_of(folder, []) for folder in (directory, Path(attacks[0])))
        show_table(order_table(one, other, equal=equal))
        return
    if not ranks and not attacks:
        raise click.UsageError("name the attacks to compare, or ask for --ranks")
    contenders = contenders_of(directory, attacks)
    if ranks:
        found = ranks_table(contenders, equal=equal)
    else:
        contenders += [doing_nothing(one) for one in contenders] if len(contenders) == 1 else []
        found = pairs_table(contenders, victim=victim, target=target, equal=equal)
    show_table(found)
