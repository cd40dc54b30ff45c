"""What the page of a board shows."""

from typing import Any

from bench.report.leaderboard.charts import FIDELITIES, Scatter, success_scatter
from bench.report.leaderboard.context import Context
from bench.report.leaderboard.heat import build_heat_map, mean_order
from bench.report.leaderboard.standing import VIEWS
from bench.report.leaderboard.tables import board_table
from bench.report.samples import most_complete

CAMERAS = {"cameras.png": "One scene through all simulated cameras."}


def board_page(context: Context) -> dict[str, Any]:
    """Values for `board.html.j2`."""
    board, standings = context.board, context.standings
    scatters = _scatters(context)
    suites = (source.entry["suite"] for found in board.sources.values() for source in found)
    return {
        "heat": build_heat_map(standings, context.attack_slug),
        "tables": {split: board_table(standings, split) for split in context.splits},
        "published": {
            split: table if any(row.kind == "published" for row in table.rows) else None
            for split, table in standings.tables.items()
        },
        "orders": {
            f"{measure}-{split}": mean_order(standings, measure, split)
            for measure, split in VIEWS
            if split in context.splits
        },
        "scatters": scatters,
        "empty": [
            (split, measure)
            for measure, split in VIEWS
            if split in context.splits
            and not any((s.split, s.measure) == (split, measure) for s in scatters)
        ],
        "fidelities": [name for name in FIDELITIES if any(s.fidelity == name for s in scatters)],
        "survival": context.survival,
        "survival_notes": context.survival_notes,
        "shares": context.shares,
        "leaders": {
            split: [s for s in found if "tasr" in s.ranks and s.ranks["tasr"].tie_group == 1]
            for split, found in standings.by_split.items()
        },
        "audit": next((suite["audit"] for suite in suites if suite.get("audit")), None),
        "pictures": context.pictures(CAMERAS | figure3(most_complete(board.run.attacks))),
        "more": context.more(),
        "entries": [
            (name, source, context.source_links(source))
            for name in sorted(board.sources)
            for source in board.sources[name]
        ],
    }


def figure3(attack: str | None) -> dict[str, str]:
    """The run's Figure 3 and what it shows."""
    by = f" by {attack}" if attack else ""
    return {"figure3.png": f"Above: photographs. Below: the same, anonymised{by}."}


def _scatters(context: Context) -> list[Scatter]:
    found = (
        success_scatter(context.standings.by_split[split], measure, fidelity)
        for measure, split in VIEWS
        if split in context.splits
        for fidelity in FIDELITIES
    )
    return [one for one in found if one is not None]
