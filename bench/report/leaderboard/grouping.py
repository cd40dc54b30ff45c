"""Which submissions may share a table, and why others may not.

A board is one suite, recipe, scorer, LPIPS, set of metrics and precision, and one set of victim
networks: a column never mixes two trainings of one victim. A column of a new victim joins by the
attacks that it was scored under; what shares neither a victim nor an attack cannot be compared at
all.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from bench.records.frames import CELL, same_distortion
from bench.records.load import TERMS, same_network
from bench.records.participants import FAMILIES
from bench.records.run import RunData
from bench.report.leaderboard.submissions import TABLES, Submission, victims_of
from bench.wording import listed, plural

CLOSE_CALLS = 1e-3
"""Share of predictions that another processor may give another label."""


def group(submissions: Sequence[Submission]) -> list[list[Submission]]:
    """Submissions that share a board, each group with its base first.

    The base is the folder that is called like its suite, as the committed ones are, so that no
    other folder renames their boards or moves their means; else the one with most victims of the
    protocol, then with most pairs of attack and victim, then the one listed first. Its victims are
    those that means are over. Each other submission joins the first group that it fits.
    """
    groups: list[list[Submission]] = []
    for submission in sorted(submissions, key=_seniority):
        home = next((g for g in groups if not differences(submission, g)), None)
        if home is None:
            groups.append([submission])
        else:
            home.append(submission)
    return sorted(groups, key=lambda g: (g[0].run.suite, _seniority(g[0])))


def _seniority(one: Submission) -> tuple[bool, int, int, str, str]:
    """First what comes first as a base and among boards of a suite."""
    cells = one.run.predictions[["attack", "victim"]].drop_duplicates()
    protocol = sum(one.run.families[name] in FAMILIES for name in cells["victim"].unique())
    return one.name != one.run.suite, -protocol, -len(cells), one.name, one.precision


def differences(submission: Submission, group: Sequence[Submission]) -> list[str]:
    """Why a submission may not join a group; empty where it may."""
    mine, theirs = map(_terms, (submission, group[0]))
    found: list[str] = []
    for what, value in mine.items():
        # Another suite has other images and classes: one reason is enough.
        if value != theirs[what] and not (found and what.startswith("suite ")):
            found.append(f"{what} {_short(value)}, there {_short(theirs[what])}")
    return (
        found
        or _other_images(submission, group[0])
        or _other_networks(submission, group)
        or _other_rows(submission, group)
    )


def _terms(one: Submission) -> dict[str, object]:
    """What two submissions must agree on."""
    first = one.run.entries[0]
    measured = [f"{m.title} {first.metrics.get(m.name, '')}".strip() for m in one.run.metrics]
    return {
        **{what: of(first) for what, of in TERMS.items() if what != "seed"},
        "metrics": ", ".join(measured),
        "precision": one.precision,
    }


def _other_images(submission: Submission, base: Submission) -> list[str]:
    """One suite has one Set-C: rows of some of its images have means of their own."""
    mine, theirs = (
        set(map(tuple, one.images.astype(str).to_numpy().tolist())) for one in (submission, base)
    )
    in_part = any(attack.partial for attack in submission.run.attacks)
    if mine == theirs or (in_part and mine < theirs):
        return []
    return [
        f"{plural(len(mine), 'image')} of Set-C, there {len(theirs)}, {len(mine & theirs)} shared"
    ]


def _other_networks(submission: Submission, group: Sequence[Submission]) -> list[str]:
    known = victims_of(group)
    shared = [(v, known[v.name]) for v in submission.run.victims if v.name in known]
    if not shared and not any(_attacks(submission.run) & _attacks(one.run) for one in group):
        return ["no victim in common, nor any attack but controls"]
    other = [
        one.name
        for one, two in shared
        if (one.key, one.precision) != (two.key, two.precision) or not same_network(one, two)
    ]
    share = f"{len(other)} of {len(shared)} victims of the same name are other networks"
    reason = f"{share} ({listed(other, 3)}): another training, seed or precision"
    return [reason] if other else []


def _other_rows(submission: Submission, group: Sequence[Submission]) -> list[str]:
    """The same networks give the same images the same labels, but for a close call here and there.

    And the same distortions, under conditions too. Which of two folders is right, only scoring
    again can tell; so neither speaks for the other.
    """
    digests = {one.name: one.digest for one in submission.run.attacks}
    for other in group:
        same = [a.name for a in other.run.attacks if digests.get(a.name) == a.digest]
        for what, unlike, both in _unlike(submission.run, other.run, same):
            if unlike > CLOSE_CALLS * both:
                return [
                    f"{unlike} of {both} {what} of the same networks differ from those of "
                    f"{other.name}, more than rounding explains: `camobench verify DIR --store "
                    "STORE` scores rows again"
                ]
    return []


def _unlike(one: RunData, other: RunData, attacks: list[str]) -> Iterator[tuple[str, int, int]]:
    """What both runs have of attacks, how many of these differ, and how many there are."""
    for table in TABLES:
        frames = [
            frame[frame["attack"].isin(attacks)]
            for frame in (getattr(one, table), getattr(other, table))
        ]
        cell = [n for n in (*CELL, "attack_key", "victim_key", "said") if n in frames[0]]
        labels = "victim" in cell
        names = ["predicted"] if labels else [metric.name for metric in one.metrics]
        told = [name for name in names if all(name in frame for frame in frames)]
        mine, theirs = (frame[[*cell, *told]] for frame in frames)
        both = mine.merge(theirs, on=cell, suffixes=("", "_there"))
        here, there = both[told], both[[f"{name}_there" for name in told]]
        if labels:
            alike = here.to_numpy(str) == there.to_numpy(str)
        else:
            alike = same_distortion(here.to_numpy(np.float64), there.to_numpy(np.float64))
        yield table.replace("_", " "), int((~alike.all(axis=1)).sum()), len(both)


def _attacks(run: RunData) -> set[tuple[str, str, str]]:
    """Attack networks; controls are the same everywhere and tie nothing together."""
    return {(one.name, one.key, one.digest) for one in run.attacks if not one.control}


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return listed(map(str, value), 3)
    text = str(value)
    return text[:12] if len(text) >= 40 and " " not in text else text
