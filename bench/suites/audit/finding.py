"""What a check found, and how findings are worded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

from bench.wording import listed

Outcome: TypeAlias = Literal["pass", "warn", "fail", "not recorded"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The outcome of one check.

    Attributes:
        check: What was checked.
        finding: For people; up to its first semicolon it can stand alone.
    """

    check: str
    verdict: Outcome
    finding: str

    @property
    def headline(self) -> str:
        """The finding in short."""
        return self.finding.split("; ")[0]


def spread(frame: pd.DataFrame, key: str, over: str) -> dict[str, list[str]]:
    """The values of `key` that occur with two or more values of `over`, with these."""
    pairs = frame[[key, over]].drop_duplicates()
    repeated = pairs[pairs[key].duplicated(keep=False)]
    return {
        str(name): sorted(map(str, group[over]))
        for name, group in repeated.groupby(key, sort=False)
    }


def places(found: Mapping[str, Sequence[str]]) -> str:
    """Name what `spread` found: "d1 (A, B), d2 (A, C)"."""
    return listed(f"{name} ({', '.join(values)})" for name, values in found.items())
