"""A run's claims as tables and text, with the verdict on the paper's own tables beside each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.metrics.resampling import REPLICATES
from bench.records.run import RunData, once
from bench.report.claims.catalogue import LITTLE_RATIO, SPLITS, WEAK_POINTS, claims
from bench.report.claims.evidence import Measured, Published
from bench.report.claims.statement import Claim, Comparison, Finding, Judgement, judge
from bench.report.notes import origin_notes
from bench.report.render import render
from bench.report.table import NA, Row, Table, make_table


@dataclass(frozen=True, kw_only=True)
class ClaimReport:
    """Every claim, judged on a run and on the paper's printed tables."""

    run: RunData
    pairs: tuple[tuple[Judgement, Judgement], ...]
    replicates: int

    def comparisons(self) -> Iterator[tuple[Claim, Comparison, Finding, Finding]]:
        """Every comparison with what the run and the printed tables say to it."""
        for ours, paper in self.pairs:
            parts = (ours.claim.comparisons, ours.findings, paper.findings)
            for comparison, finding, printed in zip(*parts, strict=True):
                yield ours.claim, comparison, finding, printed


@once
def judge_claims(run: RunData, *, replicates: int = REPLICATES) -> ClaimReport:
    """Judge every claim on a run and on the printed tables."""
    ours, paper = Measured(run, replicates=replicates), Published()
    pairs = tuple((judge(one, ours), judge(one, paper)) for one in claims())
    return ClaimReport(run=run, pairs=pairs, replicates=replicates)


def claims_table(report: ClaimReport) -> Table:
    """One row a claim, with its weakest comparison; the others are in its record."""
    rows, records = [], []
    for ours, paper in report.pairs:
        here, there = ours.weakest, paper.weakest
        cells = [NA] * 4
        if here:
            holding = f"{ours.holding} of {len(ours.findings)}"
            cells = [holding, f"{here[0].title} ({here[0].criterion})", *_shown(*here)]
        name = f"{ours.claim.letter}. {ours.claim.statement}"
        rows.append(Row(kind="claim", name=name, cells=(*cells, ours.verdict, paper.verdict)))
        records.append(
            {
                "suite": report.run.suite,
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
                    _comparison(comparison, finding, printed)
                    for claim, comparison, finding, printed in report.comparisons()
                    if claim is ours.claim
                ],
            }
        )
    return make_table(
        f"The paper's claims on {report.run.suite}",
        ("Claim", "Holding", "Weakest comparison", "Figure", "95 %", "Verdict", "Paper"),
        rows,
        _notes(report),
        records,
    )


def comparisons_table(report: ClaimReport) -> Table:
    """One row a comparison."""
    rows, records = [], []
    verdicts = {ours.claim.letter: (ours.verdict, paper.verdict) for ours, paper in report.pairs}
    for claim, comparison, finding, printed in report.comparisons():
        because = "" if finding.verdict == "holds" else f" ({finding.reason})"
        cells = (
            comparison.criterion,
            *_shown(comparison, finding),
            f"{finding.verdict}{because}",
            _shown(comparison, printed)[0],
            printed.verdict,
        )
        rows.append(Row(kind="claim", name=f"{claim.letter}. {comparison.title}", cells=cells))
        verdict, paper = verdicts[claim.letter]
        records.append(
            {
                "suite": report.run.suite,
                "claim": claim.letter,
                "statement": claim.statement,
                "claim_verdict": verdict,
                "published_claim_verdict": paper,
                **_comparison(comparison, finding, printed),
            }
        )
    return make_table(
        f"The comparisons behind the claims on {report.run.suite}",
        ("Comparison", "Holds if", "Figure", "95 %", "Verdict", "Paper's figure", "Paper"),
        rows,
        ("Differences are in points of TASR; ratios are plain numbers.",),
        records,
    )


def render_claims(report: ClaimReport, format: str) -> str:
    """Both tables as `md` or `tex`, comparisons as `csv`, or claims that hold theirs as `json`.

    Raises:
        ValueError: If the format is none of these.
    """
    tables = [render(one(report), format) for one in (claims_table, comparisons_table)]
    return {"csv": tables[1], "json": tables[0]}.get(format, "\n".join(tables))


def _shown(comparison: Comparison, finding: Finding) -> tuple[str, str]:
    """Figure and interval."""
    if finding.value is None:
        return NA, NA
    style = "{:+.1f}" if comparison.unit == "points" else "{:.2f}"
    ends = [style.format(end) for end in (finding.low, finding.high) if end is not None]
    return style.format(finding.value), " to ".join(ends) or NA


def _notes(report: ClaimReport) -> Iterable[str]:
    for ours, _ in report.pairs:
        if ours.verdict != "holds":
            yield f"{ours.claim.letter}: {ours.verdict}. {ours.reason}."
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
    return {
        "unit": comparison and comparison.unit,
        "holds_when": comparison and ("below" if comparison.below else "above"),
        "threshold": comparison and comparison.threshold,
        "value": finding and finding.value,
        "low": finding and finding.low,
        "high": finding and finding.high,
    }
