"""Boards as Markdown, CSV, LaTeX and JSON."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from bench.metrics.resampling import REPLICATES, percent
from bench.records.metric import headline, row_metrics
from bench.report.comparison.ranking import TOLD_APART
from bench.report.conditions.curve_tables import WHOLE, at_record
from bench.report.leaderboard.boards import Board
from bench.report.leaderboard.standing import Standing, Standings
from bench.report.leaderboard.submissions import LeftOut
from bench.report.tables.notes import AT_HAND, MARK, origin_notes, scenes_said
from bench.report.tables.render import render
from bench.report.tables.table import (
    NA,
    Heading,
    Row,
    Table,
    ends_record,
    kind_of,
    make_table,
    number,
    section,
)
from bench.types import SPLITS
from bench.wording import listed, plural

NOT_RANKED = "–"


def board_table(standings: Standings, split: str) -> Table:
    """Attacks of one split by mean TASR; below, what is not ranked."""
    board, found = standings.board, standings.by_split[split]
    level = (f"At {standings.level} (95 %)",) if standings.level else ()
    labels = ("Rank (95 %)", "Tie group", *level, "Mean (95 %)", "Worst victim")
    columns: list[Heading] = [
        "Attack",
        *((m.title, label) for m in row_metrics(split) for label in labels),
    ]
    columns += [metric.axis for metric in board.run.metrics]
    columns += [f"{name.capitalize()} AUC" for name in standings.aucs]
    columns.append("Scored")
    rows = [_row(standings, one) for one in found]
    unranked = next((place for place, one in enumerate(found) if not one.is_ranked), None)
    if unranked is not None:
        rows.insert(unranked, section("Not ranked", len(columns)))
    title = f"{board.title}: attacks {SPLITS[split]}"
    records = (_record(board, one) for one in found)
    return make_table(title, columns, rows, _notes(standings, split, rows), records)


def render_boards(
    boards: Sequence[Standings], format_: str, left_out: Sequence[LeftOut] = ()
) -> str:
    """All boards one after the other: "md", "tex", "csv" (one table) or "json" (one object).

    Args:
        boards: At least one.
        format_: Of the text.
        left_out: Folders that are on no board; "md" and "json" name them.

    Raises:
        ValueError: If the format is none of these.
    """
    tables = [[board_table(one, split) for split in one.by_split] for one in boards]
    if format_ == "csv":
        records = tuple(record for found in tables for table in found for record in table.records)
        return render(make_table("", (), (), (), records), "csv")
    if format_ == "json":
        content = [
            _about(one.board) | {"tables": [json.loads(render(table, "json")) for table in found]}
            for one, found in zip(boards, tables, strict=True)
        ]
        refused = {one.name: list(one.reasons) for one in left_out}
        whole = {"boards": content, "left_out": refused}
        return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    parts = [render(table, format_) for found in tables for table in found]
    if format_ != "md":
        return "\n".join(parts)
    named = [f"- {one.name}: {'; '.join(one.reasons)}" for one in left_out]
    below = ["## Left out\n", *named, ""] if named else []
    return "\n".join(["# Leaderboards\n", *parts, *below])


def rank_text(rank: dict[str, Any] | None) -> tuple[str, str]:
    """Rank with its interval, and tie group, for reading."""
    if rank is None:
        return NOT_RANKED, NOT_RANKED
    return f"{rank['rank']} ({rank['rank_low']}–{rank['rank_high']})", str(rank["tie_group"])


def _row(standings: Standings, one: Standing) -> Row:
    cells: list[str] = []
    for name in (metric.name for metric in row_metrics(one.split)):
        worst = f"{number(one.worst[name][1])} ({one.worst[name][0]})" if name in one.worst else NA
        at = [one.level_text(name)] if standings.level else []
        cells += [*rank_text(one.ranks.get(name)), *at, one.mean_text(name), worst]
    cells += [number(one.record[m.name], m.digits) for m in standings.board.run.metrics]
    cells += [number(one.aucs[name][0], 2) if name in one.aucs else NA for name in standings.aucs]
    caption = f": {one.attack.caption}" if one.attack.caption else ""
    mark = "" if one.kind == "attack" else f" ({one.kind})"
    return Row(
        kind=kind_of(one.attack),
        name=f"{one.attack.name}{caption}{mark}",
        cells=(*cells, one.scored_text),
    )


def _record(board: Board, one: Standing) -> dict[str, Any]:
    record: dict[str, Any] = {
        "board": board.slug,
        "suite": board.run.suite,
        "recipe": board.run.recipe,
        "split": one.split,
        "attack": one.attack.name,
        "label": one.attack.caption or one.attack.name,
        "kind": one.kind,
        "attack_key": one.attack.key,
        "attack_digest": one.attack.digest,
        "folders": "+".join(source.folder for source in board.sources[one.attack.name]),
    }
    for name in (metric.name for metric in row_metrics()):
        rank, worst = one.ranks.get(name, {}), one.worst.get(name, (None, None))
        for figure in ("rank", "rank_low", "rank_high", "tie_group"):
            record[f"{name}_{figure}"] = rank.get(figure)
        for figure in ("mean", "mean_std", "mean_low", "mean_high"):
            record[f"{name}_{figure}_percent"] = one.record[f"{name}_{figure}_percent"]
        record |= at_record((one.curves or {}).get(name), f"{name}_at_level")
        record |= {f"{name}_worst_victim": worst[0], f"{name}_worst_victim_percent": worst[1]}
    record |= {metric.name: one.record[metric.name] for metric in board.run.metrics}
    for name, auc in one.aucs.items():
        record |= ends_record(f"{name}_auc", auc)
    return record | {"scored": one.scored[0], "expected": one.scored[1]}


def _about(board: Board) -> dict[str, Any]:
    run = board.run
    return {
        "board": board.slug,
        "title": board.title,
        "suite": run.suite,
        "fingerprint": run.fingerprint,
        "classes": list(run.classes),
        "recipe": run.recipe,
        "scorer_version": run.scorer_version,
        "lpips": run.lpips_version,
        "precision": board.precision,
        "audit": run.audit,
        "folders": list(dict.fromkeys(one.name for one in board.submissions)),
        "victims": {victim.name: victim.digest for victim in run.victims},
        "apart": dict(board.apart),
    }


def _notes(standings: Standings, split: str, rows: Sequence[Row]) -> Iterable[str]:
    board, scored = standings.board, standings.board.run.predictions
    drawn = scenes_said(scored[scored["split"] == split])
    yield (
        "Mean: over families of means over architectures, in %, over "
        f"{plural(len(board.panel), 'victim')}. 95 %: {REPLICATES} draws of whole scenes "
        f"({drawn}), the same for all attacks; {AT_HAND}."
    )
    yield f"{TOLD_APART} Worst victim: the one on which the attack succeeds least."
    yield (
        "Ranked are attacks that were scored in full on these victims, and controls that are "
        "targeted, without preliminary ones. Untargeted attacks have no "
        f"{headline().title}, and no rank by it."
    )
    if standings.level:
        yield (
            f"Ranks and tie groups are those of success at {standings.level}, each attack at the "
            f"strength that distorts so much, between two that were scored; {WHOLE}: at full "
            "strength, which distorts less; one that distorts more and was scored at no weaker "
            "strength has no rank: run it with `--strength 0.25,0.5,0.75`. Means, cells and "
            "distortions are at full strength. "
            f"Untouched images: {_nothing(standings, split)}."
        )
    else:
        yield (
            "Ranks are those of full strength, at whatever distortion each attack has: run with "
            "`--strength 0.25,0.5,0.75` to rank at equal distortion."
        )
    if "detection" in standings.aucs:
        yield (
            "Detection AUC: of detectors trained on the other attacks of the first folder; "
            "anonymised against untouched images, saved alike; 0.5 is unnoticed (`detect`)."
        )
    if "device" in standings.aucs:
        yield (
            "Device AUC: chance that an anonymised image fits its own device's fingerprint better "
            "than one fits another's; 0.5 hides the device (`linkage`)."
        )
    if any(MARK in cell for row in rows for cell in row.cells):
        yield (
            f"{MARK}: over what was scored alone, so not to be compared with the other means: see "
            "below."
        )
    yield from board.notes
    yield from gap_notes(standings, split)
    entries = [one.entry for sources in board.sources.values() for one in sources]
    yield from origin_notes(board.run, entries)
    for other, reason in board.apart:
        yield f"Not in one table with {other}: {reason}."


def _nothing(standings: Standings, split: str) -> str:
    """What attacks at strength 0 achieve, for people."""
    found: dict[str, str] = {}
    for one in standings.by_split[split]:
        for metric in row_metrics(split):
            if one.complete and (curve := (one.curves or {}).get(metric.name)):
                text = number(percent(curve.points[0].success)[0])
                found.setdefault(metric.title, f"{metric.title} {text} %")
    return ", ".join(found.values())


def gap_notes(standings: Standings, split: str) -> Iterable[str]:
    """What was not, or not wholly, scored: on any victim of the board."""
    empty: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    in_part = []
    for one in standings.by_split[split]:
        name, cells, holes = one.attack.name, one.cells[headline().name], dict[str, list[str]]()
        for victim in (victim for victim, cell in cells.items() if cell.hole):
            reason = standings.board.why_missing(name, victim)
            holes.setdefault(reason, []).append(victim)
        for reason, victims in holes.items():
            empty.setdefault((reason, tuple(victims)), []).append(name)
        if partial := [f"{v} {c.rows} of {c.expected}" for v, c in cells.items() if c.partial]:
            in_part.append(f"{name}: partial on {', '.join(partial)}; nothing is filled in.")
    for (reason, shared), attacks in empty.items():
        yield f"{listed(attacks, 4)}: no rows for {listed(shared, 3)}: {reason}."
    yield from in_part
