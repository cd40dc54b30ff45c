"""What a folder of results held before a run wrote its own into it."""

from __future__ import annotations

import json
from pathlib import Path

from bench.wording import listed, plural

Cells = frozenset[tuple[str, str]]


def cells_in(folder: Path) -> Cells:
    """(attack, victim) of every cell that entries in a folder name; none of what is no entry."""
    found = set()
    for path in folder.glob("entry-*.json"):
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            failed = {cell["victim"] for cell in entry.get("failed", ())}
            names = {victim["name"] for victim in entry["victims"]} - failed
            found |= {(str(entry["attack"]["name"]), str(name)) for name in names}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
    return frozenset(found)


def replaced(before: Cells, after: Cells) -> str:
    """One line on the cells that are gone; "" where none is."""
    gone = before - after
    if not gone:
        return ""
    attacks, victims = ({cell[i] for cell in after} for i in (0, 1))
    rows = sorted({attack for attack, _ in gone} - attacks)
    columns = sorted({victim for _, victim in gone} - victims)
    named = [f"the attacks {listed(rows)}"] if rows else []
    named += [f"the victims {listed(columns)}"] if columns else []
    what = " and ".join(named) or plural(len(gone), "other cell")
    return (
        f"held {what} before, which this run did not ask for: they stay in the store, and a run "
        "that names them too shows them again"
    )
