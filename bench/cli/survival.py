"""`survival`: what is left of an attack's success after a JPEG save, or of less of its change."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import format_option
from bench.cli.requests import say


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@format_option
@click.option("--write", is_flag=True, help="Rewrite survival.{md,csv,tex,svg} in DIRECTORY.")
def survival(directory: Path, format_: str, write: bool) -> None:
    """Say how much of each attack's success is left when its images are saved as JPEG.

    Needs a run that was scored with --recompress or --strength, such as
    `camobench run --attacks mislgan,controls --victims 'pef-*' --recompress 70,80,90,95`.

    Example: camobench survival camobench-out --format csv
    """
    from bench.records.load import load_run
    from bench.report.render import render
    from bench.report.survival import survival_table, write_survival

    run = load_run(directory)
    click.echo(render(survival_table(run), format_))
    if write:
        for path in write_survival(run):
            say(f"written: {path}")
