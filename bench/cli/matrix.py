"""`train`, `demo` and `run`: the networks and the cells of the matrix of attacks x victims."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import (
    FOLDER,
    Continuing,
    address_option,
    device_option,
    executor_option,
    folder_options,
    format_option,
    front_end_option,
    network_options,
    out_option,
    quiet_option,
    seed_option,
    shared,
    store_option,
    suite_option,
    workers_option,
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
    watched,
)
from bench.types import CamobenchError
from bench.wording import plural

if TYPE_CHECKING:
    from bench.plan.session import Session

DEMO_ATTACKS = "cgan-img-wdf-pef,mislgan,cgan-img,controls"


@click.command(cls=Continuing)
@suite_option
@click.option("--attacks", default="", help="Names, patterns or `all`.")
@click.option("--victims", default="", help="Names, patterns or `all`.")
@front_end_option
@folder_options
@network_options
@quiet_option
@click.option(
    "--export",
    type=FOLDER,
    help="Copy the checkpoints into a folder, as those that ship with the package.",
)
def train(attacks: str, victims: str, export: Path | None, **choices: Any) -> None:
    """Train attacks and victims (and the surrogates they need) without scoring them.

    Example: camobench train --victims 'pef-*' --attacks mislgan
    """
    if not attacks and not victims:
        raise click.UsageError("name --attacks, --victims or both")
    from bench.plan.request import open_session

    with watched() as progress:
        request = make_request(attacks=attacks, victims=victims, progress=progress, **choices)
        session = open_session(request, open_store(), progress)
        trained = len(session.train())
    failed = len(session.failures.jobs)
    planned = session.graph.jobs
    there = len(planned) - trained - len(planned.keys() & session.failures.jobs.keys())
    say(f"{trained} networks trained, {there} were there")
    if export is not None:
        session.export(export)
    if failed:
        raise CamobenchError(f"{failed} networks failed: {session.failures.summary()}")


@click.command(cls=Continuing)
@store_option
@out_option
@click.option(
    "--attacks",
    default=DEMO_ATTACKS,
    show_default=True,
    help="Names, `controls`, `preliminary`, `all`.",
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
@format_option
@quiet_option
@click.pass_context
def demo(context: click.Context, /, from_scratch: bool, smoke: bool, **choices: Any) -> None:
    """The paper's tables on simulated cameras, in minutes.

    Example: camobench demo --out demo-results
    """
    if smoke:
        console.print("[yellow]--smoke: networks of two steps; the numbers mean nothing[/]")
    context.invoke(
        run,
        suite="simcam-smoke-v2" if smoke else "simcam-mini-v2",
        recipe="smoke" if smoke else "mini",
        from_scratch=from_scratch or smoke,
        **choices,
    )


@click.command(cls=Continuing)
@suite_option
@click.option(
    "--attacks",
    default="all",
    show_default=True,
    help="Names, patterns, `controls`, `preliminary`, `all`.",
)
@click.option(
    "--victims", default="all", show_default=True, help="Names or patterns such as 'pef-*'."
)
@click.option(
    "--attack",
    "attack_specs",
    multiple=True,
    metavar="NAME|FILE.py:CLASS",
    help="Add its row to what the store holds; repeatable.",
)
@click.option(
    "--victim",
    "victim_specs",
    multiple=True,
    metavar="NAME|FILE.py:CLASS|timm:NAME",
    help="Add its column to what the store holds; repeatable.",
)
@front_end_option
@network_options
@out_option
@folder_options
@click.option(
    "--batch",
    type=click.IntRange(min=0),
    default=0,
    help="Images scored at a time; 0 takes what suits the device.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "mixed"]),
    default="fp32",
    show_default=True,
    help="mixed: the victims' backbones in bf16; `verify --precision` says what that moves.",
)
@click.option("--keep-fp32", default="", help="Victims that --precision mixed leaves alone.")
@click.option(
    "--keep-images", is_flag=True, help="Keep anonymised images: a new victim needs no generator."
)
@click.option(
    "--recompress",
    default="",
    metavar="QUALITIES",
    help="Score also after a JPEG save at 70,80,90,95; `camobench survival` shows it.",
)
@click.option(
    "--strength",
    "strengths",
    default="",
    metavar="SHARES",
    help="Score also with 0.25,0.5,0.75 of each attack's change; `camobench curves` shows it.",
)
@click.option(
    "--cell-timeout",
    "cell_timeout_s",
    type=click.FloatRange(min=0),
    default=3600.0,
    show_default=True,
    help="Seconds that an attack and its victims may take for 32 photographs; 0: no limit.",
)
@click.option(
    "--fit-timeout",
    "fit_timeout_s",
    type=click.FloatRange(min=0),
    default=0.0,
    help="Seconds that one training may take; 0, the default: no limit.",
)
@executor_option
@address_option
@click.option("--dry-run", is_flag=True, help="List the networks and cells that are missing.")
@click.option(
    "--nodes",
    default="",
    metavar="NUMBERS",
    help="With --dry-run: what all would take on 1,8,64 nodes, by the times that jobs took.",
)
@click.option(
    "--attack-seed", type=int, help="Of attacks and their surrogates, where it is another."
)
@format_option
@quiet_option
def run(
    attacks: str,
    victims: str,
    attack_specs: tuple[str, ...],
    victim_specs: tuple[str, ...],
    out: Path,
    dry_run: bool,
    nodes: str,
    **choices: Any,
) -> None:
    """Train and score whatever is missing of attacks x victims; resumes.

    --attack alone gives its row on all victims, beside the controls and the rows that are complete;
    --victim alone its column on every attack in the store. With --attacks or --victims, just these
    stand beside them. A class in a file of yours is FILE.py:CLASS, wherever a name goes.

    Example: camobench run --suite folder:photos --victims 'pef-*'
    """
    from bench.plan.beside import beside_columns, beside_rows
    from bench.plan.names.plugin_rows import recorded_plugins
    from bench.plan.request import evaluate_run, open_session
    from bench.report.tables.paper import render_run

    row, column = bool(attack_specs), bool(victim_specs)
    these_attacks, these_victims = is_given("attacks"), is_given("victims")
    opened, left = open_store(), dict[str, str]()
    with watched() as progress:
        request = make_request(
            attacks=[*attack_specs, *([attacks] if these_attacks or not (row or column) else [])],
            victims=[*victim_specs, *([victims] if these_victims or row or not column else [])],
            progress=progress,
            store=opened,
            **choices,
        )
        require_victims(request)
        if column and not these_attacks:
            names, left = recorded_plugins(request, opened)
            more = not row and not these_victims
            request = beside_columns(request, opened, add_victims=more, plug_ins=names)
        elif row and not these_attacks:
            request = beside_rows(request, opened)
        if not dry_run:
            made = evaluate_run(request, opened, out, progress)
    for name, reason in left.items():
        say(f"left out: attack {name}: {reason}")
    if dry_run:
        _print_missing(open_session(request, opened), nodes)
        return
    if len(request.conditions) > 1:
        say(f"under conditions: `camobench curves {out}`, `camobench survival {out}`")
    show_run(made, render_run(made, shared("format_")), opened)


def _print_missing(session: Session, nodes: str) -> None:
    from bench.plan.dry_run import find_missing, makespan_s, measured_tasks

    missing = find_missing(session)
    show_rows(missing.rows())
    say(missing.summary)
    if session.failures.noted:
        say(f"cannot be had: {session.failures.summary()}")
    if nodes:
        tasks, basis = measured_tasks(session)
        for count in _counts(nodes):
            hours = makespan_s(tasks, count) / 3600
            say(f"from scratch on {plural(count, 'node')}: {hours:.2f} h ({basis})")


def _counts(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) for part in parts):
        raise click.UsageError(f"--nodes {text}: give whole numbers from 1, such as 1,8,64")
    return [int(part) for part in parts]
