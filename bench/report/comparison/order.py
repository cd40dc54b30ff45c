"""Does the order of attacks hold from one run to another: other networks, other images?"""

from collections.abc import Iterable, Sequence
from itertools import combinations, groupby, product
from operator import itemgetter
from typing import Any

import numpy as np

from bench.metrics.paired import Shared
from bench.metrics.resampling import LAST_DIGIT, REPLICATES, percent
from bench.metrics.significance import ALPHA, holm, order_agreement, sign_flip_test
from bench.records.metric import headline
from bench.records.run import RunData
from bench.report.comparison.contenders import (
    Contender,
    beyond_level,
    contest,
    doing_nothing,
    level_said,
)
from bench.report.statistics import averaged
from bench.report.tables.notes import AT_HAND, origin_notes
from bench.report.tables.table import Row, Table, between, ends_record, make_table, number, section
from bench.types import SPLITS
from bench.wording import listed

OF_EACH_RUN = ("TASR (%)", "95 %", "Rank")
FEWEST = 3
"""Attacks that an order is made of."""


def order_table(
    one: Sequence[Contender], other: Sequence[Contender], *, equal: bool = False
) -> Table:
    """Targeted attacks of two runs side by side, and how far their ranks agree in each split.

    The runs may differ in all: suite, recipe, seed. Attacks and victims are those of one name.

    Args:
        one: Attacks of a run.
        other: Of another one.
        equal: At equal distortion; who does not reach the level in both is left out.

    Raises:
        ValueError: If they do not share three whole targeted attacks and a victim in any split.
    """
    runs = (one[0].run, other[0].run)
    whole = [{c.name: c for c in side if _ranked(c)} for side in (one, other)]
    names = [name for name in whole[0] if name in whole[1]]
    sides = [[side[name] for name in names] for side in whole]
    victims = [averaged(run.victims) for run in runs]
    nothing = [doing_nothing(side[0]) for side in (one, other)] if equal else []
    seen = [victims[1].keys(), *(c.victims for side in (*sides, nothing) for c in side)]
    families = {n: family for n, family in victims[0].items() if all(n in one for one in seen)}
    records = [
        record for split in SPLITS for record in _records(sides, split, families, equal=equal)
    ]
    if not records:
        raise ValueError(
            f"{runs[0].directory} and {runs[1].directory} share {listed(names) or 'no attack'} on "
            f"{listed(list(families)) or 'no victim'}: an order takes {FEWEST} whole targeted "
            "attacks of the same names, scored on victims of the same names and two scenes or more"
        )
    where = f" at {level_said(runs[0])}" if equal else ""
    titles = [f"{run.suite}, {run.recipe}" for run in runs]
    return make_table(
        f"Order of attacks by mean {headline().title}{where}, of one run and of another",
        ("Attack", *product(titles, OF_EACH_RUN)),
        _rows(records),
        (
            *_notes(runs, families, names, [c.name for c in (*one, *other) if _ranked(c)]),
            *(dict.fromkeys(beyond_level(c for side in sides for c in side)) if equal else ()),
        ),
        records,
    )


def _ranked(contender: Contender) -> bool:
    return contender.attack.targeted and not contender.attack.partial


def _records(
    sides: Sequence[Sequence[Contender]], split: str, families: dict[str, str], *, equal: bool
) -> list[dict[str, Any]]:
    """One record an attack of a split, best of the first run first."""
    kept = [
        place
        for place, pair in enumerate(zip(*sides, strict=True))
        if not equal or all(one.reaches_level(split) for one in pair)
    ]
    if len(kept) < FEWEST or not families:
        return []
    both = list[Shared]()
    for side in sides:
        mine = [side[place] for place in kept]
        found = contest(mine, split, headline(), families, equal=equal)
        if found is None or found.drawn is None:
            return []
        both.append(found)
    means = np.round([one.means for one in both], LAST_DIGIT)
    pairs = product(both, combinations(range(len(kept)), 2))
    p_values = holm([sign_flip_test(one.effects(*two)).p for one, two in pairs])
    tau, (low, high) = order_agreement(means, p_values.reshape(2, -1))
    records = []
    for column, place in enumerate(kept):
        record: dict[str, Any] = {"split": split, "attack": sides[0][place].name}
        for name, mean, of in zip(("one", "other"), means, both, strict=True):
            record |= ends_record(f"mean_{name}", percent(of.figures[column]), "_percent")
            record[f"rank_{name}"] = 1 + int((mean > mean[column]).sum())
        records.append(record | {"kendall_tau": tau, "tau_low": low, "tau_high": high})
    return sorted(records, key=lambda record: (record["rank_one"], record["attack"]))


def _rows(records: Sequence[dict[str, Any]]) -> Iterable[Row]:
    taus = ("split", "kendall_tau", "tau_low", "tau_high")
    for (split, tau, low, high), mine in groupby(records, itemgetter(*taus)):
        told = f"{SPLITS[split].capitalize()}: Kendall's τ {tau:.2f} ({low:.2f}–{high:.2f})"
        yield section(told, 1 + 2 * len(OF_EACH_RUN))
        for record in mine:
            cells: list[str] = []
            for side in ("one", "other"):
                ends = (record[f"mean_{side}_{end}_percent"] for end in ("low", "high"))
                cells += [number(record[f"mean_{side}_percent"]), between(*ends)]
                cells.append(str(record[f"rank_{side}"]))
            yield Row(kind="claim", name=record["attack"], cells=tuple(cells))


def _notes(
    runs: Sequence[RunData], families: dict[str, str], names: Sequence[str], ranked: Sequence[str]
) -> Iterable[str]:
    yield (
        "Kendall's τ (b): 1 where both runs rank the attacks alike, 0 by chance, -1 the other way "
        "round; 95 %: pairs that are told apart in both runs stand, all others may go either way "
        f"(sign-flip test over scenes at {ALPHA:g}, Holm-corrected for all pairs of both runs "
        "in the split)."
    )
    yield (
        f"Means are over {', '.join(families)}, each run's own; 95 % over {REPLICATES} draws of "
        f"whole scenes. All is {AT_HAND}."
    )
    if lone := sorted({name for name in ranked if name not in names}):
        yield f"In one of the runs alone: {listed(lone)}."
    for run in runs:
        yield from origin_notes(run)
