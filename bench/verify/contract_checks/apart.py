"""Checks in a worker process: what ends or hangs it fails one check, and the others go on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import TimeoutError as OverdueError
from dataclasses import replace
from typing import Any

import torch
from pebble import ProcessExpired

from bench.execute.local import begin_worker, how_it_ended, worker_pool
from bench.types import CamobenchError, Progress
from bench.verdicts import Verdict
from bench.verify.contract_checks.run import checks_for, judge, run_check
from bench.verify.contract_checks.subject import Subject, find_subjects
from bench.verify.contract_checks.verdicts import Check, fail

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
