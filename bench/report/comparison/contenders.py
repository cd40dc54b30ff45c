"""Which attacks are compared, from one run folder or several that fit together."""

import fnmatch
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from bench.metrics.paired import Shared, shared
from bench.metrics.success import CLEAN_CONTROL
from bench.records.load import TERMS, load_run
from bench.records.metric import MetricSpec
from bench.records.participants import AttackRecord
from bench.records.run import RunData
from bench.registry import UnknownNameError
from bench.report.conditions.curves import at_equal_distortion, fidelity_of, reaches_level
from bench.report.statistics import attack_rows, averaged, untouched_rows
from bench.types import SPLITS
from bench.wording import unknown


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One attack of one run; `label` is its name, with the folder's where there are several."""

    label: str
    attack: AttackRecord
    run: RunData

    def rows(self, split: str, target: str | None = None) -> pd.DataFrame:
        """Its prediction rows in a split; the identity control is asked for every target.

        With a `target`, only those sent there, or nowhere.
        """
        rows = attack_rows(self.run, "predictions", self.attack.name, split)
        rows = untouched_rows(self.run, split) if self.attack.name == CLEAN_CONTROL else rows
        return rows if target is None else rows[rows["target"].isna() | (rows["target"] == target)]

    @property
    def targeted(self) -> bool:
        """Whether its rows have a target."""
        return self.attack.targeted or self.attack.name == CLEAN_CONTROL

    @property
    def victims(self) -> set[str]:
        """That it was scored on."""
        rows = self.run.predictions
        return set(rows.loc[rows["attack"] == self.attack.name, "victim"])

    def reaches_level(self, split: str) -> bool:
        """Whether its success at equal distortion is known in a split."""
        return reaches_level(self.run, self.attack.name, split)


def doing_nothing(beside: Contender) -> Contender:
    """The untouched images of its run.

    Raises:
        UnknownNameError: If they were not scored.
    """
    require_known("attack", CLEAN_CONTROL, [attack.name for attack in beside.run.attacks])
    label = beside.label.removesuffix(beside.attack.name) + CLEAN_CONTROL
    return Contender(label=label, attack=beside.run.entry(CLEAN_CONTROL).attack, run=beside.run)


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
                f"Left out {' and '.join(where)}: {one.label}, which distorts more than "
                f"{level_said(one.run)} and was scored in full at no weaker strength, or lacks "
                "distortions or untouched images."
            )


def nothing_shared(contenders: Iterable[Contender], what: str, *, equal: bool) -> str:
    """Why attacks cannot be compared, and what to do."""
    for one in contenders:
        for cell in one.run.entry(one.attack.name).failed:
            return f"{one.label} failed on {cell.victim}: {cell.reason}; nothing is left to compare"
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
    """What attacks did where each of them was scored.

    Over victims in `families`; with a `target`, only of images sent to it or nowhere. At `equal`
    distortion, all must reach the level, over all targets. `None` where they share nothing.
    """
    if equal:
        pairs = [(one.run, one.attack.name) for one in contenders]
        return at_equal_distortion(pairs, split, metric, families)
    rows = [one.rows(split, target) for one in contenders]
    return shared(rows, metric, families, by_target=all(one.targeted for one in contenders))


def contenders_of(directory: Path, names: Sequence[str]) -> list[Contender]:
    """Attacks of one run by name or pattern, each once; all of them for no name.

    Raises:
        UnknownNameError: If a name is none of the run's; names close matches.
        ValueError: As `load_run`.
    """
    found = contenders_across([(directory, name) for name in names or ["*"]])
    return [replace(one, label=one.attack.name) for one in found]


def contenders_across(places: Sequence[tuple[Path, str]]) -> list[Contender]:
    """Attacks by folder and name or pattern, each once, of runs whose figures may be compared.

    Raises:
        UnknownNameError: If a run has no such attack.
        ValueError: As `load_run`, or if two runs differ in suite, recipe, scorer, LPIPS version or
            the networks of a victim.
    """
    runs = {folder: load_run(folder) for folder in dict.fromkeys(folder for folder, _ in places)}
    first, *others = runs.values()
    for other in others:
        _require_same_terms(first, other)
    chosen = dict.fromkeys(
        (folder, found) for folder, name in places for found in _matching(name, runs[folder])
    )
    return [
        Contender(label=f"{at}:{name}", attack=runs[at].entry(name).attack, run=runs[at])
        for at, name in chosen
    ]


def terms_of(run: RunData) -> dict[str, object]:
    """What two runs must agree on before their figures may be compared."""
    return {what: of(run.entries[0]) for what, of in TERMS.items() if what != "seed"}


def _require_same_terms(first: RunData, other: RunData) -> None:
    theirs, twins = terms_of(other), {victim.name: victim for victim in other.victims}
    terms = {what: (value, theirs[what]) for what, value in terms_of(first).items()}
    for victim in first.victims:
        if twin := twins.get(victim.name):
            terms[f"victim {victim.name} (key)"] = (victim.key, twin.key)
            terms[f"victim {victim.name} (precision)"] = (victim.precision, twin.precision)
    for what, (one, two) in terms.items():
        if one != two:
            raise ValueError(
                f"{first.directory} has {what} {one!r}, {other.directory} has {two!r}: such runs "
                "are not compared; score both attacks on the same terms"
            )


def mean_families(contenders: Sequence[Contender], victim: str | None = None) -> dict[str, str]:
    """Victim to family, of those `averaged`, or of the one that is asked for.

    Raises:
        UnknownNameError: If no run has that victim.
    """
    if victim is None:
        return averaged(victim for one in contenders for victim in one.run.victims)
    families = {name: family for one in contenders for name, family in one.run.families.items()}
    require_known("victim", victim, families)
    return {victim: families[victim]}


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
