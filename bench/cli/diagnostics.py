"""`check`, `doctor` and `perf`: examine a plug-in, this machine, and how fast it is."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import (
    FILE,
    FOLDER,
    ContinuedLater,
    device_option,
    format_option,
    quiet_option,
    store_option,
)
from bench.cli.requests import conclude, console


@click.command()
@click.argument("name", metavar="NAME|FILE.py:CLASS")
@device_option
@format_option
@quiet_option
def check(name: str, device: str, format_: str, quiet: bool) -> None:
    """Check an attack or a victim without data, in seconds: one verdict a line.

    It is built, trained for two steps on a tiny set, and run on images of odd sizes; each line says
    ok, warn or fail, and what to do. Exit code 1 on any fail. It runs the file's code: check what
    you trust.

    Example: camobench check my.py:MyAttack
    """
    from bench.checks import resolve_device
    from bench.console import shown_progress
    from bench.verify.contract_checks.run import examine_apart, together

    with shown_progress(console, quiet=quiet) as progress:
        verdicts = list(examine_apart(name, resolve_device(device), progress))
    wrong = f"{name} does not keep the contract"
    conclude(together(verdicts), format_, wrong, remedies=True)


@click.command()
@store_option
@format_option
@quiet_option
def doctor(store: Path | None, format_: str, quiet: bool) -> None:
    """Check versions, devices, LPIPS, the store and what may hide our packages.

    Each line says ok, warn or fail, and what to do. Exit code 1 on any fail.

    Example: camobench doctor --format json
    """
    from bench.console import shown_progress
    from bench.store import Store
    from bench.verify.doctor.storage import examine

    with shown_progress(console, quiet=quiet) as progress:
        verdicts = examine(store or Store.default_root(), progress)
    conclude(verdicts, format_, "this machine is not fit yet", remedies=True)


@click.command()
@click.option("--quick", is_flag=True, help="Small images and fewer repeats.")
@click.option("--image-px", type=click.IntRange(min=64), help="Side of the images.")
@click.option(
    "--stream",
    "transforms",
    type=click.IntRange(min=1),
    metavar="N",
    help="Score N transforms with small networks: time and memory from the first to the last.",
)
@click.option(
    "--store",
    type=FOLDER,
    help="Where --stream keeps what it did, so that it resumes [nowhere].",
)
@click.option(
    "--json",
    "json_file",
    type=FILE,
    help="Write all figures.",
)
@device_option
@format_option
@quiet_option
def perf(
    quick: bool,
    image_px: int | None,
    transforms: int | None,
    store: Path | None,
    json_file: Path | None,
    device: str,
    format_: str,
    quiet: bool,
) -> None:
    """Measure scoring on this machine, against its peak and against a plain loop.

    Networks have the paper's width, with --stream the least, and random weights: nothing is trained
    or downloaded.

    Example: camobench perf --quick --json perf.json
    """
    import tempfile

    import torch

    from bench.checks import resolve_device
    from bench.console import shown_progress
    from bench.perf.session import (
        make_load,
        make_stream_load,
        measure,
        require_same_load,
        stream,
    )
    from bench.store import write_json

    if transforms is None and store is not None:
        raise click.UsageError("--store goes with --stream")
    if transforms is not None and quick:
        raise click.UsageError("--quick and --stream do not go together")
    where = torch.device(resolve_device(device))
    load = (
        make_load(where, quick=quick, image_px=image_px)
        if transforms is None
        else make_stream_load(transforms, image_px)
    )
    if json_file is not None:
        require_same_load(json_file, load)
    with shown_progress(console, quiet=quiet) as progress:
        if transforms is None:
            found = measure(load, where, progress)
        elif store is not None:
            try:
                found = stream(load, where, store, progress)
            except KeyboardInterrupt as error:
                raise ContinuedLater from error
        else:
            with tempfile.TemporaryDirectory(prefix="camobench-perf-") as folder:
                found = stream(load, where, Path(folder), progress)
    if json_file is not None:
        write_json(json_file, found.figures)
    click.echo(found.shown(format_))
