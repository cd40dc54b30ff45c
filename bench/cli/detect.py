"""`detect` and `linkage`: does anyone notice that pictures were treated, or know their device?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import (
    FOUND_FOLDER,
    Continuing,
    address_option,
    device_option,
    executor_option,
    format_option,
    plugin_option,
    quiet_option,
    run_argument,
    several,
    store_option,
    workers_option,
)
from bench.cli.requests import chosen_device, load_plugins, open_store, say, show_table, watched
from bench.types import CamobenchError

if TYPE_CHECKING:
    from bench.report.tables.files import RunTable


reading_options = several(
    run_argument,
    store_option,
    plugin_option,
    device_option,
    workers_option,
    executor_option,
    address_option,
    format_option,
    quiet_option,
)
"""The folder of a run, and how its images are read."""


@click.command(cls=Continuing)
@reading_options
@click.option(
    "--quality",
    "quality_percent",
    type=click.IntRange(0, 100),
    default=90,
    show_default=True,
    help="Of the JPEG save that untouched and anonymised images get alike; 0: none, as PNG.",
)
def detect(quality_percent: int, **choices: Any) -> None:
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
    from bench.plan.measures.detect import detect_run
    from bench.report.detection.tables import DETECTION

    make = partial(detect_run, quality_percent=quality_percent or None)
    _read(make, DETECTION, **choices)


@click.command(cls=Continuing)
@reading_options
@click.option(
    "--flat-fields",
    type=FOUND_FOLDER,
    help="Frames of evenly lit surfaces by the suite's real devices, as MODEL/DEVICE/*.jpg or with "
    "Dresden names; as large as its photographs.",
)
def linkage(flat_fields: Path | None, **choices: Any) -> None:
    """Say whether a run's anonymised images still show which device took them.

    A device's fingerprint is estimated from flat fields, which are in no set: a simulated camera
    takes 64, those of real ones are yours (--flat-fields). PCE tells how well an image of Set-C
    fits the fingerprint of its device, before and after each attack, and those of all others.

    Writes linkage.parquet (the PCE of each image by attack and fingerprint) and
    linkage.{md,csv,tex} into DIRECTORY: median PCE, and AUC of the own device against others.
    Fingerprints and PCE stay in the store; the same command again goes on there.

    Example: camobench linkage camobench-out --format csv
    """
    from bench.plan.measures.linkage import link_run
    from bench.report.linkage import LINKAGE

    make = partial(link_run, flat_fields=flat_fields)
    _read(make, LINKAGE, **choices)


def _read(
    make: Callable[..., dict[str, str]],
    table: RunTable,
    *,
    directory: Path,
    **choices: Any,
) -> None:
    """Read the images, print and write the table, and say which attacks are left out."""
    from bench.plan.measures.reading import said
    from bench.records.load import load_run

    load_plugins()
    with watched() as progress:
        left_out = make(directory, open_store(), progress, device=chosen_device(), **choices)
    run = load_run(directory)
    show_table(table.build(run))
    for path in table.write(run):
        say(f"written: {path}")
    if left_out:
        raise CamobenchError(f"left out: {said(left_out)}")
