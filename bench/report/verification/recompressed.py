"""Rows after JPEG re-compression: all of the run's own cells, such as a scorer writes.

What failed after re-compression is missing only where the entry says so: nobody leaves a hard
victim out of the means.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

from bench.records.entry import Entry
from bench.records.frames import IMAGE, prediction_problems
from bench.report.survival import QUALITY
from bench.report.verification.rows import cell_problems, present_cells
from bench.verdicts import Verdict
from bench.wording import plural

MOST_NAMED = 6


def survival_verdict(
    after: pd.DataFrame, before: pd.DataFrame, entries: Sequence[Entry]
) -> Verdict:
    """Check `survival.parquet`.

    Args:
        after: Its rows.
        before: All prediction rows of the run.
        entries: All of the run.
    """
    problems = [
        *_strange_images(after, before),
        *(
            problem
            for entry in entries
            for problem in _problems(after, before, entry, entry.attack.name)
        ),
    ]
    qualities = ", ".join(str(quality) for quality in sorted(after[QUALITY].unique()))
    return Verdict(
        check="survival.parquet",
        verdict="fail" if problems else "ok",
        finding="; ".join(problems[:MOST_NAMED]) + (" ..." if len(problems) > MOST_NAMED else "")
        or f"{plural(len(after), 'row')} at JPEG quality {qualities}",
    )


def _strange_images(after: pd.DataFrame, before: pd.DataFrame) -> Iterator[str]:
    known = pd.MultiIndex.from_frame(before[IMAGE].drop_duplicates().astype(str))
    found = pd.MultiIndex.from_frame(after[IMAGE].drop_duplicates().astype(str))
    if strange := sorted(set(found.difference(known).get_level_values(0))):
        yield f"{plural(len(strange), 'image')} that the run has otherwise: {strange[0]}"


def _problems(
    after: pd.DataFrame, before: pd.DataFrame, entry: Entry, attack: str
) -> Iterator[str]:
    mine, scored = (frame[frame["attack"] == attack] for frame in (after, before))
    for quality in sorted(int(found) for found in after[QUALITY].unique()):
        rows = mine[mine[QUALITY] == quality]
        for victim in sorted({*rows["victim"], *scored["victim"]}):
            if not (rows["victim"] == victim).any() and entry.lacks(
                f"{victim} after JPEG {quality}"
            ):
                continue
            wanted = present_cells(scored[scored["victim"] == victim])
            where = f" of {attack} on {victim} at quality {quality}"
            yield from cell_problems(rows[rows["victim"] == victim], wanted, where)
        for problem in prediction_problems(rows, entry) if len(rows) else ():
            yield f"{attack} at quality {quality}: {problem}"
