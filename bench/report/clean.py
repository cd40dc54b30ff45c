"""Clean accuracy: what a victim is worth before anyone attacks it."""

import math
from typing import Any

from bench.metrics.success import CLEAN_CONTROL, clean_accuracy
from bench.report.failed import FAILED
from bench.report.notes import clean_notes
from bench.report.records import RunData
from bench.report.values import NA, Column, Row, Table


def clean_accuracy_table(run: RunData) -> Table:
    """Accuracy of every victim on the untouched in-distribution images of Set-C."""
    accuracy = clean_accuracy(run.predictions)
    figures = accuracy.to_dict("index")
    recalls = [column for column in accuracy.columns if column.startswith("recall:")]
    rows, records = [], []
    for victim in run.victims:
        record: dict[str, Any] = {
            "victim": victim.name,
            "family": victim.family,
            "backbone": victim.backbone,
            "images": 0,
            "accuracy_percent": None,
        }
        worst = NA
        if victim.name in figures:
            found = figures[victim.name]
            record["images"] = int(found["n"])
            record["accuracy_percent"] = 100 * float(found["accuracy"])
            shares = {
                column.removeprefix("recall:"): 100 * float(found[column])
                for column in recalls
                if not math.isnan(found[column])
            }
            record |= {f"recall_{name}_percent": share for name, share in shares.items()}
            lowest = min(shares, key=lambda name: shares[name])
            worst = f"{shares[lowest]:.1f}" + (f" ({lowest})" if shares[lowest] < 100 else "")
        clean = record["accuracy_percent"]
        hole = FAILED if (CLEAN_CONTROL, victim.name) in run.failed else NA
        cells = (victim.family, str(record["images"]), hole if clean is None else f"{clean:.1f}")
        rows.append(Row(kind="victim", name=victim.label, cells=(*cells, worst)))
        records.append(record)
    labels = ("Victim", "Family", "Images", "Accuracy (%)", "Lowest recall of a camera (%)")
    return Table(
        number="",
        title=f"Clean accuracy on in-distribution images of Set-C, {run.suite}",
        columns=tuple(Column(group="", label=label) for label in labels),
        rows=tuple(rows),
        notes=clean_notes(run, accuracy),
        records=tuple(records),
    )
