"""`check`, `verify`, `doctor` and `perf`: examine plug-ins, results, this machine, its speed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import click

from bench.cli.options import (
    FILE,
    FOLDER,
    ContinuedLater,
    device_option,
    format_option,
    plugin_option,
    quiet_option,
    shared,
    store_option,
)
from bench.cli.requests import chosen_device, conclude, load_plugins, open_store, show_rows, watched
from bench.types import CamobenchError


@click.command()
@click.argument("name", metavar="NAME|FILE.py:CLASS")
@device_option
@format_option
@quiet_option
def check(name: str) -> None:
    """Check an attack or a victim without data, in seconds: one verdict a line.

    It is built, trained for two steps on a tiny set, and run on images of odd sizes; each line says
    ok, warn or fail, and what to do. Exit code 1 on any fail. It runs the file's code: check what
    you trust.

    Example: camobench check my.py:MyAttack
    """
    import torch

    from bench.verify.contract_checks.run import check_all

    with watched() as progress:
        verdicts = check_all(name, torch.device(chosen_device()), progress)
    conclude(verdicts, f"{name} does not keep the contract", remedies=True)


def _row_count(context: click.Context, option: click.Parameter, value: str | None) -> Any:
    """A number of rows, or `all`."""
    if value in (None, "all"):
        return value
    return click.IntRange(min=1)(value, option, context)


@click.command()
@click.argument("place", type=click.Path(path_type=Path, exists=True), metavar="DIR|ENTRY.json")
@store_option
@click.option(
    "--rows",
    metavar="N|all",
    callback=_row_count,
    help="How many rows to re-run, or `all`; without --store too [64 with --store, else none].",
)
@plugin_option
@click.option("--seed", type=int, help="Of the sample [drawn by chance, and printed].")
@click.option(
    "--precision",
    is_flag=True,
    help="Instead, score everything in fp32 and in mixed precision and say what flips.",
)
@device_option
@format_option
@quiet_option
def verify(
    place: Path,
    rows: int | Literal["all"] | None,
    seed: int | None,
    precision: bool,
) -> None:
    """Check a run folder, or one entry of it: schema, completeness, and every table recomputed.

    With --store or --rows a sample of rows is re-run too, with the networks of the store or of the
    package that the entries name. Verdicts are ok, warn, fail, and skip for what could not be
    checked. Exit code 1 on any fail. --precision says which victims may be scored with `run
    --precision mixed`, and which rows flip.

    Example: camobench verify camobench-out --format json
    """
    from bench.report.verification.folder import verify_entry, verify_folder
    from bench.verdicts import Verdict

    if precision:
        _verify_precision(place)
        return
    verdicts = verify_folder(place) if place.is_dir() else verify_entry(place)
    if (shared("store") is None and rows is None) or not place.is_dir():
        what = "one entry" if place.is_file() else "neither --store nor --rows given"
        skipped = f"no row: {what}; `camobench verify DIR --rows 64` re-runs a sample"
        verdicts.append(Verdict(check="re-run", verdict="skip", finding=skipped))
    elif not any(one.check == "run" and one.verdict == "ok" for one in verdicts):
        skipped = "no row: the folder does not fit together"
        verdicts.append(Verdict(check="re-run", verdict="skip", finding=skipped))
    else:
        from bench.verify.rerun import ROWS, recheck

        load_plugins()
        with watched() as progress:
            verdicts += recheck(
                place,
                open_store(),
                rows=None if rows == "all" else rows or ROWS,
                seed=seed,
                device=chosen_device(),
                progress=progress,
            )
    conclude(verdicts, f"{place} does not verify", remedies=False)


def _verify_precision(place: Path) -> None:
    """Print a verdict a victim, then the rows whose label depends on the precision."""
    from bench.verdicts import failed, verdict_rows
    from bench.verify.agreement import precision_verdicts

    if not place.is_dir():
        raise click.UsageError("--precision takes the folder of a run")
    with watched() as progress:
        verdicts, flipped = precision_verdicts(
            place, open_store(), device=chosen_device(), progress=progress
        )
    show_rows(verdict_rows(verdicts, remedies=True))
    if len(flipped):
        click.echo()
        show_rows(json.loads(flipped.to_json(orient="records", double_precision=15)))
    if names := failed(verdicts):
        raise CamobenchError(f"{place}: {', '.join(names)} moves more than is tolerated")


@click.command()
@store_option
@format_option
@quiet_option
def doctor() -> None:
    """Check versions, devices, LPIPS and the store.

    Each line says ok, warn or fail, and what to do. Exit code 1 on any fail.

    Example: camobench doctor --format json
    """
    from bench.store import Store
    from bench.verify.doctor.storage import examine

    with watched() as progress:
        verdicts = examine(shared("store") or Store.default_root(), progress)
    conclude(verdicts, "this machine is not fit yet", remedies=True)


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
) -> None:
    """Measure scoring on this machine, against its peak and against a plain loop.

    Networks have the paper's width, with --stream the least, and random weights: nothing is trained
    or downloaded.

    Example: camobench perf --quick --json perf.json
    """
    import tempfile

    import torch

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
    where = torch.device(chosen_device())
    if transforms is None:
        load, work = make_load(where, quick=quick, image_px=image_px), measure
    else:
        load, work = make_stream_load(transforms, image_px), stream
    if json_file is not None:
        require_same_load(json_file, load)
    with watched() as progress, tempfile.TemporaryDirectory(prefix="camobench-perf-") as folder:
        try:
            found = work(load, where, store or Path(folder), progress)
        except KeyboardInterrupt as error:
            if store is None:
                raise
            raise ContinuedLater from error
    if json_file is not None:
        write_json(json_file, found.figures)
    click.echo(found.shown(shared("format_")))
