"""The numbers behind the tables of claims, as flat records."""

from dataclasses import dataclass
from typing import Any

from bench.report.claims.statement import Comparison, Finding, Judgement


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One claim, judged on a run and on the paper's printed tables."""

    ours: Judgement
    paper: Judgement

    def printed(self, comparison: Comparison) -> Finding:
        """What the printed tables say to the same comparison."""
        return self.paper.findings[self.paper.claim.comparisons.index(comparison)]


def weakest(judgement: Judgement) -> tuple[Comparison, Finding] | None:
    """The comparison with the smallest margin, or `None` for a claim that is not measured."""
    if judgement.weakest is None:
        return None
    return judgement.claim.comparisons[judgement.weakest], judgement.findings[judgement.weakest]


def claim_record(suite: str, pair: Pair) -> dict[str, Any]:
    """A claim with its weakest comparison, and all its comparisons as a list of records."""
    ours, paper = pair.ours, pair.paper
    here, there = weakest(ours), weakest(paper)
    return {
        "suite": suite,
        "claim": ours.claim.letter,
        "statement": ours.claim.statement,
        "verdict": ours.verdict,
        "finding": ours.reason,
        "comparisons_holding": ours.holding if here else None,
        "weakest_comparison": here[0].title if here else None,
        **_figures(*(here or (None, None))),
        "published_verdict": paper.verdict,
        "published_finding": paper.reason,
        "published_weakest_comparison": there[0].title if there else None,
        "published_value": there[1].value if there else None,
        "comparisons": [
            _comparison(comparison, finding, pair.printed(comparison))
            for comparison, finding in zip(ours.claim.comparisons, ours.findings, strict=True)
        ],
    }


def comparison_records(suite: str, pair: Pair) -> list[dict[str, Any]]:
    """One flat record a comparison, with the verdicts on its claim."""
    ours = pair.ours
    head = {
        "suite": suite,
        "claim": ours.claim.letter,
        "statement": ours.claim.statement,
        "claim_verdict": ours.verdict,
        "published_claim_verdict": pair.paper.verdict,
    }
    return [
        head | _comparison(comparison, finding, pair.printed(comparison))
        for comparison, finding in zip(ours.claim.comparisons, ours.findings, strict=True)
    ]


def _comparison(comparison: Comparison, finding: Finding, printed: Finding) -> dict[str, Any]:
    return {
        "comparison": comparison.title,
        **_figures(comparison, finding),
        "verdict": finding.verdict,
        "finding": finding.reason,
        "published_value": printed.value,
        "published_verdict": printed.verdict,
    }


def _figures(comparison: Comparison | None, finding: Finding | None) -> dict[str, Any]:
    side = None if comparison is None else "below" if comparison.below else "above"
    return {
        "unit": comparison.unit if comparison else None,
        "holds_when": side,
        "threshold": comparison.threshold if comparison else None,
        "value": finding.value if finding else None,
        "low": finding.low if finding else None,
        "high": finding.high if finding else None,
    }
