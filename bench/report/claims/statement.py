"""What a claim is, and how it is judged.

A claim is made of comparisons, each a figure that must lie beyond a threshold. With draws, a
comparison holds if its whole 95 % interval does. It does not hold if the interval lies on the other
side, nor if it spans the threshold: then the data do not bear the claim out, and the finding says
so. A claim holds if all its comparisons hold; it is not measured if one of them cannot be made.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.metrics.resampling import percentile_interval
from bench.records.participants import RowKey
from bench.wording import listed

Ruling = Literal["holds", "does not hold", "not measured"]
Draws: TypeAlias = NDArray[np.float64]
"""(1 + B,): a figure, then the same from each of B draws; B is 0 for printed figures."""


class UnmeasuredError(LookupError):
    """A figure that cannot be had; the message says what is missing."""


class Evidence(Protocol):
    """Where figures come from. All raise `UnmeasuredError`; TASR is in per cent."""

    def mean(self, row: RowKey, split: str, families: Sequence[str]) -> Draws:
        """TASR, averaged over the architectures of each family and then over families."""

    def spread(self, row: RowKey, split: str) -> Draws:
        """Sample standard deviation of the TASR over all victims."""

    def lpips(self, row: RowKey, split: str) -> Draws:
        """Mean LPIPS of the images."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A figure and where it must lie.

    Attributes:
        title: What is compared, rows by their labels.
        figure: Takes it from the evidence.
        unit: "points" (of TASR) or "ratio".
        threshold: Where the claimed side begins.
        below: Whether the claimed side is below the threshold.
    """

    title: str
    figure: Callable[[Evidence], Draws]
    unit: Literal["points", "ratio"] = "points"
    threshold: float = 0.0
    below: bool = False


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement and the comparisons that it stands or falls by."""

    letter: str
    statement: str
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What came of a comparison; the figures are `None` where there are none.

    Attributes:
        margin: How far the interval's nearer end lies on the claimed side; negative beyond it.
    """

    comparison: Comparison
    verdict: Ruling
    reason: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float = math.nan


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What came of a claim: its findings, one a comparison, in their order."""

    claim: Claim
    findings: tuple[Finding, ...]

    @property
    def holding(self) -> int:
        """How many comparisons hold."""
        return sum(finding.verdict == "holds" for finding in self.findings)

    @property
    def verdict(self) -> Ruling:
        """Of the claim."""
        if any(finding.verdict == "not measured" for finding in self.findings):
            return "not measured"
        return "holds" if self.holding == len(self.findings) else "does not hold"

    @property
    def weakest(self) -> Finding | None:
        """The finding of the smallest margin; `None` if the claim is not measured."""
        if self.verdict == "not measured":
            return None
        return min(self.findings, key=lambda finding: finding.margin)

    @property
    def reason(self) -> str:
        """What is missing, or which comparisons fail and how."""
        if self.verdict == "not measured":
            missing = (one.reason for one in self.findings if one.verdict == "not measured")
            return "; ".join(dict.fromkeys(missing))
        total, groups = len(self.findings), dict[str, list[str]]()
        for finding in self.findings:
            if finding.verdict != "holds":
                groups.setdefault(finding.reason, []).append(finding.comparison.title)
        if not groups:
            return f"all {total} comparisons hold"
        parts = [f"{reason}: {listed(titles, 3)}" for reason, titles in groups.items()]
        return "; ".join([f"{self.holding} of {total} comparisons hold", *parts])


def compare(comparison: Comparison, evidence: Evidence) -> Finding:
    """Make one comparison."""
    try:
        draws = comparison.figure(evidence)
    except UnmeasuredError as error:
        return Finding(comparison=comparison, verdict="not measured", reason=str(error))
    value, interval = float(draws[0]), None
    if draws.size > 1:
        interval = percentile_interval(draws[1:])
    low, high = interval or (None, None)
    sign = -1 if comparison.below else 1
    ends = [sign * (end - comparison.threshold) for end in interval or (value, value)]
    claimed, other = ("below", "above") if comparison.below else ("above", "below")
    holds = min(ends) > 0
    if interval:
        side = claimed if holds else other if max(ends) < 0 else "spans"
        reason = f"interval {side} {comparison.threshold:g}"
    else:
        reason = f"figure {'' if holds else 'not '}{claimed} {comparison.threshold:g}"
    return Finding(
        comparison=comparison,
        verdict="holds" if holds else "does not hold",
        reason=reason,
        value=value,
        low=low,
        high=high,
        margin=min(ends),
    )


def judge(claim: Claim, evidence: Evidence) -> Judgement:
    """Make all comparisons of a claim."""
    findings = tuple(compare(comparison, evidence) for comparison in claim.comparisons)
    return Judgement(claim=claim, findings=findings)
