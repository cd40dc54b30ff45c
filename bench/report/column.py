"""One victim against every attack of a run: its column of the matrix, and its clean accuracy."""

from typing import Any

import pandas as pd

from bench.metrics.success import RATES, clean_accuracy, success_rates
from bench.report.notes import origin_notes
from bench.report.records import RunData, VictimInfo
from bench.report.values import NA, Column, Row, Table


def column_table(run: RunData, name: str) -> Table:
    """Success of every attack on one victim.

    Raises:
        ValueError: If the run has no such victim, or no clean predictions.
    """
    victim = next((one for one in run.victims if one.name == name), None)
    if victim is None:
        raise ValueError(f"no victim {name!r} in {run.directory}")
    rates = {split: _mine(success_rates(run.predictions, split), name) for split in run.splits}
    shown = [(split, measure) for split, measure in RATES if split in rates]
    rows, records = [], []
    for attack in sorted(run.attacks, key=lambda attack: (attack.control, attack.name)):
        record: dict[str, Any] = {"victim": name, "victim_key": victim.key, "attack": attack.name}
        cells = []
        for split, measure in shown:
            value = _percent(rates[split], attack.name, measure)
            record[f"{measure}_{split}_percent"] = value
            cells.append(NA if value is None else f"{value:.1f}")
        for split, found in rates.items():
            count = int(sum(found.loc[found.index == attack.name, "n"]))
            record[f"images_{split}"] = count
            cells.append(str(count))
        rows.append(
            Row(
                kind="control" if attack.control else "attack",
                name=attack.label if not attack.laac else attack.name,
                cells=tuple(cells),
            )
        )
        records.append(record)
    headings = ["Attack", *(f"{measure.upper()} {split} (%)" for split, measure in shown)]
    headings += [f"Images {split}" for split in rates]
    return Table(
        number="",
        title=f"All attacks on {victim.label}, Set-C of {run.suite}",
        columns=tuple(Column(group="", label=heading) for heading in headings),
        rows=tuple(rows),
        notes=(_clean(run, victim), *_partial(victim), *origin_notes(run)),
        records=tuple(records),
    )


def _mine(rates: pd.DataFrame, victim: str) -> pd.DataFrame:
    return rates[rates["victim"] == victim].set_index("attack")


def _percent(rates: pd.DataFrame, attack: str, measure: str) -> float | None:
    value = rates[measure].get(attack)
    return None if value is None or pd.isna(value) else 100 * float(value)


def _clean(run: RunData, victim: VictimInfo) -> str:
    known = clean_accuracy(run.predictions)
    if victim.name not in known.index:
        return f"Clean accuracy of {victim.name} is unknown: no original was classified."
    found = known.loc[[victim.name]].iloc[0]
    return (
        f"Clean accuracy of {victim.name}: {100 * found['accuracy']:.1f} % of "
        f"{found['n']:.0f} untouched in-distribution images."
    )


def _partial(victim: VictimInfo) -> tuple[str, ...]:
    if victim.partial is None:
        return ()
    return (f"{victim.name} is partial: it answered {victim.partial}; nothing is filled in.",)
