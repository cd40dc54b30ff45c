"""Verdicts of checks, before the check's name is on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.verdicts import Verdict
from bench.verify.contract_checks.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        name: The line's first column.
        run: Looks at a subject; what it raises is a failure too.
        kinds: What it is for.
        needs: Checks without which it has nothing to look at: after a failure of one of them it is
            skipped, so that one fault is one line.
    """

    name: str
    run: Callable[[Subject], Verdict]
    kinds: tuple[str, ...] = ("attack", "victim")
    needs: tuple[str, ...] = ()


BUILT = ("build",)
RUNS = ("build", "range", "logits")
"""It can be built, and one batch of ordinary images goes through it."""
ANY_SIZE = (*RUNS, "sizes")


def ok(finding: str) -> Verdict:
    """It keeps the contract."""
    return Verdict(check="", verdict="ok", finding=finding)


def warn(finding: str, remedy: str) -> Verdict:
    """It works, but its author should know."""
    return Verdict(check="", verdict="warn", finding=finding, remedy=remedy)


def fail(finding: str, remedy: str) -> Verdict:
    """It does not keep the contract."""
    return Verdict(check="", verdict="fail", finding=finding, remedy=remedy)


def skip(finding: str) -> Verdict:
    """There is nothing to look at."""
    return Verdict(check="", verdict="skip", finding=finding)
