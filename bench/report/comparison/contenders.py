"""Which attacks are compared, and on what."""

import fnmatch
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.metrics.paired import Shared, shared
from bench.metrics.success import CLEAN_CONTROL
from bench.records.load import load_run
from bench.records.metric import MetricSpec
from bench.records.participants import AttackRecord
from bench.records.run import RunData
from bench.registry import UnknownNameError
from bench.report.conditions.curves import at_equal_distortion, fidelity_of, reaches_level
from bench.report.statistics import attack_rows, untouched_rows
from bench.types import SPLITS
from bench.wording import unknown


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One attack of one run."""

    attack: AttackRecord
    run: RunData

    def rows(self, split: str, target: str | None = None) -> pd.DataFrame:
        """Its prediction rows in a split; the identity control is asked for every target.

        With a `target`, only those sent there, or nowhere.
        """
        rows = attack_rows(self.run, "predictions", self.name, split)
        rows = untouched_rows(self.run, split) if self.name == CLEAN_CONTROL else rows
        return rows if target is None else rows[rows["target"].isna() | (rows["target"] == target)]

    @property
    def name(self) -> str:
        """The attack's."""
        return self.attack.name

    @property
    def targeted(self) -> bool:
        """Whether its rows have a target."""
        return self.attack.targeted or self.name == CLEAN_CONTROL

    @property
    def victims(self) -> set[str]:
        """That it was scored on."""
        rows = self.run.predictions
        return set(rows.loc[rows["attack"] == self.name, "victim"])

    def reaches_level(self, split: str) -> bool:
        """Whether its success at equal distortion is known in a split."""
        return reaches_level(self.run, self.name, split)


def doing_nothing(beside: Contender) -> Contender:
    """The untouched images of its run.

    Raises:
        UnknownNameError: If they were not scored.
    """
    require_known("attack", CLEAN_CONTROL, [attack.name for attack in beside.run.attacks])
    return Contender(attack=beside.run.entry(CLEAN_CONTROL).attack, run=beside.run)


def level_said(run: RunData) -> str:
    """Where attacks are compared at equal distortion, for people: "LPIPS 0.04"."""
    fidelity = fidelity_of(run)
    return f"{fidelity.title} {fidelity.level:g}" if fidelity else "no level"


def beyond_level(contenders: Iterable[Contender]) -> Iterator[str]:
    """Who is not compared at equal distortion, and where."""
    for one in contenders:
        where = [
            SPLITS[split]
            for split in one.run.splits
            if len(one.rows(split)) and not one.reaches_level(split)
        ]
        if where:
            yield (
                f"Left out {' and '.join(where)}: {one.name}, which distorts more than "
                f"{level_said(one.run)} and was scored in full at no weaker strength, or lacks "
                "distortions or untouched images."
            )


def nothing_shared(contenders: Iterable[Contender], what: str, *, equal: bool) -> str:
    """Why attacks cannot be compared, and what to do."""
    for one in contenders:
        for cell in one.run.entry(one.name).failed:
            return f"{one.name} failed on {cell.victim}: {cell.reason}; nothing is left to compare"
    weaker = ", and at --strength 0.25,0.5,0.75" if equal else ""
    return f"these attacks share no {what}; score them on the same victims{weaker}"


def contest(
    contenders: Sequence[Contender],
    split: str,
    metric: MetricSpec,
    families: dict[str, str],
    *,
    equal: bool,
    target: str | None = None,
) -> Shared | None:
    """What attacks of one run did where each of them was scored.

    Over victims in `families`; with a `target`, only of images sent to it or nowhere. At `equal`
    distortion, all must reach the level, over all targets. `None` where they share nothing.
    """
    if equal:
        names = [one.name for one in contenders]
        return at_equal_distortion(contenders[0].run, names, split, metric, families)
    rows = [one.rows(split, target) for one in contenders]
    return shared(rows, metric, families, by_target=all(one.targeted for one in contenders))


def contenders_of(directory: Path, names: Sequence[str]) -> list[Contender]:
    """Attacks of one run by name or pattern, each once; all of them for no name.

    Raises:
        UnknownNameError: If a name is none of the run's; names close matches.
        ValueError: As `load_run`.
    """
    run = load_run(directory)
    chosen = dict.fromkeys(found for name in names or ["*"] for found in _matching(name, run))
    return [Contender(attack=run.entry(name).attack, run=run) for name in chosen]


def require_known(kind: str, name: str, known: Collection[str]) -> None:
    """Refuse a name that a run does not have.

    Raises:
        UnknownNameError: Names close matches.
    """
    if name not in known:
        raise UnknownNameError(unknown(f"{kind} of this run", name, known))


def _matching(name: str, run: RunData) -> list[str]:
    names = [attack.name for attack in run.attacks]
    found = [name] if name in names else fnmatch.filter(names, name)
    if not found:
        require_known("attack", name, names)
    return found
