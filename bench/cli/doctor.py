"""`doctor`: is this machine fit to run the benchmark?"""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import format_option, quiet_option, store_option
from bench.cli.requests import console, show_rows
from bench.types import CamobenchError


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
    from bench.doctor.run import examine
    from bench.store import Store
    from bench.verdicts import failed, verdict_rows

    with shown_progress(console, quiet=quiet) as progress:
        verdicts = examine(store or Store.default_root(), progress)
    show_rows(verdict_rows(verdicts, remedies=True), format_)
    if names := failed(verdicts):
        raise CamobenchError(f"this machine is not fit yet: {', '.join(names)}")
