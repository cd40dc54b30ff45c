"""The command line: parse, call, print.

Exit codes: 0 done, 1 failed or missing, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import _thread
import io
import os
import sys
import threading
import warnings
from collections.abc import Callable
from typing import NoReturn

import click

from bench.cli import challenge, data, detect, diagnostics, files, leaderboard, matrix, tables
from bench.cli.options import ContinuedLater
from bench.cli.requests import console, say
from bench.types import CamobenchError, WrongUsageError


def main() -> None:
    """Run the command line and turn errors into one line and an exit code."""
    from bench.registry import UnknownNameError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # no console is a reason to fail
            stream.reconfigure(errors="replace")
    if sys.unraisablehook is not _interrupt_again:
        _say_unraisable.append(sys.unraisablehook)
        sys.unraisablehook = _interrupt_again
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    try:
        cli(prog_name="camobench", standalone_mode=False)
    except click.ClickException as error:
        _fail_usage(error)
    except (UnknownNameError, WrongUsageError) as error:
        _fail(str(error), 2)
    except (CamobenchError, ValueError, OSError) as error:
        if os.environ.get("CAMOBENCH_DEBUG"):
            raise
        _fail(str(error), 1)
    except ContinuedLater:
        _interrupted("run the same command again to continue")
    except (KeyboardInterrupt, click.Abort):
        _interrupted("the same command begins anew")


_say_unraisable: list[Callable[[sys.UnraisableHookArgs], object]] = []


def _interrupt_again(lost: sys.UnraisableHookArgs) -> None:
    """Interrupt once more where an interruption fell into a finaliser, which swallows it."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        again = threading.Timer(0.05, _thread.interrupt_main)  # not here: it would be lost too
        again.daemon = True
        again.start()
    else:
        _say_unraisable[-1](lost)


def _interrupted(remedy: str) -> NoReturn:
    console.print(f"[yellow]interrupted[/]: {remedy}")
    sys.exit(130)


def _fail_usage(error: click.ClickException) -> None:
    message, context = error.format_message(), getattr(error, "ctx", None)
    if message.startswith("Usage:"):  # a group without a command shows its help
        click.echo(message, err=True)
        sys.exit(2)
    more = f" (`{context.command_path} --help` says more)" if context else ""
    _fail(f"{' '.join(message.split())}{more}", 2)


def _fail(message: str, code: int) -> None:
    console.print("[red]error[/]: ", end="")
    say(message)
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="camobench")
def cli() -> None:
    """Camera-model anonymisers against camera-model attribution classifiers.

    Start with `camobench demo`.
    """


for verb in (
    matrix.demo,
    matrix.run,
    matrix.train,
    tables.table,
    tables.claims,
    tables.cards,
    tables.compare,
    challenge.challenge,
    challenge.score,
    tables.curves,
    tables.survival,
    detect.detect,
    detect.linkage,
    diagnostics.check,
    leaderboard.leaderboard,
    diagnostics.verify,
    files.anonymise,
    files.attribute,
    data.data,
    tables.list_,
    diagnostics.doctor,
    diagnostics.perf,
):
    cli.add_command(verb)
