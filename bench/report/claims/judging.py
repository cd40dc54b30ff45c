"""A run's claims, each with its verdict, as tables, with that on the paper's own tables beside it.

With draws, a comparison holds if its whole 95 % interval lies on the claimed side. It does not hold
if the interval lies on the other side, nor if it spans the threshold: then the data do not bear the
claim out, and the finding says so. A claim holds if all its comparisons hold; it is not measured if
one of them cannot be made.
"""

from collections.abc import Iterable
from string import ascii_lowercase
from typing import Any

import numpy as np

from bench.metrics.resampling import REPLICATES, percentile_interval
from bench.records.run import RunData, once
from bench.report.claims.catalogue import LITTLE_RATIO, WEAK_POINTS, Comparison, Evidence, claims
from bench.report.claims.evidence import BOTH, Measured, Published, UnmeasuredError
from bench.report.tables.notes import AT_HAND, origin_notes, scenes_said
from bench.report.tables.render import render
from bench.report.tables.table import NA, Shown, Table, number, signed, table_of
from bench.types import SPLITS
from bench.wording import listed

Record = dict[str, Any]
HOLDS, FAILS, UNMEASURED = "holds", "does not hold", "not measured"
_RANGES = {"points": (-100.0, 100.0), "ratio": (1.0, np.inf)}
"""What figures may be; ratios are those of the largest to the smallest."""
_FIGURES = ("unit", "holds_when", "threshold", "value", "low", "high")


def compare(comparison: Comparison, evidence: Evidence) -> Record:
    """Make one comparison; its figures are `None` where there are none."""
    side, other = ("below", "above") if comparison.below else ("above", "below")
    limit = comparison.threshold
    record: Record = {
        "comparison": comparison.title,
        "unit": comparison.unit,
        "holds_when": side,
        "threshold": limit,
        **dict.fromkeys(("value", "low", "high")),
    }
    try:
        draws = comparison.figure(evidence)
    except UnmeasuredError as error:
        return record | {"verdict": UNMEASURED, "finding": str(error)}
    record["value"] = float(draws[0])
    if draws.size > 1:
        ends = percentile_interval(draws[1:], evidence.scenes(comparison.splits))
        record["low"], record["high"] = np.clip(ends, *_RANGES[comparison.unit]).tolist()
    margins = _margins(record)
    holds = min(margins) > 0
    finding = f"figure {'' if holds else 'not '}{side} {limit:g}"
    if len(margins) > 1:
        where = side if holds else other if max(margins) < 0 else "spans"
        finding = f"interval {where} {limit:g}"
    return record | {"verdict": HOLDS if holds else FAILS, "finding": finding}


def _margins(record: Record) -> list[float]:
    """How far the interval's ends, or the figure, lie on the claimed side; negative beyond it."""
    sign = -1 if record["holds_when"] == "below" else 1
    ends = [record[end] for end in ("low", "high") if record[end] is not None] or [record["value"]]
    return [sign * (end - record["threshold"]) for end in ends]


def judge(comparisons: Iterable[Comparison], evidence: Evidence) -> Record:
    """Make all comparisons of a claim; the figures are those of the weakest, if all were made."""
    made = [compare(one, evidence) for one in comparisons]
    if missing := [one["finding"] for one in made if one["verdict"] == UNMEASURED]:
        finding = "; ".join(dict.fromkeys(missing))
        empty = dict.fromkeys(("comparisons_holding", "weakest_comparison", *_FIGURES))
        return {"verdict": UNMEASURED, "finding": finding, **empty, "comparisons": made}
    holding, groups = 0, dict[str, list[str]]()
    for one in made:
        if one["verdict"] == HOLDS:
            holding += 1
        else:
            groups.setdefault(one["finding"], []).append(one["comparison"])
    parts = [f"{finding}: {listed(titles, 3)}" for finding, titles in groups.items()]
    some = f"{holding} of {len(made)} comparisons hold"
    weakest = min(made, key=lambda one: min(_margins(one)))
    return {
        "verdict": FAILS if groups else HOLDS,
        "finding": "; ".join([some, *parts]) if groups else f"all {len(made)} comparisons hold",
        "comparisons_holding": holding,
        "weakest_comparison": weakest["comparison"],
        **{name: weakest[name] for name in _FIGURES},
        "comparisons": made,
    }


@once
def claim_records(run: RunData) -> list[Record]:
    """Every claim judged on a run, with what the printed tables say of it and its comparisons."""
    ours, paper = Measured(run), Published()
    records = []
    for letter, (statement, comparisons) in zip(ascii_lowercase, claims().items(), strict=False):
        record, printed = judge(comparisons, ours), judge(comparisons, paper)
        made = [
            mine | {"published_value": its["value"], "published_verdict": its["verdict"]}
            for mine, its in zip(record.pop("comparisons"), printed["comparisons"], strict=True)
        ]
        record |= {
            f"published_{name}": printed[name]
            for name in ("verdict", "finding", "weakest_comparison", "value")
        }
        named = {"suite": run.suite, "claim": letter, "statement": statement}
        records.append({**named, **record, "comparisons": made})
    return records


def claims_table(run: RunData) -> Table:
    """One row a claim, with its weakest comparison; the others are in its record."""

    def weakest(record: Record) -> str:
        return f"{record['weakest_comparison']} ({_criterion(record)})" if record["unit"] else NA

    def holding(record: Record) -> str:
        all_ = len(record["comparisons"])
        return f"{record['comparisons_holding']} of {all_}" if record["unit"] else NA

    columns: Shown[Record] = (
        ("Claim", lambda r: f"{r['claim']}. {r['statement']}"),
        ("Holding", holding),
        ("Weakest comparison", weakest),
        ("Figure", lambda r: _value(r, r["value"])),
        ("95 %", _interval),
        ("Verdict", lambda r: r["verdict"]),
        ("Paper", lambda r: r["published_verdict"]),
    )
    records = claim_records(run)
    return table_of(f"The paper's claims on {run.suite}", columns, records, _notes(run), records)


def comparisons_table(run: RunData) -> Table:
    """One row a comparison."""

    def verdict(record: Record) -> str:
        said: str = record["verdict"]
        return said if said == HOLDS else f"{said} ({record['finding']})"

    columns: Shown[Record] = (
        ("Comparison", lambda r: f"{r['claim']}. {r['comparison']}"),
        ("Holds if", _criterion),
        ("Figure", lambda r: _value(r, r["value"])),
        ("95 %", _interval),
        ("Verdict", verdict),
        ("Paper's figure", lambda r: _value(r, r["published_value"])),
        ("Paper", lambda r: r["published_verdict"]),
    )
    records = [
        {
            **{name: claim[name] for name in ("suite", "claim", "statement")},
            "claim_verdict": claim["verdict"],
            "published_claim_verdict": claim["published_verdict"],
            **comparison,
        }
        for claim in claim_records(run)
        for comparison in claim["comparisons"]
    ]
    title = f"The comparisons behind the claims on {run.suite}"
    notes = ("Differences are in points of TASR; ratios are plain numbers.",)
    return table_of(title, columns, records, notes, records)


def render_claims(run: RunData, format: str) -> str:
    """Both tables as `md` or `tex`, comparisons as `csv`, or claims that hold theirs as `json`."""
    tables = [render(one(run), format) for one in (claims_table, comparisons_table)]
    return {"csv": tables[1], "json": tables[0]}.get(format, "\n".join(tables))


def _criterion(record: Record) -> str:
    """`> 5`: where the figure must lie."""
    return f"{'<' if record['holds_when'] == 'below' else '>'} {record['threshold']:g}"


def _value(record: Record, value: float | None) -> str:
    return signed(value) if record["unit"] == "points" else number(value, 2)


def _interval(record: Record) -> str:
    ends = [record[end] for end in ("low", "high") if record[end] is not None]
    return " to ".join(_value(record, end) for end in ends) or NA


def _notes(run: RunData) -> Iterable[str]:
    for one in claim_records(run):
        if one["verdict"] != HOLDS:
            yield f"{one['claim']}: {one['verdict']}. {one['finding']}."
    yield (
        "Rows are named by their LAACs; † synthetic colour filter array. A claim holds if each of "
        "its comparisons does, a comparison if its whole 95 % interval lies on the claimed side. "
        "Where the interval spans the threshold the claim does not hold: this run does not bear "
        "it out. Not measured: a row, a split, a victim's rows or a family is missing."
    )
    drawn = {split: run.predictions[run.predictions["split"] == split] for split in BOTH}
    counted = "; ".join(f"{SPLITS[split]} {scenes_said(rows)}" for split, rows in drawn.items())
    yield (
        f"95 %: bootstrap, {REPLICATES} draws of whole scenes ({counted}), the same "
        f"draws for all rows of a split; {AT_HAND}."
    )
    yield (
        f"Weak (e): lower by more than {WEAK_POINTS:g} points; the gaps in the paper's tables run "
        "from 8.5 to 52. Spread (f): the standard deviation over all victims, less what the "
        "chance of so few scenes adds to it. Little (g): the largest less than "
        f"{LITTLE_RATIO:g} times the smallest; the paper's LPIPS run from 0.03 to 0.05."
    )
    yield (
        "Paper: the same comparisons of the cells that Andrews, Zhang and Griffin 2020 print, for "
        "Dresden photographs, without intervals. They are recomputed from the cells of the three "
        "families, never from a Mean column: the UASR Mean of Table 2 is an erratum."
    )
    yield from origin_notes(run)
