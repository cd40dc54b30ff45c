"""All checks in reading order; what one raises stops none of the others."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from bench.checks import use_exact_fp32
from bench.deadlines import OverdueError, deadline
from bench.runner.contract_checks import behaviour, building, outputs, speed, training
from bench.runner.contract_checks.subject import Subject
from bench.runner.contract_checks.verdicts import Check, fail
from bench.types import Progress, Silent
from bench.verdicts import Verdict

LIMIT_S = 60.0
CHECKS: tuple[Check, ...] = (
    *building.CHECKS,
    *training.CHECKS,
    *behaviour.CHECKS,
    *outputs.CHECKS,
    *building.LATER,
    *speed.CHECKS,
)


def checks_for(kind: str) -> list[Check]:
    """Those that are for this kind."""
    return [check for check in CHECKS if kind in check.kinds]


def examine(
    subject: Subject, progress: Progress | None = None, limit_s: float = LIMIT_S
) -> Iterator[Verdict]:
    """Run every check; each may take `limit_s` seconds."""
    use_exact_fp32()
    progress = progress or Silent()
    chosen = checks_for(subject.kind)
    progress.start(f"checking {subject.kind} {subject.name}", len(chosen))
    for check in chosen:
        yield run_check(check, subject, limit_s)
        progress.advance()
    progress.finish()


def run_check(check: Check, subject: Subject, limit_s: float = LIMIT_S) -> Verdict:
    """Run one check; whatever it raises is a failure with a place."""
    try:
        with deadline(limit_s, "the check"):
            found = check.run(subject)
    except OverdueError:
        found = fail(f"did not end within {limit_s:g} s", "look for a loop that never ends")
    except torch.OutOfMemoryError:
        found = fail("the device ran out of memory", "make it smaller, or check it on the CPU")
    except (Exception, SystemExit) as error:
        if os.environ.get("CAMOBENCH_DEBUG"):
            traceback.print_exc()
        found = fail(_place(error, subject), "mend it; CAMOBENCH_DEBUG=1 shows the traceback")
    return replace(found, check=check.name)


def _place(error: BaseException, subject: Subject) -> str:
    """What was raised, and the last line of the plug-in's own that led there."""
    said = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
    frames = traceback.extract_tb(error.__traceback__)
    folders = {file.parent for file in subject.plugin.files} if subject.plugin else set()
    mine = [frame for frame in frames if Path(frame.filename).parent in folders]
    if not mine:
        return said
    return f"{Path(mine[-1].filename).name} line {mine[-1].lineno}: {said}"
