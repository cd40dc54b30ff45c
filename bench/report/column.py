"""One victim against every attack of a run: its column of the matrix, and its clean accuracy."""

from collections.abc import Iterator
from typing import Any

from bench.records.metric import views
from bench.records.participants import VictimRecord
from bench.records.run import RunData
from bench.report.notes import origin_notes
from bench.report.statistics import clean_of, rates_of
from bench.report.table import Row, Table, kind_of, make_table, number


def column_table(run: RunData, name: str) -> Table:
    """Success of every attack on one victim.

    Raises:
        ValueError: If the run has no such victim, or no clean predictions.
    """
    victim = next((one for one in run.victims if one.name == name), None)
    if victim is None:
        raise ValueError(f"no victim {name!r} in {run.directory}")
    rates, shown = {split: rates_of(run, split) for split in run.splits}, views(run.splits)
    attacks = sorted(run.attacks, key=lambda attack: (attack.control, attack.name))
    rows, records = [], []
    for attack in attacks:
        record: dict[str, Any] = {"victim": name, "victim_key": victim.key, "attack": attack.name}
        found = {
            split: part[(part["victim"] == name) & (part["attack"] == attack.name)]
            for split, part in rates.items()
        }
        for split, metric in shown:
            known = found[split][metric.name].dropna()
            value = None if known.empty else 100 * float(known.iloc[0])
            record[f"{metric.name}_{split}_percent"] = value
        counts = {f"images_{split}": int(part["n"].sum()) for split, part in found.items()}
        cells = [number(record[f"{metric.name}_{split}_percent"]) for split, metric in shown]
        cells += map(str, counts.values())
        label = attack.name if attack.laac else attack.shown
        rows.append(Row(kind=kind_of(attack), name=label, cells=tuple(cells)))
        records.append(record | counts)
    headings = ["Attack", *(f"{metric.title} {split} (%)" for split, metric in shown)]
    headings += [f"Images {split}" for split in rates]
    title = f"All attacks on {victim.marked}, Set-C of {run.suite}"
    return make_table(title, headings, rows, (*_notes(run, victim), *origin_notes(run)), records)


def _notes(run: RunData, victim: VictimRecord) -> Iterator[str]:
    known = clean_of(run).get(victim.name)
    if known is not None:
        yield (
            f"Clean accuracy of {victim.name}: {number(100 * known.overall.accuracy)} % of "
            f"{known.overall.images} untouched in-distribution images."
        )
    else:
        yield f"Clean accuracy of {victim.name} is unknown: no original was classified."
    if victim.partial is not None:
        yield f"{victim.name} is partial: it answered {victim.partial}; nothing is filled in."
