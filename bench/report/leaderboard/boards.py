"""A board: submissions that may share a table, merged into the tables of one run."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from bench.metrics.success import CLEAN_CONTROL
from bench.records.entry import Entry
from bench.records.frames import cell_of
from bench.records.participants import FAMILIES, VictimRecord
from bench.records.run import RunData
from bench.report.conditions.curves import has_strengths
from bench.report.leaderboard.grouping import differences, group
from bench.report.leaderboard.submissions import (
    TABLES,
    LeftOut,
    Submission,
    load_submissions,
    victims_of,
)
from bench.report.statistics import averaged
from bench.report.verification.rows import wanted_cells
from bench.types import SILENT, SPLITS, Progress
from bench.wording import listed, plural

_NO_CONTROL = (
    f"no rows of the {CLEAN_CONTROL} control, so nobody can tell what its victims are worth; score "
    f"`{CLEAN_CONTROL}` as well"
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where an attack's rows come from."""

    folder: str
    directory: Path
    entry: Entry


@dataclass(frozen=True, kw_only=True)
class Board:
    """One leaderboard.

    Attributes:
        slug: Its name in addresses.
        title: What it is of.
        run: All rows; an attack name that two folders use for two networks carries its folder.
        submissions: Base first.
        sources: Attack name to the entries behind its rows.
        panel: The victims that means and ranks are over: those `averaged` of the base's that saw
            all of some attack and of the untouched images.
        expected: (attack, split) to the images and targets that each victim should have seen.
        apart: Slug of every other board, and why it is another one.
        notes: What merging found.
    """

    slug: str
    title: str
    run: RunData
    submissions: tuple[Submission, ...]
    sources: dict[str, tuple[Source, ...]]
    panel: tuple[str, ...]
    expected: dict[tuple[str, str], int]
    apart: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    @cached_property
    def panel_run(self) -> RunData:
        """The same with the victims of the panel alone."""
        if set(self.panel) == set(self.run.families):
            return self.run
        rows, after = self.run.predictions, self.run.conditions
        return replace(
            self.run,
            predictions=rows[rows["victim"].isin(self.panel)],
            conditions=after[after["victim"].isin(self.panel)],
            victims=tuple(v for v in self.run.victims if v.name in self.panel),
        )

    @property
    def at_level(self) -> bool:
        """Whether it ranks at equal distortion: where the base's attacks were weakened."""
        return has_strengths(self.submissions[0].run)

    @property
    def precision(self) -> str:
        """What all of it was computed in."""
        return self.submissions[0].precision

    def why_missing(self, attack: str, victim: str) -> str:
        """Why there are no rows, where an entry says so."""
        cells = (cell for source in self.sources[attack] for cell in source.entry.failed)
        return next((cell.reason for cell in cells if cell.victim == victim), "not run")


def load_boards(
    places: Sequence[Path], progress: Progress = SILENT
) -> tuple[list[Board], list[LeftOut]]:
    """All boards of the entry folders below `places`, by suite.

    Returns:
        The boards, and the folders that are on none.

    Raises:
        ValueError: As `load_submissions`.
    """
    submissions, left_out = load_submissions(places, progress)
    groups = []
    for members in group(submissions):
        if any((one.run.predictions["attack"] == CLEAN_CONTROL).any() for one in members):
            groups.append(members)
        else:
            lost = ((one.name, one.run.directory) for one in members)
            left_out += [LeftOut(name=n, directory=d, reasons=(_NO_CONTROL,)) for n, d in lost]
    names = [slug(_name(members)) for members in groups]
    boards, titles = list[Board](), set[str]()
    for members, own in zip(groups, names, strict=True):
        title = f"{members[0].run.suite}, recipe {members[0].run.recipe}"
        networks = f", networks of {_name(members)}" if title in titles else ""
        titles.add(title)
        apart = tuple(
            (other, "; ".join(differences(members[0], theirs)))
            for other, theirs in zip(names, groups, strict=True)
            if other != own
        )
        boards.append(_board(own, title + networks, members, apart))
    return boards, left_out


def slug(name: str) -> str:
    """A stranger's name as a file's: lower-case letters, digits, dots and dashes.

    Marked where that loses some; two names never give one file, whatever is in them.
    """
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "unnamed"
    if plain == name and len(plain) <= 80:
        return plain
    return f"{plain[:60]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _name(members: Sequence[Submission]) -> str:
    base = members[0]
    return base.name if base.precision == "fp32" else f"{base.name} {base.precision}"


def _board(
    slug: str, title: str, members: Sequence[Submission], apart: tuple[tuple[str, str], ...]
) -> Board:
    base = members[0]
    run, sources, notes = _merged(members)
    expected = {
        (attack.name, split): len(
            wanted_cells(
                base.images[base.images["split"] == split], run.classes, targeted=attack.targeted
            )
        )
        for split, attack in product(SPLITS, run.attacks)
    }
    panel = _panel(base.run, run.predictions, expected)
    others = [one.name for one in run.victims if one.name not in panel]
    if panel and len(members) > 1:
        here = listed([one.name for one in members[1:]], 9)
        notes.insert(0, f"Means and ranks are over victims of {base.name}; here too: {here}.")
    if panel and others:
        notes.append(f"In the heat map, but in no mean and no rank: {listed(others, 9)}.")
    return Board(
        slug=slug,
        title=title,
        run=run,
        submissions=tuple(members),
        sources=sources,
        panel=panel,
        expected=expected,
        apart=apart,
        notes=tuple(notes),
    )


def _panel(
    base: RunData, rows: pd.DataFrame, expected: dict[tuple[str, str], int]
) -> tuple[str, ...]:
    """Victims `averaged`, of those that saw all of some attack of the base and all untouched."""
    wanted = {attack: sum(expected[attack, s] for s in SPLITS) for attack, _ in expected}

    def whole(part: pd.DataFrame) -> set[str]:
        counts = part.groupby(["victim", "attack"], observed=True).size().reset_index()
        return {victim for victim, attack, n in counts.to_numpy() if n == wanted[attack]}

    attacked = whole(base.predictions)
    admitted = attacked & whole(rows[rows["attack"] == CLEAN_CONTROL]) or attacked
    return tuple(averaged(victim for victim in base.victims if victim.name in admitted))


def _merged(
    members: Sequence[Submission],
) -> tuple[RunData, dict[str, tuple[Source, ...]], list[str]]:
    """The rows of submissions of one group together, each cell once, the base's first.

    The same network in two folders is one attack; another network of the same name carries its
    folder's name.

    Returns:
        A run of the base's folder and samples with everybody's rows, the entries behind each
        attack, and what was found on the way.
    """
    entries: dict[str, Entry] = {}
    sources: dict[str, tuple[Source, ...]] = {}
    labels = []
    for member in members:
        labels.append(_labels(member, entries))
        for entry in member.run.entries:
            label = labels[-1][entry.attack.name]
            source = Source(folder=member.name, directory=member.run.directory, entry=entry)
            sources[label] = (*sources.get(label, ()), source)
            attack = entry.attack.model_copy(update={"name": label})
            entries.setdefault(label, entry.model_copy(update={"attack": attack}))
    frames: dict[str, Any] = {}
    notes = list[str]()
    for table in TABLES:
        if len(members) > 1:
            named = zip((getattr(one.run, table) for one in members), labels, strict=True)
            parts = [found.assign(attack=found["attack"].map(of)) for found, of in named]
            rows = pd.concat(parts, ignore_index=True)
            cell = cell_of(rows)
            again = rows.duplicated(cell)
            if table == "predictions" and again.any():
                both = rows[~again].merge(rows[again], on=cell, suffixes=("", "_again"))
                unlike = int((both["predicted"] != both["predicted_again"]).sum())
                notes.append(
                    f"{plural(len(both), 'prediction')} of the same networks in more than one "
                    f"folder: {unlike} differ; those of the folder listed first count."
                )
            frames[table] = rows[~again].reset_index(drop=True)
    run = replace(
        members[0].run,
        entries=tuple(entries[name] for name in sorted(entries)),
        victims=tuple(sorted(victims_of(members).values(), key=_by_family)),
        **frames,
    )
    return run, sources, notes


def _labels(member: Submission, known: dict[str, Entry]) -> dict[str, str]:
    """What the attacks of a submission are called on the board, by name."""
    found = {}
    for attack in member.run.attacks:
        first = known[attack.name].attack if attack.name in known else attack
        same = (first.key, first.digest) == (attack.key, attack.digest)
        found[attack.name] = attack.name if same else f"{attack.name} ({member.name})"
    return found


def _by_family(victim: VictimRecord) -> tuple[int, str, str]:
    place = FAMILIES.index(victim.family) if victim.family in FAMILIES else len(FAMILIES)
    return place, victim.family, victim.name
