"""Folders of entries: found, checked as `verify` checks them, and read.

A folder that does not hold what it says is left out, with the reason, and the others are shown.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bench.report.inputs import load_run
from bench.report.published import FAMILIES
from bench.report.records import RunData
from bench.report.schema import row_problems
from bench.report.verification.cells import images_of
from bench.report.verification.entries import read_entry
from bench.report.verification.rows import row_verdicts
from bench.types import Progress
from bench.verdicts import Verdict

SITE = "leaderboard"


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
    """Entries of one folder that were scored at one precision.

    Attributes:
        name: The folder's name under the place where it was looked for, with slashes.
        run: Its tables.
        entries: Attack name to the whole of its entry.
        precision: What the victims and attacks were computed in.
    """

    name: str
    run: RunData
    entries: dict[str, dict[str, Any]]
    precision: str

    @property
    def cells(self) -> int:
        """Pairs of attack and victim that have rows."""
        return len(self.run.predictions[["attack", "victim"]].drop_duplicates())

    @cached_property
    def images(self) -> pd.DataFrame:
        """Each image of its rows once, with photograph, device, source and split."""
        return images_of(self.run.predictions, self.run.distortion)

    @property
    def protocol_victims(self) -> int:
        """Victims of the protocol's families that have rows."""
        families = self.run.families
        return sum(families[name] in FAMILIES for name in set(self.run.predictions["victim"]))


def load_submissions(
    places: Sequence[Path], progress: Progress
) -> tuple[list[Submission], list[LeftOut]]:
    """Read every folder below `places` that holds entries.

    Returns:
        What can be shown, and the folders that do not fit the schema or themselves.

    Raises:
        ValueError: If there is no folder of entries, or two have one name.
    """
    folders = dict(_folders(places))
    if not folders:
        where = ", ".join(map(str, places))
        raise ValueError(
            f"no entry-*.json below {where}; give the --out folder of a run, or a folder of such"
        )
    found: list[Submission] = []
    left_out: list[LeftOut] = []
    progress.start("checking folders of entries", len(folders))
    for name, folder in folders.items():
        entries, reasons = _checked_entries(folder)
        if not reasons:
            try:
                run = load_run(folder)
            except ValueError as error:
                reasons = [str(error)]
            else:
                reasons = list(_row_problems(run, list(entries.values())))
        if reasons:
            left_out.append(LeftOut(name=name, directory=folder, reasons=tuple(reasons)))
        else:
            found += _by_precision(name, run, entries)
        progress.advance()
    progress.finish()
    return found, left_out


def precision_of(provenance: dict[str, Any]) -> str:
    """Precision of an entry's runs; with the kind of device where that moves more than rounding.

    At full precision, devices agree to about 1e-4 in a logit, so the device is no term of it.
    """
    runs = [provenance, *(provenance.get("also_scored_by") or [])]
    return " and ".join(sorted({_precision(one, provenance) for one in runs}))


def _precision(one: dict[str, Any], default: dict[str, Any]) -> str:
    text = str(one.get("precision") or default["precision"])
    if one.get("tf32"):
        text += " with TF32"
    device = str(one.get("device") or default["device"]).partition(":")[0]
    return text if text == "fp32" else f"{text} on {device}"


def _folders(places: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    seen: dict[str, Path] = {}
    for place in places:
        if not place.is_dir():
            raise ValueError(f"{place} is not a folder; give the --out folder of a run")
        for folder in sorted({path.parent for path in place.rglob("entry-*.json")}):
            if SITE in folder.relative_to(place).parts:
                continue  # copies beside the pages of an earlier call
            name = place.resolve().name if folder == place else folder.relative_to(place).as_posix()
            if seen.setdefault(name, folder).resolve() != folder.resolve():
                raise ValueError(
                    f"{seen[name]} and {folder} are both called {name!r}; rename one of them"
                )
            yield name, folder


def _checked_entries(folder: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    entries, problems = {}, []
    for path in sorted(folder.glob("entry-*.json")):
        entry, verdict = read_entry(path)
        if entry is None:
            problems.append(f"{path.name}: {verdict.finding}")
        else:
            entries[str(entry["attack"]["name"])] = entry
    return entries, problems


def _row_problems(run: RunData, entries: Sequence[dict[str, Any]]) -> Iterator[str]:
    typed = [
        f"{file}: {what}"
        for file, wrong in (
            ("predictions.parquet", row_problems(run.predictions, "predictions")),
            ("distortion.parquet", row_problems(run.distortion, "distortion")),
        )
        for what in wrong
    ]
    yield from typed
    if typed:
        return
    verdicts: Iterable[Verdict] = row_verdicts(run.predictions, run.distortion, entries, whole=True)
    yield from (f"{one.check}: {one.finding}" for one in verdicts if one.verdict == "fail")


def _by_precision(
    name: str, run: RunData, entries: dict[str, dict[str, Any]]
) -> Iterator[Submission]:
    terms: dict[str, list[str]] = {}
    for attack, entry in entries.items():
        terms.setdefault(precision_of(entry["provenance"]), []).append(attack)
    for precision, names in terms.items():
        part = replace(
            run,
            attacks=tuple(attack for attack in run.attacks if attack.name in names),
            predictions=run.predictions[run.predictions["attack"].isin(names)],
            distortion=run.distortion[run.distortion["attack"].isin(names)],
        )
        mine = {attack: entries[attack] for attack in names}
        yield Submission(name=name, run=part, entries=mine, precision=precision)
