"""Table 2 over the images that the victim attributed correctly before they were anonymised."""

from dataclasses import replace

from bench.metrics.correct import originally_correct
from bench.metrics.success import clean_rows, success_rates
from bench.report.notes import table_notes
from bench.report.records import RunData
from bench.report.tables import build_table
from bench.report.values import Table


def correct_only_table(run: RunData) -> Table:
    """Success rates where there was something to win; distortion is that of all images.

    Raises:
        ValueError: If the identity control was not scored.
    """
    kept = originally_correct(run.predictions)
    clean = clean_rows(run.predictions)
    right = int((clean["predicted"] == clean["source"]).sum())
    table = build_table(replace(run, predictions=kept), "in")
    without = [v.name for v in run.victims if v.name not in set(kept["victim"])]
    hole = f" No such image for {', '.join(without)}." if without else ""
    return replace(
        table,
        title=f"{table.title}, originally correct only",
        notes=(
            "Only images that the victim itself attributed to their own camera when untouched (by "
            f"the identity control): {right} of {len(clean)} pairs of image and victim.{hole} "
            "Distortion is over all images. Out of distribution nothing can be correct.",
            *table_notes(run, "in", success_rates(run.predictions, "in")),
        ),
    )
