"""`train`: networks without scores."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import (
    Continuing,
    device_option,
    folder_options,
    front_end_option,
    quiet_option,
    recipe_option,
    seed_option,
    store_option,
    suite_option,
    workers_option,
)
from bench.cli.requests import console, make_request, open_store, say
from bench.types import CamobenchError


@click.command(cls=Continuing)
@suite_option
@click.option("--attacks", default="", help="Names, patterns or `all`.")
@click.option("--victims", default="", help="Names, patterns or `all`.")
@front_end_option
@folder_options
@recipe_option
@store_option
@device_option
@workers_option
@seed_option
@quiet_option
@click.option("--from-scratch", is_flag=True, help="Do not use the shipped networks.")
@click.option(
    "--export",
    type=click.Path(path_type=Path, file_okay=False),
    help="Copy the checkpoints into a folder, as those that ship with the package.",
)
def train(
    suite: str,
    attacks: str,
    victims: str,
    front_end: str | None,
    recipe: str,
    store: Path | None,
    device: str,
    workers: int,
    seed: int,
    quiet: bool,
    from_scratch: bool,
    export: Path | None,
) -> None:
    """Train attacks and victims (and the surrogates they need) without scoring them.

    Example: camobench train --victims 'pef-*' --attacks mislgan
    """
    if not attacks and not victims:
        raise click.UsageError("name --attacks, --victims or both")
    from bench.console import shown_progress
    from bench.runner.api import open_session

    with shown_progress(console, quiet=quiet) as progress:
        request = make_request(
            suite,
            attacks,
            victims,
            front_end=front_end,
            recipe=recipe,
            seed=seed,
            device=device,
            shipped=not from_scratch,
            workers=workers,
            progress=progress,
        )
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
