"""`table`, `cards` and `list`: print what is there."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bench.cli.options import format_option


@click.command("list")
@click.argument("what", type=click.Choice(["attacks", "victims", "suites", "recipes"]))
@click.option("--json", "as_json_", is_flag=True, help="An array of objects, for scripts.")
def list_(what: str, as_json_: bool) -> None:
    """Show what is registered.

    Example: camobench list attacks --json
    """
    from bench.runner.listing import listing, listing_table

    rows = listing(what)
    click.echo(json.dumps(rows, indent=2) if as_json_ else listing_table(what, rows))


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@format_option
@click.option("--write", is_flag=True, help="Rewrite the table files and the report in DIRECTORY.")
def table(directory: Path, format_: str, write: bool) -> None:
    """Recompute the tables from the Parquet files in DIRECTORY.

    Example: camobench table camobench-out --format tex
    """
    from bench.report.html import write_report
    from bench.report.inputs import load_run
    from bench.report.tables import build_table, clean_accuracy_table, render, write_tables

    loaded = load_run(directory)
    tables = [build_table(loaded, "in"), build_table(loaded, "out"), clean_accuracy_table(loaded)]
    rendered = [render(item, format_) for item in tables]
    click.echo(f"[{','.join(rendered)}]" if format_ == "json" else "\n\n".join(rendered))
    if write:
        write_tables(directory)
        write_report(directory)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@format_option
@click.option("--write", is_flag=True, help="Rewrite victims.{md,csv,tex,html} in DIRECTORY.")
def cards(directory: Path, format_: str, write: bool) -> None:
    """Say what each victim of a run is worth: clean accuracy, calibration, size, cost, training.

    Example: camobench cards camobench-out --format csv
    """
    from bench.report.cards import victims_table
    from bench.report.inputs import load_run
    from bench.report.render import render
    from bench.report.victims import write_victims

    click.echo(render(victims_table(load_run(directory)), format_))
    if write:
        write_victims(directory)
