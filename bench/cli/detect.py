"""`detect`: would anyone notice that pictures were treated?"""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import (
    Continuing,
    device_option,
    format_option,
    quiet_option,
    store_option,
    workers_option,
)
from bench.cli.requests import console, open_store, say
from bench.types import CamobenchError


@click.command(cls=Continuing)
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@store_option
@click.option(
    "--quality",
    "quality_percent",
    type=click.IntRange(0, 100),
    default=90,
    show_default=True,
    help="Of the JPEG save that untouched and anonymised images get alike; 0: none, as PNG.",
)
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="FILE.py:CLASS",
    help="An attack of the run that does not ship; repeatable.",
)
@device_option
@workers_option
@format_option
@quiet_option
def detect(
    directory: Path,
    store: Path | None,
    quality_percent: int,
    plugins: tuple[str, ...],
    device: str,
    workers: int,
    format_: str,
    quiet: bool,
) -> None:
    """Say whether anyone would notice that the images of a run's attacks were treated.

    Detectors learn from untouched and anonymised images of Set-B and are tested on Set-C: with the
    attack known, with all other attacks (the headline), and from untouched images alone. Four
    linear ones: SPAM features, the noise residual, its Fourier magnitude, cosine blocks of the
    image; a stronger detector may see more. Both kinds of image get the same last save: without
    one (--quality 0) the traces of the camera's own JPEG file alone tell them apart.

    Writes detection.parquet (the score of each image by attack, detector and regime) and
    detection.{md,csv,tex} into DIRECTORY: AUC, TPR at 1 % false alarms, and undetected TASR, what
    is taken for the target's camera and objected to by no detector. Features stay in the store; the
    same command again goes on there. `camobench leaderboard` shows the headline.

    Example: camobench detect camobench-out --format csv
    """
    from bench.console import shown_progress
    from bench.contract.plugin_files import load_plugin_file
    from bench.plan.detect import detect_run, said
    from bench.plan.request import resolve_device
    from bench.records.load import load_run
    from bench.report.detection.tables import detection_table, write_detection
    from bench.report.render import render

    for plugin in plugins:
        load_plugin_file(plugin)
    with shown_progress(console, quiet=quiet) as progress:
        left_out = detect_run(
            directory,
            open_store(store),
            quality_percent=quality_percent or None,
            device=resolve_device(device),
            workers=workers,
            progress=progress,
        )
    run = load_run(directory)
    click.echo(render(detection_table(run), format_))
    for path in write_detection(run):
        say(f"written: {path}")
    if left_out:
        raise CamobenchError(f"left out: {said(left_out)}")
