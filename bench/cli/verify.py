"""`verify`: is a result what its own rows say, and do its networks say the same again?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import click

from bench.cli.options import (
    device_option,
    format_option,
    plugin_option,
    quiet_option,
    store_option,
)
from bench.cli.requests import conclude, console, open_store, show_rows
from bench.types import CamobenchError


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
    store: Path | None,
    rows: int | Literal["all"] | None,
    plugins: tuple[str, ...],
    seed: int | None,
    precision: bool,
    device: str,
    format_: str,
    quiet: bool,
) -> None:
    """Check a run folder, or one entry of it: schema, completeness, and every table recomputed.

    With --store or --rows a sample of rows is re-run too, with the networks of the store or of the
    package that the entries name. Verdicts are ok, warn, fail, and skip for what could not be
    checked. Exit code 1 on any fail. --precision says which victims may be scored with `run
    --precision mixed`, and which rows flip.

    Example: camobench verify camobench-out --format json
    """
    from bench.console import shown_progress
    from bench.report.verification.folder import verify_entry, verify_folder
    from bench.verdicts import Verdict

    if precision:
        _verify_precision(place, store, device, format_, quiet=quiet)
        return
    verdicts = verify_folder(place) if place.is_dir() else verify_entry(place)
    if (store is None and rows is None) or not place.is_dir():
        what = "one entry" if place.is_file() else "neither --store nor --rows given"
        skipped = f"no row: {what}; `camobench verify DIR --rows 64` re-runs a sample"
        verdicts.append(Verdict(check="re-run", verdict="skip", finding=skipped))
    elif not any(one.check == "run" and one.verdict == "ok" for one in verdicts):
        skipped = "no row: the folder does not fit together"
        verdicts.append(Verdict(check="re-run", verdict="skip", finding=skipped))
    else:
        from bench.checks import resolve_device
        from bench.contract.plugin_files import load_plugin_file
        from bench.verify.rerun import ROWS, recheck

        for plugin in plugins:
            load_plugin_file(plugin)
        with shown_progress(console, quiet=quiet) as progress:
            verdicts += recheck(
                place,
                open_store(store),
                rows=None if rows == "all" else rows or ROWS,
                seed=seed,
                device=resolve_device(device),
                progress=progress,
            )
    conclude(verdicts, format_, f"{place} does not verify", remedies=False)


def _verify_precision(
    place: Path, store: Path | None, device: str, format_: str, *, quiet: bool
) -> None:
    """Print a verdict a victim, then the rows whose label depends on the precision."""
    from bench.checks import resolve_device
    from bench.console import shown_progress
    from bench.verdicts import failed, verdict_rows
    from bench.verify.agreement import precision_verdicts

    if not place.is_dir():
        raise click.UsageError("--precision takes the folder of a run")
    with shown_progress(console, quiet=quiet) as progress:
        verdicts, flipped = precision_verdicts(
            place, open_store(store), device=resolve_device(device), progress=progress
        )
    show_rows(verdict_rows(verdicts, remedies=True), format_)
    if len(flipped):
        click.echo()
        show_rows(json.loads(flipped.to_json(orient="records", double_precision=15)), format_)
    if names := failed(verdicts):
        raise CamobenchError(f"{place}: {', '.join(names)} moves more than is tolerated")
