"""`perf`: how close this machine comes to what it can do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from bench.cli.options import device_option, format_option, quiet_option
from bench.cli.requests import console


@click.command()
@click.option("--quick", is_flag=True, help="Two minutes on two cores; small images.")
@click.option(
    "--parts", default="", help="Of end-to-end, training, agreement, incremental, memory, scaling."
)
@click.option("--image-px", type=click.IntRange(min=64), help="Side of the images.")
@click.option("--memory-images", default="", help="Numbers to compare, such as 10,1000.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all figures.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Also a folder with the plot."
)
@device_option
@format_option
@quiet_option
def perf(
    quick: bool,
    parts: str,
    image_px: int | None,
    memory_images: str,
    json_file: Path | None,
    out: Path | None,
    device: str,
    format_: str,
    quiet: bool,
) -> None:
    """Measure runner and trainers on this machine, against its peak and against plain loops.

    Networks have the paper's width and random weights: nothing is trained or downloaded.

    Example: camobench perf --quick --json perf.json
    """
    import torch

    from bench.console import shown_progress
    from bench.outputs import note_own, require_own
    from bench.perf.session import (
        make_plan,
        measure,
        require_same_plan,
        write_performance,
    )
    from bench.perf.tables import performance_tables
    from bench.runner.api import resolve_device
    from bench.store import write_json

    where = torch.device(resolve_device(device))
    plan = make_plan(
        where,
        quick=quick,
        parts=tuple(part.strip() for part in parts.split(",") if part.strip()),
        image_px=image_px,
        memory_images=_numbers(memory_images),
    )
    if json_file is not None:
        require_same_plan(json_file, plan)
    if out is not None:
        require_own(out, "perf", asdict(plan), ["perf.json", "scaling.png"])
    with shown_progress(console, quiet=quiet) as progress:
        found = measure(plan, where, progress)
    if json_file is not None:
        write_json(json_file, found.as_json())
    if out is not None:
        note_own(out, "perf", asdict(plan))
        write_performance(found, out)
        write_json(out / "perf.json", found.as_json())
    click.echo(performance_tables(found, format_))


def _numbers(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise click.BadParameter(f"expected whole numbers and commas, got {text!r}") from error
    if any(number < 1 for number in found):
        raise click.BadParameter("expected numbers of at least 1")
    return found
