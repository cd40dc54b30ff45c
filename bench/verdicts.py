"""What a check of a result or of a machine found; shared by `verify` and `doctor`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check.

    Attributes:
        check: What was looked at: a file, an attack's rows, a part of the machine.
        verdict: "skip" where it could not be looked at, which is no failure.
        finding: For people.
        remedy: What to do; empty where nothing is to be done.
    """

    check: str
    verdict: Outcome
    finding: str
    remedy: str = ""


def failed(verdicts: Iterable[Verdict]) -> list[str]:
    """The checks that failed, each once."""
    return list(dict.fromkeys(one.check for one in verdicts if one.verdict == "fail"))


def verdict_rows(verdicts: Iterable[Verdict], *, remedies: bool = False) -> list[dict[str, str]]:
    """Plain rows for printing."""
    return [
        {"check": one.check, "verdict": one.verdict, "finding": one.finding}
        | ({"remedy": one.remedy} if remedies else {})
        for one in verdicts
    ]
