"""From the options of a verb to the things it works on; how a verb speaks."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from rich.console import Console

from bench.cli.options import FOLDER_OPTIONS, shared
from bench.types import SILENT, CamobenchError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bench.plan.request import Request
    from bench.records.run import RunData
    from bench.report.tables.table import Table
    from bench.store import Store
    from bench.suites.base import Suite, SuiteSource
    from bench.types import Json, Progress
    from bench.verdicts import Verdict

console = Console(stderr=True, highlight=False)


def make_request(
    suite: str,
    attacks: str | Sequence[str],
    victims: str | Sequence[str],
    *,
    recipe: str,
    front_end: str | None = None,
    keep_fp32: str = "",
    recompress: str = "",
    strengths: str = "",
    progress: Progress = SILENT,
    store: Store | None = None,
    resent: str | None = None,
    from_scratch: bool = False,
    **choices: Any,
) -> Request:
    """A request from names, patterns and options as people give them.

    With a `store`, the rows that were sent to it are attacks for as long as the verb runs, but for
    the one that is `resent`.
    """
    from bench.jobs.scoring.condition import parse_qualities, parse_strengths
    from bench.plan.names.selection import select_attacks, select_victims
    from bench.plan.request import Request
    from bench.recipes import get_recipe

    try:
        get_recipe(recipe)
    except CamobenchError as error:
        raise click.UsageError(str(error)) from error
    if keep_fp32 and choices.get("precision") != "mixed":
        raise click.UsageError("--keep-fp32 goes with --precision mixed: else all are in fp32")
    source = make_source(suite, progress)
    if store is not None:
        from bench.plan.answers.kept import answered_rows, known

        rows = answered_rows(store, source.card.name, source.card.fingerprint, but=resent)
        click.get_current_context().with_resource(known(rows))
    return Request(
        source=source,
        attacks=tuple(select_attacks(attacks)),
        victims=tuple(select_victims(victims, front_end)),
        recipe=recipe,
        device=chosen_device(),
        keep_fp32=tuple(select_victims(keep_fp32)),
        recompress=parse_qualities(recompress),
        strengths=parse_strengths(strengths),
        shipped=not from_scratch,
        **choices,
    )


def require_victims(request: Request) -> None:
    """Refuse a request without victims."""
    if not request.victims:
        raise click.UsageError("--victims names none; `camobench list victims` shows them all")


def is_given(parameter: str) -> bool:
    """Whether an option of the verb stands on the command line."""
    source = click.get_current_context().get_parameter_source(parameter)
    return source is ParameterSource.COMMANDLINE


def make_source(name: str, progress: Progress = SILENT) -> SuiteSource:
    """The suite of `--suite`, with the options of `folder_options` and the verb's `--store`."""
    from bench.suites.catalogue import load_suite

    options = click.get_current_context().meta.get(FOLDER_OPTIONS, {})
    try:
        return load_suite(name, progress=progress, store=shared("store"), **options)
    except (CamobenchError, ValueError) as error:
        raise click.UsageError(str(error)) from error


def open_store() -> Store:
    """The store of `--store`, else the default one."""
    from bench.store import Store

    return Store(shared("store") or Store.default_root())


def open_prepared(suite: str, progress: Progress = SILENT) -> Suite:
    """Open a suite that was prepared before."""
    from bench.suites.base import open_suite

    card = make_source(suite, progress).card
    return open_suite(open_store().data_folder(card.name, card.fingerprint))


def chosen_device() -> str:
    """The device of `--device`, found where it is left open."""
    from bench.checks import resolve_device

    return resolve_device(shared("device"))


def load_plugins() -> None:
    """Register the classes of `--plugin`."""
    from bench.contract.plugin_files import load_plugin_file

    for plugin in shared("plugins"):
        load_plugin_file(plugin)


def watched() -> AbstractContextManager[Progress]:
    """A progress fit for the terminal, the pipe, or `--quiet`."""
    from bench.console import shown_progress

    return shown_progress(console, quiet=shared("quiet"))


def show_table(table: Table) -> None:
    """Print a table in the format of `--format`."""
    from bench.report.tables.render import render

    click.echo(render(table, shared("format_")))


def show_rows(rows: Sequence[Mapping[str, Json]], format_: str | None = None) -> None:
    """Print rows in a format; on a terminal, where none is asked for, as a table that fits it."""
    from bench.console import fitted_table
    from bench.report.tables.render import render_rows

    format_ = format_ or shared("format_")
    if rows and format_ == "md" and sys.stdout.isatty() and not is_given("format_"):
        Console(highlight=False).print(fitted_table(rows))
    elif text := render_rows(rows, format_):
        click.echo(text)


def show_run(run: RunData, tables: str, store: Store) -> None:
    """Print the tables of a run that was just made, and where all that belongs to it is.

    Raises:
        CamobenchError: If cells failed.
    """
    from bench.report.tables.notes import failed_cells

    out = run.directory
    click.echo(tables)
    say(f"report: {out / 'report.html'}   tables and Parquet: {out}   store: {store.root}")
    if run.failed:
        raise CamobenchError(failed_cells(run))


def conclude(verdicts: Sequence[Verdict], wrong: str, *, remedies: bool) -> None:
    """Print verdicts.

    Raises:
        CamobenchError: If any is a fail: what is `wrong`, and which these are.
    """
    from bench.verdicts import failed, verdict_rows

    show_rows(verdict_rows(verdicts, remedies=remedies))
    if names := failed(verdicts):
        raise CamobenchError(f"{wrong}: {', '.join(names)}")


def say(line: str) -> None:
    """Print a line for people on standard error."""
    console.print(line, markup=False, soft_wrap=True)
