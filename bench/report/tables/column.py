"""Cells of a run's matrix: one victim against every attack, and all of them by target."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bench.metrics.success import CLEAN_CONTROL
from bench.records.metric import headline, row_values, views
from bench.records.participants import VictimRecord
from bench.records.run import RunData
from bench.report.statistics import clean_of, rates_of, untouched_rows
from bench.report.tables.notes import origin_notes
from bench.report.tables.table import Heading, Row, Table, kind_of, make_table, number, section
from bench.types import SPLITS


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
    title = f"All attacks on {name}, Set-C of {run.suite}"
    return make_table(title, headings, rows, (*_notes(run, victim), *origin_notes(run)), records)


def targets_table(run: RunData) -> Table:
    """Success of every targeted attack on every victim, by the target that was asked for.

    Of the identity control, what untouched images get: doing nothing.
    """
    cell, metric = ["split", "attack", "victim", "target"], headline()
    sent = run.predictions[run.predictions["target"].notna()]
    sent = pd.concat([sent, *(untouched_rows(run, split) for split in run.splits)])
    hits = sent[cell].assign(hit=row_values(sent, metric)).groupby(cell)["hit"]
    rates = hits.agg(images="size", rate="mean").reset_index()
    rates[f"{metric.name}_percent"] = 100 * rates.pop("rate")
    found = rates.set_index(cell)[f"{metric.name}_percent"].to_dict()
    asked = [(split, target) for split in run.splits for target in run.classes]
    rows: list[Row] = []
    for attack in (one.name for one in run.attacks):
        mine = []
        for victim in run.victims:
            values = [found.get((split, attack, victim.name, target)) for split, target in asked]
            if any(value is not None for value in values):
                mine.append(Row(kind="victim", name=victim.name, cells=tuple(map(number, values))))
        rows += [section(attack, 1 + len(asked)), *mine] if mine else []
    headings: list[Heading] = ["Victim", *((SPLITS[split], target) for split, target in asked)]
    title = f"{metric.title} by target camera, Set-C of {run.suite} (in %)"
    notes = (f"Of {CLEAN_CONTROL}: untouched images, asked for every target.", *origin_notes(run))
    records: Any = rates.to_dict("records")
    return make_table(title, headings, rows, notes, records)


def _notes(run: RunData, victim: VictimRecord) -> Iterator[str]:
    known = clean_of(run).get(victim.name)
    if known is not None:
        yield (
            f"Clean accuracy of {victim.name}: {number(100 * known.overall.accuracy)} % of "
            f"{known.overall.images} untouched in-distribution images."
        )
    else:
        yield f"Clean accuracy of {victim.name} is unknown: no original was classified."
