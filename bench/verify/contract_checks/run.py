"""All checks in reading order; what one raises stops none of the others."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import torch

from bench.checks import use_exact_fp32
from bench.contract.global_state import kept_global_state
from bench.types import CamobenchError, Progress, Silent
from bench.verdicts import Verdict
from bench.verify.contract_checks import behaviour, building, outputs, speed, training
from bench.verify.contract_checks.subject import Subject
from bench.verify.contract_checks.verdicts import Check, fail, skip

SIGNATURES = {
    "transform": "def transform(self, images, targets)",
    "logits": "def logits(self, images)",
    "frontend": "def frontend(self, images)",
    "backbone": "def backbone(self, features)",
    "fit": "def fit(self, data, context)",
    "__init__": "def __init__(self, spec=None, *, classes=(), recipe=None)",
}
CHECKS: tuple[Check, ...] = (
    *building.CHECKS,
    *training.CHECKS,
    *outputs.CHECKS,
    *behaviour.CHECKS,
    *training.LATER,
    *outputs.LATER,
    *building.LATER,
    *speed.CHECKS,
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
