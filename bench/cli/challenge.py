"""`challenge` and `score`: images go out, images or predictions come back instead of code."""

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
    format_option,
    network_options,
    out_option,
    quiet_option,
    shared,
    suite_option,
)
from bench.cli.requests import (
    is_given,
    make_request,
    open_store,
    require_victims,
    say,
    show_rows,
    show_run,
    watched,
)
from bench.types import CamobenchError

TAKEN_BACK = ("recipe", "seed", "store", "device", "from_scratch")
"""Options of the export that its answer is scored with."""
OF_IMAGES = ("label", "threat_model")
OF_PREDICTIONS = ("front_end", "backbone")
"""Options of an answer that describe it, beside `paper` and `licence`."""


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

    if audience == "victims" and not attacks:
        raise click.UsageError("--for victims needs --attacks: name some, such as `controls`")
    if audience == "attacks" and attacks:
        raise click.UsageError("--attacks goes with --for victims; leave it out, or add that")
    with watched() as progress:
        request = make_request(suite, attacks, "", progress=progress, **choices)
        made = export_challenge(
            request,
            open_store(),
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
            value = context.params[name] if option.expose_value else shared(name)
        elif name == "store" and os.environ.get(STORE_VARIABLE):
            value = os.environ[STORE_VARIABLE]
        else:
            continue
        words.append(option.opts[0])
        if value is not True:
            words.append(",".join(value) if isinstance(value, list) else str(value))
    return shlex.join(words)


@click.command(cls=Continuing)
@click.argument("answer", type=click.Path(path_type=Path), metavar="DIR|ZIP|CSV|PARQUET")
@click.option("--name", required=True, help="Of the new row or column, in kebab-case.")
@suite_option
@folder_options
@click.option(
    "--attacks",
    default="controls",
    show_default=True,
    help="Images: the rows beside the new one. Predictions: plug-ins that were exported.",
)
@click.option("--victims", help="The columns [for images: all; for predictions: the new one].")
@click.option("--label", help="Images: what people call it, for the tables.")
@click.option("--paper", help="Where the method is described.")
@click.option("--licence", help="Of the method.")
@click.option("--threat-model", help="Images: what their maker knew.")
@click.option("--front-end", help="Predictions: what the classifier reads, such as img.")
@click.option("--backbone", help="Predictions: the network behind the front-end.")
@click.option("--dry-run", is_flag=True, help="Check everything, score nothing.")
@click.option("--without-bad", is_flag=True, help="Images: score without files that are refused.")
@network_options
@out_option
@format_option
@quiet_option
def score(
    answer: Path,
    name: str,
    suite: str,
    attacks: str,
    victims: str | None,
    dry_run: bool,
    without_bad: bool,
    out: Path,
    **choices: Any,
) -> None:
    """Score what answers a challenge, without running anyone's code.

    A folder or zip of IMAGEID__TARGET.png (IMAGEID.png of an untargeted method) becomes the row
    NAME beside the controls; a CSV or Parquet file of predictions the column NAME. Everything is
    checked first, and all problems are shown. What is missing is never filled in: predictions are
    refused until there is one for every image, and a row of some images is marked as partial, with
    exit code 1. The store keeps the images with the row, so that `run` scores new victims on them;
    the same NAME again replaces the row.

    Example: camobench score answer.zip --name my-method --suite simcam-mini-v2
    """
    from bench.challenge.prediction_checks import is_table
    from bench.challenge.score import score_answer
    from bench.report.tables.column import column_table
    from bench.report.tables.paper import render_run
    from bench.report.tables.render import render, render_rows

    predictions = is_table(answer)
    _require_fitting(predictions)
    fields = ("paper", "licence", *OF_IMAGES, *OF_PREDICTIONS)
    told = {field: choices.pop(field) for field in fields}
    opened, format_ = open_store(), shared("format_")
    with watched() as progress:
        request = make_request(
            suite,
            "" if predictions and not is_given("attacks") else attacks,
            victims if victims is not None else "" if predictions else "all",
            progress=progress,
            store=opened,
            resent=None if predictions else name,
            **choices,
        )
        if not predictions:
            require_victims(request)
        outcome = score_answer(
            answer,
            name,
            request,
            opened,
            out,
            described={field: value for field, value in told.items() if value is not None},
            dry_run=dry_run,
            without_bad=without_bad,
            progress=progress,
        )
    findings = outcome.findings
    shown = {"json": findings.records, "csv": findings.lines}.get(format_, findings.rows)()
    if outcome.run is None and (shown or format_ == "json"):
        show_rows(shown)
    elif shown:
        say(render_rows(findings.rows(), "md"))
    clean = "; nothing is wrong with it" if not shown else ""
    say(f"{answer}: {outcome.summary}{clean}")
    if outcome.refused:
        raise CamobenchError(
            f"{answer} was not scored: {', '.join(findings.of('error'))}; the table says what to do"
        )
    if run := outcome.run:
        column = render(column_table(run, name), format_) if predictions else ""
        show_run(run, column or render_run(run, format_), opened)
    if outcome.coverage and not outcome.coverage.whole:
        raise CamobenchError(f"{name} is partial: {outcome.coverage}; what is missing can be sent")


def _require_fitting(predictions: bool) -> None:
    """Refuse options that say nothing of such an answer."""
    kind, other = ("predictions", "images") if predictions else ("images", "predictions")
    for name in (*OF_IMAGES, "without_bad") if predictions else OF_PREDICTIONS:
        if is_given(name):
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} is for {other}, the answer is {kind}; leave it out")
