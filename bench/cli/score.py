"""`score`: what answers a challenge, images or predictions, becomes a row or a column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bench.cli.options import (
    Continuing,
    folder_options,
    format_option,
    network_options,
    out_option,
    quiet_option,
    suite_option,
)
from bench.cli.requests import (
    console,
    is_given,
    make_request,
    open_store,
    require_victims,
    say,
    show_rows,
    show_run,
)
from bench.types import CamobenchError

OF_IMAGES = ("label", "threat_model", "without_bad")
OF_PREDICTIONS = ("front_end", "backbone")


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
@click.option("--label", default="", help="Images: what people call it, for the tables.")
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
    label: str,
    paper: str | None,
    licence: str | None,
    threat_model: str | None,
    front_end: str | None,
    backbone: str | None,
    dry_run: bool,
    without_bad: bool,
    store: Path | None,
    out: Path,
    format_: str,
    quiet: bool,
    **choices: Any,
) -> None:
    """Score what answers a challenge, without running anyone's code.

    A folder or zip of IMAGEID__TARGET.png (IMAGEID.png of an untargeted method) becomes the row
    NAME beside the controls; a CSV or Parquet file of predictions the column NAME. Everything is
    checked first, and all problems are shown. What is missing is never filled in: such a row is
    marked as partial, and the exit code is 1. The store keeps the images with the row, so that
    `run` scores new victims on them; the same NAME again replaces the row.

    Example: camobench score answer.zip --name my-method --suite simcam-mini-v2
    """
    from bench.challenge.prediction_checks import is_table
    from bench.challenge.score import score_answer
    from bench.console import shown_progress
    from bench.report.tables.column import column_table
    from bench.report.tables.paper import render_run
    from bench.report.tables.render import render, render_rows

    predictions = is_table(answer)
    _require_fitting(predictions)
    described = {"paper": paper, "licence": licence}
    if predictions:
        described |= {"front_end": front_end, "backbone": backbone}
    else:
        described |= {"threat_model": threat_model, "label": label}
    opened = open_store(store)
    with shown_progress(console, quiet=quiet) as progress:
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
            described={field: value for field, value in described.items() if value is not None},
            dry_run=dry_run,
            without_bad=without_bad,
            progress=progress,
        )
    findings = outcome.findings
    shown = {"json": findings.records, "csv": findings.lines}.get(format_, findings.rows)()
    if outcome.run is None and (shown or format_ == "json"):
        show_rows(shown, format_)
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
    if not outcome.coverage.whole:
        raise CamobenchError(f"{name} is partial: {outcome.coverage}; what is missing can be sent")


def _require_fitting(predictions: bool) -> None:
    """Refuse options that say nothing of such an answer."""
    kind, other = ("predictions", "images") if predictions else ("images", "predictions")
    for name in OF_IMAGES if predictions else OF_PREDICTIONS:
        if is_given(name):
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} is for {other}, the answer is {kind}; leave it out")
