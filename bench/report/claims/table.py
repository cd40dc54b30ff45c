"""A run's claims as tables and text, with the verdict on the paper's own tables beside each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bench.metrics.resampling import REPLICATES
from bench.records.run import RunData, once
from bench.report.claims.catalogue import LITTLE_RATIO, SPLITS, WEAK_POINTS, claims
from bench.report.claims.evidence import Measured, Published
from bench.report.claims.statement import Comparison, Finding, Judgement, judge
from bench.report.notes import origin_notes
from bench.report.render import render
from bench.report.table import NA, Row, Table, make_table


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One claim, judged on a run and on the paper's printed tables."""

    ours: Judgement
    paper: Judgement

    def printed(self, comparison: Comparison) -> Finding:
        """What the printed tables say to the same comparison."""
        return self.paper.findings[self.paper.claim.comparisons.index(comparison)]


@dataclass(frozen=True, kw_only=True)
class ClaimReport:
    """Every claim, judged on a run and on the paper's printed tables."""

    run: RunData
    pairs: tuple[Pair, ...]
    replicates: int


@once
def judge_claims(run: RunData, *, replicates: int = REPLICATES) -> ClaimReport:
    """Judge every claim on a run and on the printed tables."""
    ours, paper = Measured(run, replicates=replicates), Published()
    return ClaimReport(
        run=run,
        pairs=tuple(Pair(ours=judge(one, ours), paper=judge(one, paper)) for one in claims()),
        replicates=replicates,
    )


def claims_table(report: ClaimReport) -> Table:
    """One row a claim, with its weakest comparison; the others are in its record."""
    rows = []
    for pair in report.pairs:
        ours, here = pair.ours, _weakest(pair.ours)
        cells = [NA] * 4
        if here:
            cells = [
                f"{ours.holding} of {len(ours.findings)}",
                f"{here[0].title} ({here[0].criterion})",
                *_shown(*here),
            ]
        name = f"{ours.claim.letter}. {ours.claim.statement}"
        rows.append(Row(kind="claim", name=name, cells=(*cells, ours.verdict, pair.paper.verdict)))
    return make_table(
        f"The paper's claims on {report.run.suite}",
        ("Claim", "Holding", "Weakest comparison", "Figure", "95 %", "Verdict", "Paper"),
        rows,
        _notes(report),
        [_claim_record(report.run.suite, pair) for pair in report.pairs],
    )


def comparisons_table(report: ClaimReport) -> Table:
    """One row a comparison."""
    rows = []
    for pair in report.pairs:
        claim = pair.ours.claim
        for comparison, finding in zip(claim.comparisons, pair.ours.findings, strict=True):
            printed = pair.printed(comparison)
            verdict = finding.verdict
            because = "" if verdict == "holds" else f" ({finding.reason})"
            cells = (
                comparison.criterion,
                *_shown(comparison, finding),
                f"{verdict}{because}",
                _shown(comparison, printed)[0],
                printed.verdict,
            )
            rows.append(Row(kind="claim", name=f"{claim.letter}. {comparison.title}", cells=cells))
    return make_table(
        f"The comparisons behind the claims on {report.run.suite}",
        ("Comparison", "Holds if", "Figure", "95 %", "Verdict", "Paper's figure", "Paper"),
        rows,
        ("Differences are in points of TASR; ratios are plain numbers.",),
        [record for pair in report.pairs for record in _comparison_records(report.run.suite, pair)],
    )


def render_claims(report: ClaimReport, format: str) -> str:
    """Both tables as `md` or `tex`, comparisons as `csv`, or claims that hold theirs as `json`.

    Raises:
        ValueError: If the format is none of these.
    """
    if format == "csv":
        return render(comparisons_table(report), format)
    summary = render(claims_table(report), format)
    return (
        summary if format == "json" else f"{summary}\n{render(comparisons_table(report), format)}"
    )


def _shown(comparison: Comparison, finding: Finding | None) -> tuple[str, str]:
    """Figure and interval."""
    if finding is None or finding.value is None:
        return NA, NA
    style = "{:+.1f}" if comparison.unit == "points" else "{:.2f}"
    interval = NA
    if finding.low is not None:
        interval = f"{style.format(finding.low)} to {style.format(finding.high)}"
    return style.format(finding.value), interval


def _notes(report: ClaimReport) -> Iterable[str]:
    for pair in report.pairs:
        if pair.ours.verdict != "holds":
            yield f"{pair.ours.claim.letter}: {pair.ours.verdict}. {pair.ours.reason}."
    yield (
        "Rows are named by their LAACs; † synthetic colour filter array. A claim holds if each of "
        "its comparisons does, a comparison if its whole 95 % interval lies on the claimed side. "
        "Where the interval spans the threshold the claim does not hold: this run does not bear "
        "it out. Not measured: a row, a split, a victim's rows or a family is missing."
    )
    rows = report.run.predictions
    photographs = rows.groupby("split")["photo_id"].nunique()
    counted = ", ".join(f"{photographs.get(split, 0)} {name}" for split, name in SPLITS.items())
    yield (
        f"95 %: bootstrap, {report.replicates} draws of whole source photographs ({counted}), the "
        "same draws for all rows of a split; conditional on the trained networks at hand."
    )
    yield (
        f"Weak (e): lower by more than {WEAK_POINTS:g} points; the gaps in the paper's tables run "
        f"from 8.5 to 52. Little (g): the largest less than {LITTLE_RATIO:g} times the smallest; "
        "the paper's LPIPS run from 0.03 to 0.05."
    )
    yield (
        "Paper: the same comparisons of the cells that Andrews, Zhang and Griffin 2020 print, for "
        "Dresden photographs, without intervals. They are recomputed from the cells of the three "
        "families, never from a Mean column: the UASR Mean of Table 2 is an erratum."
    )
    yield from origin_notes(report.run)


def _weakest(judgement: Judgement) -> tuple[Comparison, Finding] | None:
    """The comparison with the smallest margin, or `None` for a claim that is not measured."""
    if judgement.weakest is None:
        return None
    return judgement.claim.comparisons[judgement.weakest], judgement.findings[judgement.weakest]


def _claim_record(suite: str, pair: Pair) -> dict[str, Any]:
    """A claim with its weakest comparison, and all its comparisons as a list of records."""
    ours, paper = pair.ours, pair.paper
    here, there = _weakest(ours), _weakest(paper)
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


def _comparison_records(suite: str, pair: Pair) -> list[dict[str, Any]]:
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
