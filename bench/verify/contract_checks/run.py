"""All checks in reading order; what one raises, or ends its process, stops none of the others."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import TimeoutError as OverdueError
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from pebble import ProcessExpired

from bench.checks import use_exact_fp32
from bench.contract.global_state import kept_global_state
from bench.execute.local import begin_worker, how_it_ended, worker_pool
from bench.types import CamobenchError, Progress, Silent
from bench.verdicts import Verdict
from bench.verify.contract_checks import behaviour, building, outputs
from bench.verify.contract_checks.subject import Subject, fail, find_subjects, skip

SIGNATURES = {
    "transform": "def transform(self, images, targets)",
    "logits": "def logits(self, images)",
    "frontend": "def frontend(self, images)",
    "backbone": "def backbone(self, features)",
    "fit": "def fit(self, data, context)",
    "__init__": "def __init__(self, spec=None, *, classes=(), recipe=None)",
}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        name: The line's first column.
        run: Looks at a subject; what it raises is a failure too.
        needs: Checks without which it has nothing to look at: after a failure of one of them it is
            skipped, so that one fault is one line.
        kinds: What it is for.
    """

    name: str
    run: Callable[[Subject], Verdict]
    needs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("attack", "victim")


BUILT = ("build",)
RUNS = ("build", "range", "logits")
"""It can be built, and one batch of ordinary images goes through it."""
SIZES = (*RUNS, "sizes")
SAME = (*SIZES, "repeatable")
BOTH, ATTACK, VICTIM = ("attack", "victim"), ("attack",), ("victim",)
CHECKS = tuple(
    Check(name=name, run=run, needs=needs, kinds=kinds)
    for name, run, needs, kinds in (
        ("spec", building.check_spec, (), BOTH),
        ("build", building.check_build, (), BOTH),
        ("hyperparameters", building.check_hyperparameters, BUILT, BOTH),
        ("initial weights", building.check_start, BUILT, BOTH),
        ("imports", building.check_imports, (), BOTH),
        ("fit", building.check_fit, ("spec", "build", "imports"), BOTH),
        ("range", outputs.check_range, BUILT, ATTACK),
        ("picture", outputs.check_picture, ("build", "range"), ATTACK),
        ("logits", outputs.check_logits, BUILT, VICTIM),
        ("sizes", behaviour.check_sizes, RUNS, BOTH),
        ("repeatable", behaviour.check_repeatable, SIZES, BOTH),
        ("batch size", behaviour.check_batches, SAME, BOTH),
        ("company", behaviour.check_company, (*SAME, "batch size"), BOTH),
        ("inputs", behaviour.check_inputs, RUNS, BOTH),
        ("settings", behaviour.check_settings, RUNS, BOTH),
        ("device", behaviour.check_device, RUNS, BOTH),
        ("fit, again", building.check_fit_again, (*RUNS, "fit"), BOTH),
        ("state", building.check_state, SIZES, BOTH),
        ("key", building.check_key, (*RUNS, "fit"), BOTH),
        ("target", outputs.check_target, RUNS, ATTACK),
        ("parts", outputs.check_parts, RUNS, VICTIM),
        ("gradient", outputs.check_gradient, RUNS, VICTIM),
        ("copies", building.check_copies, BUILT, BOTH),
        ("speed", outputs.check_speed, RUNS, BOTH),
    )
)


def checks_for(kind: str) -> list[Check]:
    """Those that are for this kind."""
    return [check for check in CHECKS if kind in check.kinds]


def examine(subject: Subject, progress: Progress | None = None) -> Iterator[Verdict]:
    """Run every check that has something to look at, in this process."""
    return judge(subject.kind, subject.name, lambda check: run_check(check, subject), progress)


def judge(
    kind: str, name: str, run: Callable[[Check], Verdict], progress: Progress | None = None
) -> Iterator[Verdict]:
    """Run the checks of a kind, but for those that a failure leaves nothing to look at."""
    progress = progress or Silent()
    chosen = checks_for(kind)
    progress.start(f"checking {kind} {name}", len(chosen))
    failed: list[str] = []
    for check in chosen:
        lacking = [one for one in failed if one in check.needs]
        if lacking:
            found = replace(skip(f"not looked at, since {lacking[0]!r} failed"), check=check.name)
        else:
            found = run(check)
        if found.verdict == "fail":
            failed.append(check.name)
        yield found
        progress.advance()
    progress.finish()


def run_check(check: Check, subject: Subject) -> Verdict:
    """Run one check; whatever it raises is a failure with a place."""
    use_exact_fp32()
    try:
        with kept_global_state():
            found = check.run(subject)
    except torch.OutOfMemoryError:
        found = fail("the device ran out of memory", "make it smaller, or check it on the CPU")
    except CamobenchError as error:
        said, _, remedy = str(error).rpartition("; ")
        found = fail(said or str(error), remedy if said else "mend it")
    except (Exception, SystemExit) as error:
        if os.environ.get("CAMOBENCH_DEBUG"):
            traceback.print_exc()
        found = fail(_place(error, subject), _remedy(error, subject))
    return replace(found, check=check.name)


def together(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Neighbours that are skipped for one reason, in one line."""
    merged = []
    for key, group in groupby(verdicts, lambda one: (one.verdict, one.finding)):
        found = list(group)
        if key[0] == "skip":
            found = [replace(found[0], check=", ".join(one.check for one in found))]
        merged += found
    return merged


def _remedy(error: BaseException, subject: Subject) -> str:
    spec = subject.entry.spec
    if (
        isinstance(error, TypeError)
        and "NoneType" in str(error)
        and not getattr(spec, "targeted", True)
    ):
        return "an untargeted attack is handed targets=None: say AttackSpec(targeted=True)"
    wrong_call = isinstance(error, TypeError) and "argument" in str(error)
    found = next((text for name, text in SIGNATURES.items() if f"{name}()" in str(error)), "")
    if wrong_call and found:
        return f"write `{found}`"
    return "mend it; CAMOBENCH_DEBUG=1 shows the traceback"


def _place(error: BaseException, subject: Subject) -> str:
    """What was raised, and the last line of the plug-in's own that led there."""
    said = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
    frames = traceback.extract_tb(error.__traceback__)
    folders = {file.parent for file in subject.plugin.files} if subject.plugin else set()
    mine = [frame for frame in frames if Path(frame.filename).parent in folders]
    if not mine:
        return said
    return f"{Path(mine[-1].filename).name} line {mine[-1].lineno}: {said}"


LIMIT_S = 60.0
"""Of one check, and of importing a file."""


def examine_apart(
    text: str, device: str, progress: Progress, limit_s: float = LIMIT_S
) -> Iterator[Verdict]:
    """Check all that `my.py:MyAttack` or a registered name means.

    Raises:
        UnknownNameError: If nothing has the name.
        CamobenchError: If a file cannot be loaded.
    """
    pool = worker_pool(1, begin_worker, 1)

    def ask(function: Any, *arguments: Any) -> Any:
        return pool.schedule(function, (text, device, *arguments), timeout=limit_s).result()

    try:
        progress.start(f"opening {text}", 1)
        try:
            found = ask(_open)
        except OverdueError as error:
            raise CamobenchError(f"{text} took longer than {limit_s:g} s to import") from error
        except ProcessExpired as error:
            ended = how_it_ended(error.exitcode or 0)
            raise CamobenchError(f"{text} {ended} as it was imported; mend it") from error
        progress.finish()
        for position, (kind, name) in enumerate(found):
            ran: list[str] = []

            def run(check: Check, position: int = position, ran: list[str] = ran) -> Verdict:
                try:
                    verdict: Verdict = ask(_check, position, check.name, tuple(ran))
                    ran.append(check.name)
                except OverdueError:
                    said = f"did not end within {limit_s:g} s"
                    verdict = fail(said, "look for a loop that never ends, in C too")
                except ProcessExpired as error:
                    said = how_it_ended(error.exitcode or 0)
                    verdict = fail(said, "look for `os._exit`, memory, and calls into C")
                return replace(verdict, check=check.name)

            yield from judge(kind, name, run, progress)
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


_subjects: list[Subject] = []
_done: set[tuple[int, str]] = set()
"""Checks that this process has run: their order matters, for they train what later ones look at."""


def _open(text: str, device: str) -> list[tuple[str, str]]:
    if not _subjects:
        _subjects.extend(find_subjects(text, torch.device(device)))
    return [(subject.kind, subject.name) for subject in _subjects]


def _check(text: str, device: str, position: int, name: str, ran: Collection[str]) -> Verdict:
    """Run a check, after those that ran before it where their process has ended."""
    _open(text, device)
    subject = _subjects[position]
    checks = {check.name: check for check in checks_for(subject.kind)}
    for earlier in ran:
        if (position, earlier) not in _done:
            _done.add((position, earlier))
            run_check(checks[earlier], subject)
    _done.add((position, name))
    return run_check(checks[name], subject)
