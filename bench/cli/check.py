"""`check`: does an attack or a victim keep the contract?"""

from __future__ import annotations

import click

from bench.cli.options import device_option, format_option, quiet_option
from bench.cli.requests import console, show_rows, supervise_plugins
from bench.types import CamobenchError


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
    supervise_plugins(name)
    import torch

    from bench.console import shown_progress
    from bench.runner.api import resolve_device
    from bench.runner.contract_checks.run import LIMIT_S, examine, together
    from bench.runner.contract_checks.subject import find_subjects
    from bench.verdicts import failed, verdict_rows

    verdicts = []
    with shown_progress(console, quiet=quiet) as progress:
        progress.start(f"opening {name}", 1)
        subjects = find_subjects(name, torch.device(resolve_device(device)), LIMIT_S)
        progress.finish()
        for subject in subjects:
            verdicts += list(examine(subject, progress))
    show_rows(verdict_rows(together(verdicts), remedies=True), format_)
    if names := failed(verdicts):
        raise CamobenchError(f"{name} does not keep the contract: {', '.join(names)}")
