"""`train`: networks without scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bench.cli.options import (
    Continuing,
    folder_options,
    front_end_option,
    network_options,
    quiet_option,
    suite_option,
)
from bench.cli.requests import console, make_request, open_store, say
from bench.types import CamobenchError


@click.command(cls=Continuing)
@suite_option
@click.option("--attacks", default="", help="Names, patterns or `all`.")
@click.option("--victims", default="", help="Names, patterns or `all`.")
@front_end_option
@folder_options
@network_options
@quiet_option
@click.option(
    "--export",
    type=click.Path(path_type=Path, file_okay=False),
    help="Copy the checkpoints into a folder, as those that ship with the package.",
)
def train(
    attacks: str, victims: str, store: Path | None, quiet: bool, export: Path | None, **choices: Any
) -> None:
    """Train attacks and victims (and the surrogates they need) without scoring them.

    Example: camobench train --victims 'pef-*' --attacks mislgan
    """
    if not attacks and not victims:
        raise click.UsageError("name --attacks, --victims or both")
    from bench.console import shown_progress
    from bench.plan.request import open_session

    with shown_progress(console, quiet=quiet) as progress:
        request = make_request(attacks=attacks, victims=victims, progress=progress, **choices)
        session = open_session(request, open_store(store))
        trained = session.train(progress)
    failed = len(session.failures.jobs)
    planned = session.graph.jobs
    there = len(planned) - trained - len(planned.keys() & session.failures.jobs.keys())
    say(f"{trained} networks trained, {there} were there")
    if export is not None:
        session.export(export)
    if failed:
        raise CamobenchError(f"{failed} networks failed: {session.failures.summary()}")
