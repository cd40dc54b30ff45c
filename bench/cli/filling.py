"""What `demo` and `run` do once their options are read: fill a matrix and print its tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.requests import (
    console,
    make_request,
    open_store,
    require_victims,
    say,
    show_rows,
)
from bench.types import CamobenchError
from bench.wording import plural

if TYPE_CHECKING:
    from bench.plan.request import Session


def fill_matrix(
    *,
    suite: str,
    attacks: str | Sequence[str],
    victims: str | Sequence[str],
    store: Path | None,
    out: Path,
    format_: str,
    quiet: bool,
    dry_run: bool = False,
    nodes: str = "",
    row: bool = False,
    column: bool = False,
    add_victims: bool = False,
    note: str = "",
    **choices: Any,
) -> None:
    """Train and score what is missing, and print the tables.

    Args:
        suite: As `--suite` says.
        attacks: Names, patterns or files of classes.
        victims: The same.
        store: Its folder; the default one where `None`.
        out: Folder of the run.
        format_: Of the tables.
        quiet: Show no progress.
        dry_run: Print what is missing instead.
        nodes: With it: numbers of nodes, separated by commas.
        row: Add the attacks that the store holds complete on these victims.
        column: Add the attacks that the store holds.
        add_victims: With `column`: add the victims that those are complete on.
        note: Printed under the tables.
        choices: Of `make_request`.

    Raises:
        CamobenchError: If cells failed, once the tables are printed.
    """
    opened = open_store(store)
    from bench.console import shown_progress
    from bench.plan.beside import beside_columns, beside_rows
    from bench.plan.names.plugin_rows import recorded_plugins
    from bench.plan.request import evaluate_run, open_session

    left = dict[str, str]()
    with shown_progress(console, quiet=quiet) as progress:
        request = make_request(suite, attacks, victims, progress=progress, store=opened, **choices)
        require_victims(request)
        if column:
            names, left = recorded_plugins(request, opened)
            request = beside_columns(request, opened, add_victims=add_victims, plug_ins=names)
        elif row:
            request = beside_rows(request, opened)
        if not dry_run:
            run = evaluate_run(request, opened, out, progress)
    for name, reason in left.items():
        say(f"left out: attack {name}: {reason}")
    if dry_run:
        _print_missing(open_session(request, opened), format_, nodes)
        return
    from bench.report.tables.paper import render_run

    click.echo(render_run(run, format_))
    if note:
        console.print(f"[yellow]{note}[/]")
    if len(request.conditions) > 1:
        say(f"under conditions: `camobench curves {out}`, `camobench survival {out}`")
    say(f"report: {out / 'report.html'}   tables and Parquet: {out}   store: {opened.root}")
    if run.failed or run.unmeasured:
        from bench.report.tables.notes import failed_cells

        raise CamobenchError(failed_cells(run))


def _print_missing(session: Session, format_: str, nodes: str) -> None:
    from bench.plan.missing import find_missing
    from bench.plan.schedule import makespan_s, measured_tasks

    missing = find_missing(session)
    show_rows(missing.rows(), format_)
    say(missing.summary)
    if nodes:
        tasks, basis = measured_tasks(session)
        for count in _counts(nodes):
            hours = makespan_s(tasks, count) / 3600
            say(f"from scratch on {plural(count, 'node')}: {hours:.2f} h ({basis})")


def _counts(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) for part in parts):
        raise click.UsageError(f"--nodes {text}: give whole numbers from 1, such as 1,8,64")
    return [int(part) for part in parts]
