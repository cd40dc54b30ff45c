"""Folders of entries: found, checked as `verify` checks them, and read.

A folder that does not hold what it says is left out, with the reason, and the others are shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bench.records.entry import Provenance
from bench.records.frames import images_of
from bench.records.load import each_once
from bench.records.participants import VictimRecord
from bench.records.run import RunData
from bench.report.verification.folder import check_rows
from bench.types import Progress, tracked

SITE = "leaderboard"
TABLES = ("predictions", "conditions", "distortion", "condition_distortion")
"""Of a run, by attack."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A folder that is on no board, and everything that is wrong with it."""

    name: str
    directory: Path
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.directory}: {'; '.join(self.reasons)}"


@dataclass(frozen=True, kw_only=True)
class Submission:
    """Entries of one folder.

    Attributes:
        name: The folder's name under the place where it was looked for, with slashes.
        run: Their tables.
        precision: What the victims and attacks were computed in: all that any entry says.
    """

    name: str
    run: RunData
    precision: str

    @cached_property
    def images(self) -> pd.DataFrame:
        """Each image of its rows once, with what they say of it."""
        return images_of(self.run.predictions, self.run.distortion)


def load_submissions(
    places: Sequence[Path], progress: Progress
) -> tuple[list[Submission], list[LeftOut]]:
    """Read every folder below `places` that holds entries.

    Returns:
        What can be shown, and the folders that do not fit the schema or themselves.

    Raises:
        ValueError: If there is no folder of entries, or two have one name.
    """
    folders = _folders(places)
    if not folders:
        where = ", ".join(map(str, places))
        raise ValueError(
            f"no entry-*.json below {where}; give the --out folder of a run, or a folder of such"
        )
    found: list[Submission] = []
    left_out: list[LeftOut] = []
    for name, folder in tracked(folders.items(), "checking folders of entries", progress):
        run, verdicts = check_rows(folder)
        wrong = [one for one in verdicts if one.verdict == "fail"]
        wrong = [one for one in wrong if one.check != "run"] or wrong
        if run is None or wrong:
            reasons = tuple(f"{one.check}: {one.finding}" for one in wrong)
            left_out.append(LeftOut(name=name, directory=folder, reasons=reasons))
        else:
            made = precision_of(*(entry.provenance for entry in run.entries))
            found.append(Submission(name=name, run=run, precision=made))
    return found, left_out


def victims_of(submissions: Iterable[Submission]) -> dict[str, VictimRecord]:
    """Every victim once, by name."""
    return each_once(victim for one in submissions for victim in one.run.victims)


def precision_of(*entries: Provenance) -> str:
    """Precision of entries' runs; with the kind of device where that moves more than rounding.

    At full precision, devices agree to about 1e-4 in a logit, so the device is no term of it.
    """
    found = set[str]()
    for made in entries:
        last = made.model_dump(include={"precision", "device", "tf32"})
        others = [one.model_dump(exclude_none=True) for one in made.also_scored_by]
        found |= {_precision(last | one) for one in ({}, *others)}
    return " and ".join(sorted(found))


def _precision(one: dict[str, Any]) -> str:
    text = one["precision"] + (" with TF32" if one["tf32"] else "")
    return text if text == "fp32" else f"{text} on {one['device'].partition(':')[0]}"


def _folders(places: Iterable[Path]) -> dict[str, Path]:
    """Folders of entries by name, each once whatever places it lies below."""
    found: dict[str, Path] = {}
    for place in places:
        if not place.is_dir():
            raise ValueError(f"{place} is not a folder; give the --out folder of a run")
        for folder in sorted({path.parent for path in place.rglob("entry-*.json")}):
            if SITE in folder.relative_to(place).parts:
                continue  # copies beside the pages of an earlier call
            if any(folder.samefile(known) for known in found.values()):
                continue
            name = place.resolve().name if folder == place else folder.relative_to(place).as_posix()
            if name in found:
                raise ValueError(
                    f"{found[name]} and {folder} are both called {name!r}; rename one of them"
                )
            found[name] = folder
    return found
