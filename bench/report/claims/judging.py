"""A run's claims as tables and text, with the verdict on the paper's own tables beside each."""

from collections.abc import Iterable
from typing import Any

from bench.metrics.resampling import REPLICATES
from bench.records.run import RunData, once
from bench.report.claims.catalogue import LITTLE_RATIO, SPLITS, WEAK_POINTS, claims
from bench.report.claims.evidence import Measured, Published
from bench.report.claims.statement import Finding, Judgement, judge
from bench.report.tables.notes import origin_notes
from bench.report.tables.render import render
from bench.report.tables.table import NA, Shown, Table, number, signed, table_of

Judged = tuple[Judgement, Judgement]
"""A claim on a run, and on the paper's printed tables."""


@once
def judge_claims(run: RunData) -> tuple[Judged, ...]:
    """Judge every claim on a run and on the printed tables."""
    ours, paper = Measured(run), Published()
    return tuple((judge(one, ours), judge(one, paper)) for one in claims())


def claims_table(run: RunData) -> Table:
    """One row a claim, with its weakest comparison; the others are in its record."""
    columns: Shown[dict[str, Any]] = (
        ("Claim", lambda r: f"{r['claim']}. {r['statement']}"),
        (
            "Holding",
            lambda r: f"{r['comparisons_holding']} of {len(r['comparisons'])}" if r["unit"] else NA,
        ),
        (
            "Weakest comparison",
            lambda r: f"{r['weakest_comparison']} ({_criterion(r)})" if r["unit"] else NA,
        ),
        ("Figure", lambda r: _value(r, r["value"])),
        ("95 %", _interval),
        ("Verdict", lambda r: r["verdict"]),
        ("Paper", lambda r: r["published_verdict"]),
    )
    records = [_claim(run, *pair) for pair in judge_claims(run)]
    title = f"The paper's claims on {run.suite}"
    return table_of(title, columns, records, _notes(run), records)


def comparisons_table(run: RunData) -> Table:
    """One row a comparison."""
    columns: Shown[dict[str, Any]] = (
        ("Comparison", lambda r: f"{r['claim']}. {r['comparison']}"),
        ("Holds if", _criterion),
        ("Figure", lambda r: _value(r, r["value"])),
        ("95 %", _interval),
        (
            "Verdict",
            lambda r: r["verdict"] + ("" if r["verdict"] == "holds" else f" ({r['finding']})"),
        ),
        ("Paper's figure", lambda r: _value(r, r["published_value"])),
        ("Paper", lambda r: r["published_verdict"]),
    )
    records = [
        {
            "suite": run.suite,
            "claim": ours.claim.letter,
            "statement": ours.claim.statement,
            "claim_verdict": ours.verdict,
            "published_claim_verdict": paper.verdict,
            **comparison,
        }
        for ours, paper in judge_claims(run)
        for comparison in _comparisons(ours, paper)
    ]
    title = f"The comparisons behind the claims on {run.suite}"
    notes = ("Differences are in points of TASR; ratios are plain numbers.",)
    return table_of(title, columns, records, notes, records)


def render_claims(run: RunData, format: str) -> str:
    """Both tables as `md` or `tex`, comparisons as `csv`, or claims that hold theirs as `json`.

    Raises:
        ValueError: If the format is none of these.
    """
    tables = [render(one(run), format) for one in (claims_table, comparisons_table)]
    return {"csv": tables[1], "json": tables[0]}.get(format, "\n".join(tables))


def _claim(run: RunData, ours: Judgement, paper: Judgement) -> dict[str, Any]:
    here, there = ours.weakest, paper.weakest
    return {
        "suite": run.suite,
        "claim": ours.claim.letter,
        "statement": ours.claim.statement,
        "verdict": ours.verdict,
        "finding": ours.reason,
        "comparisons_holding": ours.holding if here else None,
        "weakest_comparison": here and here.comparison.title,
        **_figures(here),
        "published_verdict": paper.verdict,
        "published_finding": paper.reason,
        "published_weakest_comparison": there and there.comparison.title,
        "published_value": there and there.value,
        "comparisons": _comparisons(ours, paper),
    }


def _comparisons(ours: Judgement, paper: Judgement) -> list[dict[str, Any]]:
    return [
        {
            "comparison": finding.comparison.title,
            **_figures(finding),
            "verdict": finding.verdict,
            "finding": finding.reason,
            "published_value": printed.value,
            "published_verdict": printed.verdict,
        }
        for finding, printed in zip(ours.findings, paper.findings, strict=True)
    ]


def _figures(finding: Finding | None) -> dict[str, Any]:
    comparison = finding.comparison if finding else None
    return {
        "unit": comparison and comparison.unit,
        "holds_when": comparison and ("below" if comparison.below else "above"),
        "threshold": comparison and comparison.threshold,
        "value": finding and finding.value,
        "low": finding and finding.low,
        "high": finding and finding.high,
    }


def _criterion(record: dict[str, Any]) -> str:
    """`> 5`: where the figure must lie."""
    return f"{'<' if record['holds_when'] == 'below' else '>'} {record['threshold']:g}"


def _value(record: dict[str, Any], value: float | None) -> str:
    return signed(value) if record["unit"] == "points" else number(value, 2)


def _interval(record: dict[str, Any]) -> str:
    ends = [record[end] for end in ("low", "high") if record[end] is not None]
    return " to ".join(_value(record, end) for end in ends) or NA


def _notes(run: RunData) -> Iterable[str]:
    for ours, _ in judge_claims(run):
        if ours.verdict != "holds":
            yield f"{ours.claim.letter}: {ours.verdict}. {ours.reason}."
    yield (
        "Rows are named by their LAACs; † synthetic colour filter array. A claim holds if each of "
        "its comparisons does, a comparison if its whole 95 % interval lies on the claimed side. "
        "Where the interval spans the threshold the claim does not hold: this run does not bear "
        "it out. Not measured: a row, a split, a victim's rows or a family is missing."
    )
    rows = run.predictions
    photographs = rows.groupby("split")["photo_id"].nunique()
    counted = ", ".join(f"{photographs.get(split, 0)} {name}" for split, name in SPLITS.items())
    yield (
        f"95 %: bootstrap, {REPLICATES} draws of whole source photographs ({counted}), the "
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
    yield from origin_notes(run)
