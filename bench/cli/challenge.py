"""`challenge`: images for those who send back images or predictions instead of code."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import click

from bench.cli.options import (
    FOLDER,
    FOLDER_OPTIONS,
    Continuing,
    folder_options,
    network_options,
    quiet_option,
    suite_option,
)
from bench.cli.requests import console, is_given, make_request, open_store, say

TAKEN_BACK = ("recipe", "seed", "store", "device", "from_scratch")
"""Options of the export that its answer is scored with."""


@click.group()
def challenge() -> None:
    """Ask for images or predictions instead of code; `camobench score` takes the answer back.

    Example: camobench challenge export --out challenge
    """


@challenge.command("export", cls=Continuing)
@suite_option
@folder_options
@click.option(
    "--for",
    "audience",
    type=click.Choice(["attacks", "victims"]),
    default="attacks",
    show_default=True,
    help="Who answers: the maker of an anonymiser, or of a classifier.",
)
@click.option("--attacks", default="", help="With --for victims: whose images, names or patterns.")
@click.option(
    "--out",
    type=FOLDER,
    default=Path("camobench-challenge"),
    show_default=True,
    help="Where the images go.",
)
@click.option("--licence", help="Terms of the images, for whoever receives them.")
@network_options
@quiet_option
def export(
    suite: str,
    audience: str,
    attacks: str,
    out: Path,
    licence: str | None,
    store: Path | None,
    quiet: bool,
    **choices: Any,
) -> None:
    """Write Set-C of a suite as PNG under opaque ids, with instructions; resumes.

    For attacks: the photographs, every target wanted for every image. For victims: the photographs
    and what the named attacks make of them (trained, run and kept in the store where they are not).
    Beside them, in training/, goes what may be trained on: Set-B, for victims Set-A, with labels.
    The ids are keyed by a secret in the store, so score with the same --store.

    Example: camobench challenge export --for victims --attacks mislgan,jpeg --out pictures
    """
    from bench.challenge.export import export_challenge
    from bench.console import shown_progress

    if audience == "victims" and not attacks:
        raise click.UsageError("--for victims needs --attacks: name some, such as `controls`")
    if audience == "attacks" and attacks:
        raise click.UsageError("--attacks goes with --for victims; leave it out, or add that")
    with shown_progress(console, quiet=quiet) as progress:
        request = make_request(suite, attacks, "", progress=progress, **choices)
        made = export_challenge(
            request,
            open_store(store),
            out,
            for_victims=audience == "victims",
            licence=licence,
            progress=progress,
        )
    click.echo(out)
    answer = "predictions.csv" if audience == "victims" else "images.zip"
    say(f"challenge {made.key}; score the answer with: {_score_command(answer)}")


def _score_command(answer: str) -> str:
    """The command that takes an answer to this export: same suite, networks and store."""
    from bench.store import STORE_VARIABLE

    context = click.get_current_context()
    folder = context.meta.get(FOLDER_OPTIONS, {})
    words = ["camobench", "score", answer, "--name", "NAME"]
    for option in context.command.params:
        name = option.name or ""
        if name in folder:
            value = folder[name]
        elif (
            name == "suite"
            or (name in TAKEN_BACK and is_given(name))
            or (name == "attacks" and ":" in context.params[name])  # a plug-in
        ):
            value = context.params[name]
        elif name == "store" and os.environ.get(STORE_VARIABLE):
            value = os.environ[STORE_VARIABLE]
        else:
            continue
        words.append(option.opts[0])
        if value is not True:
            words.append(",".join(value) if isinstance(value, list) else str(value))
    return shlex.join(words)
