"""`perf`: how close this machine comes to what it can do."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import device_option, format_option, quiet_option
from bench.cli.requests import console


@click.command()
@click.option("--quick", is_flag=True, help="About two minutes on two cores; small images.")
@click.option("--image-px", type=click.IntRange(min=64), help="Side of the images.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all figures.",
)
@device_option
@format_option
@quiet_option
def perf(
    quick: bool,
    image_px: int | None,
    json_file: Path | None,
    device: str,
    format_: str,
    quiet: bool,
) -> None:
    """Measure the runner on this machine, against its peak and against a plain loop.

    Networks have the paper's width and random weights: nothing is trained or downloaded.

    Example: camobench perf --quick --json perf.json
    """
    import torch

    from bench.console import shown_progress
    from bench.perf.session import make_plan, measure, require_same_plan
    from bench.runner.api import resolve_device
    from bench.store import write_json

    where = torch.device(resolve_device(device))
    plan = make_plan(where, quick=quick, image_px=image_px)
    if json_file is not None:
        require_same_plan(json_file, plan)
    with shown_progress(console, quiet=quiet) as progress:
        found = measure(plan, where, progress)
    if json_file is not None:
        write_json(json_file, found.as_json())
    click.echo(found.tables(format_))
