"""A board: submissions that may share a table, merged into the tables of one run."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

from bench.metrics.success import CLEAN_CONTROL
from bench.records.participants import FAMILIES, AttackRecord
from bench.records.run import RunData
from bench.report.conditions.curves import has_strengths
from bench.report.leaderboard.grouping import differences, group
from bench.report.leaderboard.merging import Source, merge
from bench.report.leaderboard.submissions import LeftOut, Submission, load_submissions
from bench.report.verification.rows import wanted_cells
from bench.types import SPLITS, Progress, Silent
from bench.wording import listed

_NO_CONTROL = (
    f"no rows of the {CLEAN_CONTROL} control, so nobody can tell what its victims are worth; score "
    f"`{CLEAN_CONTROL}` as well"
)


@dataclass(frozen=True, kw_only=True)
class Board:
    """One leaderboard.

    Attributes:
        slug: Its name in addresses.
        title: What it is of.
        run: All rows; an attack name that two folders use for two networks carries its folder.
        submissions: Base first.
        sources: Attack name to the entries behind its rows.
        panel: The victims that means and ranks are over: those of the base in the protocol's
            families that saw all of some attack, or all such of the base where there are none.
        failures: (attack, victim) to why there are no rows, where the entry says so.
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
    failures: dict[tuple[str, str], str]
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

    @cached_property
    def at_level(self) -> bool:
        """Whether it ranks at equal distortion: where the base's attacks were weakened."""
        return has_strengths(self.submissions[0].run)

    @property
    def precision(self) -> str:
        """What all of it was computed in."""
        return self.submissions[0].precision

    def kind(self, attack: AttackRecord) -> str:
        """One of "control", "preliminary" and "attack"."""
        return "control" if attack.control else "preliminary" if attack.preliminary else "attack"


def load_boards(
    places: Sequence[Path], progress: Progress | None = None
) -> tuple[list[Board], list[LeftOut]]:
    """All boards of the entry folders below `places`, by suite.

    Returns:
        The boards, and the folders that are on none.

    Raises:
        ValueError: As `load_submissions`.
    """
    submissions, left_out = load_submissions(places, progress or Silent())
    groups = []
    for members in group(submissions):
        if any((one.run.predictions["attack"] == CLEAN_CONTROL).any() for one in members):
            groups.append(members)
        else:
            lost = ((one.name, one.run.directory) for one in members)
            left_out += [LeftOut(name=n, directory=d, reasons=(_NO_CONTROL,)) for n, d in lost]
    names = slugs([_name(members) for members in groups])
    titles = [f"{one.run.suite}, recipe {one.run.recipe}" for one, *_ in groups]
    boards = []
    for place, (members, slug, title) in enumerate(zip(groups, names, titles, strict=True)):
        again = title in titles[:place]
        of = f", networks of {_name(members)}" if again else ""
        apart = tuple(
            (names[other], "; ".join(differences(members[0], theirs)))
            for other, theirs in enumerate(groups)
            if other != place
        )
        boards.append(_board(slug, title + of, members, apart))
    return boards, left_out


def slug(name: str) -> str:
    """A stranger's name as a file's: lower-case letters, digits, dots and dashes.

    Marked where that loses some; two names never give one file, whatever is in them.
    """
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "unnamed"
    if plain == name and len(plain) <= 80:
        return plain
    return f"{plain[:60]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def slugs(names: Sequence[str]) -> list[str]:
    """One a name; a name that is there again gets a number."""
    found: list[str] = []
    for name in map(slug, names):
        again = sum(name == other.partition("--")[0] for other in found)
        found.append(f"{name}--{again + 1}" if again else name)
    return found


def _name(members: Sequence[Submission]) -> str:
    base = members[0]
    return base.name if base.precision == "fp32" else f"{base.name} {base.precision}"


def _board(
    slug: str, title: str, members: Sequence[Submission], apart: tuple[tuple[str, str], ...]
) -> Board:
    run, sources, notes = merge(members)
    expected = {}
    for split, attack in product(SPLITS, run.attacks):
        images = members[0].images[members[0].images["split"] == split]
        wanted = wanted_cells(images, run.classes, targeted=attack.targeted) if len(images) else ()
        expected[attack.name, split] = len(wanted)
    panel = _panel(members[0].run, expected)
    others = [one.name for one in run.victims if one.name not in panel]
    if panel and len(members) > 1:
        here = listed([one.name for one in members[1:]], 9)
        notes.insert(0, f"Means and ranks are over victims of {members[0].name}; here too: {here}.")
    if panel and others:
        notes.append(f"In the heat map, but in no mean and no rank: {listed(others, 9)}.")
    return Board(
        slug=slug,
        title=title,
        run=run,
        submissions=tuple(members),
        sources=sources,
        panel=panel,
        failures={
            (label, cell.victim): cell.reason
            for label, found in sources.items()
            for source in found
            for cell in source.entry.failed
        },
        expected=expected,
        apart=apart,
        notes=tuple(notes),
    )


def _panel(base: RunData, expected: dict[tuple[str, str], int]) -> tuple[str, ...]:
    """Victims of the base that some attack of it was scored on in full."""
    victims, rows = base.victims, base.predictions
    counts = rows.groupby(["victim", "attack", "split"], observed=True).size()
    wanted = {attack: sum(expected[attack, s] for s in SPLITS) for attack, _ in expected}
    scored = counts.groupby(["victim", "attack"]).sum().reset_index(name="rows")
    whole = set(scored.loc[scored["rows"] == scored["attack"].map(wanted), "victim"])
    able = [victim for victim in victims if victim.name in whole]
    protocol = [victim for victim in able if victim.family in FAMILIES]
    return tuple(victim.name for victim in protocol or able)
