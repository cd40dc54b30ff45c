"""The command line: parse, call, print.

Exit codes: 0 done, 1 failed or missing, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from bench.types import CamobenchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.runner.api import Request
    from bench.store import Store
    from bench.suites.base import Suite, SuiteSource
    from bench.types import Progress

DEMO_ATTACKS = "cgan-img-wdf-pef,mislgan,cgan-img,controls"
FORMATS = click.Choice(["md", "csv", "tex", "json"])

console = Console(stderr=True, highlight=False)


def main() -> None:
    """Run the command line and turn errors into one line and an exit code."""
    from bench.registry import UnknownNameError

    try:
        cli(prog_name="camobench", standalone_mode=False)
    except click.ClickException as error:
        _fail_usage(error)
    except UnknownNameError as error:
        _fail(str(error.args[0]), 2)
    except (CamobenchError, ValueError, OSError) as error:
        if os.environ.get("CAMOBENCH_DEBUG"):
            raise
        _fail(str(error), 1)
    except (KeyboardInterrupt, click.Abort):
        console.print("[yellow]interrupted[/]: run the same command again to continue")
        sys.exit(130)


def _fail_usage(error: click.ClickException) -> None:
    message, context = error.format_message(), getattr(error, "ctx", None)
    if "\n" in message:  # a group without a command shows its help
        click.echo(message, err=True)
        sys.exit(2)
    more = f" (`{context.command_path} --help` says more)" if context else ""
    _fail(f"{message}{more}", 2)


def _fail(message: str, code: int) -> None:
    console.print("[red]error[/]: ", end="")
    _say(message)
    sys.exit(code)


store_option = click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where data, checkpoints and predictions are kept [$CAMOBENCH_STORE, else user data].",
)
out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("camobench-out"),
    show_default=True,
    help="Where predictions, tables and the report go.",
)
device_option = click.option("--device", default="auto", help="cpu, cuda, mps, or auto.")
workers_option = click.option(
    "--workers", type=click.IntRange(min=0), default=0, help="Processes side by side; 0 chooses."
)
recipe_option = click.option("--recipe", default="mini", show_default=True, help="Training budget.")
seed_option = click.option("--seed", type=int, default=0, show_default=True)
quiet_option = click.option("--quiet", is_flag=True, help="No progress.")
suite_option = click.option(
    "--suite", default="simcam-mini-v1", show_default=True, help="A name, or folder:DIR."
)
FOLDER_OPTIONS = "camobench.folder-options"


def _keep_folder_option(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and value is not False:
        kept = value
        if parameter.name == "classes":
            kept = [name.strip() for name in value.split(",") if name.strip()]
        context.meta.setdefault(FOLDER_OPTIONS, {})[parameter.name] = kept


def folder_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options of a folder suite; `_source` hands them over. Other values make another suite."""
    kept: dict[str, Any] = {"expose_value": False, "callback": _keep_folder_option}
    for option in (
        click.option("--skip-bad", is_flag=True, help="Leave unusable photographs out.", **kept),
        click.option("--classes", help="In-distribution models, separated by commas.", **kept),
        click.option("--tiles", "tiles_per_photo", type=int, help="Tiles a photograph.", **kept),
        click.option("--image-px", type=int, help="Side of a folder suite's tiles.", **kept),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="camobench")
def cli() -> None:
    """Camera-model anonymisers against camera-model attribution classifiers.

    Start with `camobench demo`.
    """


@cli.command()
@store_option
@out_option
@click.option(
    "--attacks", default=DEMO_ATTACKS, show_default=True, help="Names, `controls`, `all`."
)
@click.option(
    "--from-scratch", is_flag=True, help="Train everything instead of using the shipped networks."
)
@click.option(
    "--smoke", is_flag=True, help="Every stage at its smallest; the numbers mean nothing."
)
@device_option
@workers_option
@seed_option
@quiet_option
def demo(
    store: Path | None,
    out: Path,
    attacks: str,
    from_scratch: bool,
    smoke: bool,
    device: str,
    workers: int,
    seed: int,
    quiet: bool,
) -> None:
    """The paper's tables on simulated cameras, in minutes.

    Example: camobench demo --out demo-results
    """
    _evaluate(
        suite="simcam-smoke-v1" if smoke else "simcam-mini-v1",
        attacks=attacks,
        victims="all",
        recipe="smoke" if smoke else "mini",
        seed=seed,
        device=device,
        shipped=not (from_scratch or smoke),
        workers=workers,
        batch=32,
        store=store,
        out=out,
        quiet=quiet,
        note="--smoke: networks of two steps; the numbers mean nothing" if smoke else "",
    )


@cli.command()
@suite_option
@click.option(
    "--attacks", default="all", show_default=True, help="Names, patterns, `controls`, `all`."
)
@click.option(
    "--victims", default="all", show_default=True, help="Names or patterns such as 'pef-*'."
)
@recipe_option
@store_option
@out_option
@folder_options
@click.option("--batch", type=click.IntRange(min=1), default=32, show_default=True)
@click.option("--from-scratch", is_flag=True, help="Do not use the shipped networks.")
@click.option("--dry-run", is_flag=True, help="Say what is missing and stop.")
@device_option
@workers_option
@seed_option
@quiet_option
def run(
    suite: str,
    attacks: str,
    victims: str,
    recipe: str,
    store: Path | None,
    out: Path,
    batch: int,
    from_scratch: bool,
    dry_run: bool,
    device: str,
    workers: int,
    seed: int,
    quiet: bool,
) -> None:
    """Train and score whatever is missing of attacks x victims; resumes.

    Example: camobench run --suite folder:photos --victims 'pef-*'
    """
    _evaluate(
        suite=suite,
        attacks=attacks,
        victims=victims,
        recipe=recipe,
        seed=seed,
        device=device,
        shipped=not from_scratch,
        workers=workers,
        batch=batch,
        store=store,
        out=out,
        quiet=quiet,
        dry_run=dry_run,
    )


@cli.command("list")
@click.argument("what", type=click.Choice(["attacks", "victims", "suites", "recipes"]))
@click.option("--json", "as_json_", is_flag=True, help="An array of objects, for scripts.")
def list_(what: str, as_json_: bool) -> None:
    """Show what is registered.

    Example: camobench list attacks --json
    """
    from bench.runner.listing import listing, listing_table

    rows = listing(what)
    click.echo(json.dumps(rows, indent=2) if as_json_ else listing_table(what, rows))


@cli.group()
def data() -> None:
    """Make and look at data sets.

    Example: camobench data prepare simcam-mini-v1
    """


@data.command("prepare")
@click.argument("suite")
@folder_options
@store_option
@workers_option
@quiet_option
def data_prepare(suite: str, store: Path | None, workers: int, quiet: bool) -> None:
    """Make all sets of SUITE in the store.

    Example: camobench data prepare simcam-mini-v1
    """
    from bench.console import shown_progress
    from bench.processes import cpu_count
    from bench.suites.base import prepare

    with shown_progress(console, quiet=quiet) as progress:
        made = prepare(
            _source(suite, progress),
            _store(store),
            ("A", "B", "C"),
            workers=workers or cpu_count(),
            progress=progress,
        )
    click.echo(made.folder)


@data.command("show")
@click.argument("suite")
@folder_options
@store_option
@click.option("--format", "format_", type=FORMATS, default="md", show_default=True)
@click.option(
    "--picture", type=click.Path(path_type=Path, dir_okay=False), help="Contact sheet, PNG."
)
def data_show(suite: str, store: Path | None, format_: str, picture: Path | None) -> None:
    """Count images and devices of a prepared SUITE by camera model and set.

    Example: camobench data show simcam-mini-v1 --picture sheet.png
    """
    from bench.report.plain import render_rows
    from bench.suites.show import contact_sheet, counts

    made = _prepared(_source(suite), _store(store))
    click.echo(render_rows(counts(made), format_))
    if picture is not None:
        contact_sheet(made, picture)
        _say(f"contact sheet: {picture}")


@data.command("cameras")
@click.argument("picture", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--scene", type=int, default=0, show_default=True, help="Seed of the scene.")
def data_cameras(picture: Path, scene: int) -> None:
    """Save a PICTURE of one scene through all simulated cameras, with the noise residuals.

    Example: camobench data cameras cameras.png
    """
    from bench.suites.simcam.picture import save_picture

    save_picture(picture, scene_seed=scene)
    _say(f"cameras: {picture}")


@cli.command()
@suite_option
@click.option("--attacks", default="", help="Names, patterns or `all`.")
@click.option("--victims", default="", help="Names, patterns or `all`.")
@folder_options
@recipe_option
@store_option
@device_option
@workers_option
@seed_option
@quiet_option
@click.option("--from-scratch", is_flag=True, help="Do not use the shipped networks.")
@click.option(
    "--export",
    type=click.Path(path_type=Path, file_okay=False),
    help="Copy the checkpoints into a folder, as those that ship with the package.",
)
def train(
    suite: str,
    attacks: str,
    victims: str,
    recipe: str,
    store: Path | None,
    device: str,
    workers: int,
    seed: int,
    quiet: bool,
    from_scratch: bool,
    export: Path | None,
) -> None:
    """Train attacks and victims (and the surrogates they need) without scoring them.

    Example: camobench train --victims 'pef-*' --attacks mislgan
    """
    if not attacks and not victims:
        raise click.UsageError("name --attacks, --victims or both")
    from bench.console import shown_progress
    from bench.runner.api import open_session

    with shown_progress(console, quiet=quiet) as progress:
        request = _request(
            suite,
            attacks,
            victims,
            recipe=recipe,
            seed=seed,
            device=device,
            shipped=not from_scratch,
            workers=workers,
            progress=progress,
        )
        session = open_session(request, _store(store))
        trained = session.train(progress)
    _say(f"{trained} networks trained, {len(session.graph.jobs) - trained} were there")
    if export is not None:
        session.export(export)


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--format", "format_", type=FORMATS, default="md", show_default=True)
@click.option("--write", is_flag=True, help="Rewrite the table files and the report in DIRECTORY.")
def table(directory: Path, format_: str, write: bool) -> None:
    """Recompute the tables from the Parquet files in DIRECTORY.

    Example: camobench table camobench-out --format tex
    """
    from bench.report.html import write_report
    from bench.report.inputs import load_run
    from bench.report.tables import build_table, clean_accuracy_table, render, write_tables

    loaded = load_run(directory)
    tables = [build_table(loaded, "in"), build_table(loaded, "out"), clean_accuracy_table(loaded)]
    rendered = [render(item, format_) for item in tables]
    click.echo(f"[{','.join(rendered)}]" if format_ == "json" else "\n\n".join(rendered))
    if write:
        write_tables(directory)
        write_report(directory)


@cli.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--attack", required=True)
@click.option("--target", help="Camera model to imitate; not for untargeted attacks.")
@suite_option
@folder_options
@recipe_option
@out_option
@store_option
@device_option
@seed_option
def anonymise(
    images: tuple[Path, ...],
    attack: str,
    target: str | None,
    suite: str,
    recipe: str,
    out: Path,
    store: Path | None,
    device: str,
    seed: int,
) -> None:
    """Anonymise IMAGES of any size into PNG files.

    Example: camobench anonymise photo.jpg --attack mislgan --target simcam-02
    """
    from bench.runner.files import anonymise_files

    request = _request(suite, attack, "", recipe=recipe, seed=seed, device=device)
    for path in anonymise_files(images, request, _store(store), attack, target, out):
        click.echo(path)


@cli.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--victims", default="all", show_default=True, help="Names or patterns.")
@suite_option
@folder_options
@recipe_option
@store_option
@device_option
@seed_option
@click.option("--format", "format_", type=FORMATS, default="md", show_default=True)
def attribute(
    images: tuple[Path, ...],
    victims: str,
    suite: str,
    recipe: str,
    store: Path | None,
    device: str,
    seed: int,
    format_: str,
) -> None:
    """Attribute IMAGES of any size to camera models.

    Example: camobench attribute photo.jpg --victims 'pef-*'
    """
    from bench.report.plain import render_rows
    from bench.runner.files import attribute_files

    request = _request(suite, "", victims, recipe=recipe, seed=seed, device=device)
    _require_victims(request)
    click.echo(render_rows(attribute_files(images, request, _store(store)), format_))


def _evaluate(
    *,
    suite: str,
    attacks: str,
    victims: str,
    store: Path | None,
    out: Path,
    quiet: bool,
    dry_run: bool = False,
    note: str = "",
    **choices: Any,
) -> None:
    from bench.console import shown_progress
    from bench.runner.api import evaluate, missing_report, open_session

    opened = _store(store)
    with shown_progress(console, quiet=quiet) as progress:
        request = _request(suite, attacks, victims, progress=progress, **choices)
        _require_victims(request)
        if not dry_run:
            evaluate(request, opened, out, progress)
    if dry_run:
        click.echo(missing_report(open_session(request, opened)))
        return
    from bench.report.inputs import load_run
    from bench.report.tables import build_table, clean_accuracy_table, render

    loaded = load_run(out)
    for split in ("in", "out"):
        click.echo(render(build_table(loaded, split), "md") + "\n")
    click.echo(render(clean_accuracy_table(loaded), "md"))
    if note:
        console.print(f"[yellow]{note}[/]")
    _say(f"report: {out / 'report.html'}   tables and Parquet: {out}   store: {opened.root}")


def _request(
    suite: str,
    attacks: str,
    victims: str,
    *,
    recipe: str,
    device: str,
    progress: Progress | None = None,
    **choices: Any,
) -> Request:
    from bench.recipes import get_recipe
    from bench.runner.api import Request, resolve_device
    from bench.runner.selection import select_attacks, select_victims

    try:
        get_recipe(recipe)
    except CamobenchError as error:
        raise click.UsageError(str(error)) from error
    return Request(
        source=_source(suite, progress),
        attacks=tuple(select_attacks(attacks)),
        victims=tuple(select_victims(victims)),
        recipe=recipe,
        device=resolve_device(device),
        **choices,
    )


def _require_victims(request: Request) -> None:
    if not request.victims:
        raise click.UsageError("--victims names none; `camobench list victims` shows them all")


def _source(name: str, progress: Progress | None = None) -> SuiteSource:
    """The suite of `--suite`, with the options of `folder_options`."""
    from bench.suites.catalogue import load_suite

    options = click.get_current_context().meta.get(FOLDER_OPTIONS, {})
    try:
        return load_suite(name, progress=progress, **options)
    except (CamobenchError, ValueError) as error:
        raise click.UsageError(str(error)) from error


def _store(path: Path | None) -> Store:
    from bench.store import Store

    return Store(path or Store.default_root())


def _prepared(source: SuiteSource, store: Store) -> Suite:
    from bench.suites.base import open_suite

    return open_suite(store.data_folder(source.card.name, source.card.fingerprint))


def _say(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)
