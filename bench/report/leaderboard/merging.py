"""Submissions that may share a board, as one run: one row a cell, each attack under one name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from bench.records.entry import Entry
from bench.records.participants import FAMILIES, AttackRecord, VictimRecord
from bench.records.run import RunData
from bench.report.leaderboard.submissions import Submission, victims_of
from bench.wording import plural

IMAGE_CELL = ["split", "image_id", "target", "attack"]
CELL = [*IMAGE_CELL, "victim"]
_CELLS = {
    "distortion": IMAGE_CELL,
    "conditions": [*CELL, "said"],
    "condition_distortion": [*IMAGE_CELL, "said"],
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where an attack's rows come from."""

    folder: str
    directory: Path
    entry: Entry


Sources = dict[str, tuple[Source, ...]]
"""By attack."""


def merge(
    members: Sequence[Submission],
) -> tuple[RunData, Sources, list[str]]:
    """Put the rows of submissions of one group together, the base first.

    The same network in two folders is one attack; another network of the same name carries its
    folder's name.

    Returns:
        A run of the base's folder and samples with everybody's rows, the entries behind each
        attack, and what was found on the way.
    """
    base = members[0].run
    entries: dict[str, Entry] = {}
    sources: Sources = {}
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in ("predictions", *_CELLS)}
    for member in members:
        labels = {one.name: _label(one, entries, member) for one in member.run.attacks}
        for entry in member.run.entries:
            label = labels[entry.attack.name]
            source = Source(folder=member.name, directory=member.run.directory, entry=entry)
            sources[label] = (*sources.get(label, ()), source)
            attack = entry.attack.model_copy(update={"name": label})
            entries.setdefault(label, entry.model_copy(update={"attack": attack}))
        for name, found in tables.items() if len(members) > 1 else ():
            rows = getattr(member.run, name)
            found.append(rows.assign(attack=rows["attack"].map(labels)))
    notes = list[str]()
    if len(members) > 1:
        frames: dict[str, Any] = {
            name: pd.concat(found, ignore_index=True) for name, found in tables.items()
        }
        frames["predictions"], notes = _one_a_cell(frames["predictions"])
        for name, cell in _CELLS.items():
            frames[name] = frames[name].drop_duplicates(cell)
        base = replace(base, **frames)
    run = replace(
        base,
        entries=tuple(entries[name] for name in sorted(entries)),
        victims=tuple(sorted(victims_of(members).values(), key=_by_family)),
    )
    return run, sources, notes


def _label(attack: AttackRecord, known: dict[str, Entry], member: Submission) -> str:
    first = known[attack.name].attack if attack.name in known else attack
    same = (first.key, first.digest) == (attack.key, attack.digest)
    return attack.name if same else f"{attack.name} ({member.name})"


def _one_a_cell(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The earlier folder's row where two have the cell; and how often they disagree."""
    again = rows.duplicated(CELL)
    if not again.any():
        return rows, []
    both = rows[~again].merge(rows[again], on=CELL, suffixes=("", "_again"))
    unlike = int((both["predicted"] != both["predicted_again"]).sum())
    note = (
        f"{plural(len(both), 'prediction')} of the same networks in more than one folder: "
        f"{unlike} differ; those of the folder listed first count."
    )
    return rows[~again].reset_index(drop=True), [note]


def _by_family(victim: VictimRecord) -> tuple[int, str, str]:
    place = FAMILIES.index(victim.family) if victim.family in FAMILIES else len(FAMILIES)
    return place, victim.family, victim.name
