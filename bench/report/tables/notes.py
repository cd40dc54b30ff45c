"""What stands in and below the tables of holes and origins: what is averaged, what is missing."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd

from bench.metrics.distortion import unchanged_images
from bench.metrics.resampling import REPLICATES
from bench.metrics.success import CLEAN_CONTROL
from bench.records.entry import Entry
from bench.records.metric import image_metrics, row_metrics
from bench.records.participants import FAMILIES, FailedCell
from bench.records.run import RunData
from bench.report.statistics import attack_rows, averaged, clean_of, rates_of
from bench.report.tables.published import (
    ARCHITECTURES_PER_FAMILY,
    CLEAN_MINIMUM_PERCENT,
    published_rows,
)
from bench.report.tables.table import NA, number
from bench.types import IN
from bench.wording import listed, plural

AT_HAND = "conditional on the cameras and the trained networks at hand"
FAILED = "failed"
MARK = "§"
"""Of a figure that is not over all that others beside it are over."""
MOST_NAMED = 3
NOT_AUDITED = "Not audited: `camobench data prepare {suite}` audits it, then the same run again."

_UNTARGETED = (
    f"n/a for untargeted attacks, but of {CLEAN_CONTROL} what untouched images get that are asked "
    "for every target: doing nothing"
)


def table_notes(run: RunData, split: str, kept: pd.DataFrame | None = None) -> tuple[str, ...]:
    """Footnotes of Table 2 or 3, in reading order; success may be over `kept` rows alone."""
    rows = run.predictions[run.predictions["split"] == split]
    if rows.empty:
        return (f"This run holds no rows of the split {split!r}.", *origin_notes(run))
    shares = {name: 100 * clean.overall.accuracy for name, clean in clean_of(run).items()}
    clean = ", ".join(f"{name} {number(share)}" for name, share in shares.items())
    return (
        *_meanings(run, split),
        "± is the sample standard deviation: in a family's cell over its architectures, under "
        "Mean over the family means.",
        "95 %: Wilson interval of the Mean for as many units as its variance is worth over "
        f"{REPLICATES} draws of whole scenes ({scenes_said(rows if kept is None else kept)}); "
        f"{AT_HAND}.",
        *_families(run),
        *failure_notes(run),
        *_suspicions(run),
        *_coverage(run, rows, split),
        *_distortions(run, split),
        f"LPIPS {run.lpips_version}.",
        f"Clean accuracy of the victims on Set-C (%): {clean}.",
        *_published(run, split),
        *origin_notes(run),
    )


def scenes_said(rows: pd.DataFrame) -> str:
    """What the draws of intervals are drawn from."""
    scenes, photographs = rows["scene"].nunique(), rows["photo_id"].nunique()
    of = "a photograph each" if scenes == photographs else f"in {photographs} photographs"
    return f"{scenes}, {of}" if scenes > 1 else f"{scenes or 'none'}, so no interval"


def clean_notes(run: RunData) -> tuple[str, ...]:
    """Footnotes of the clean-accuracy table."""
    shares = {name: 100 * clean.overall.accuracy for name, clean in clean_of(run).items()}
    told = {victim for attack, victim in run.failed if attack == CLEAN_CONTROL}
    missing = [v.name for v in run.victims if v.name not in told.union(shares)]
    holes = (f"No rows of the identity control for {', '.join(missing)}.",) if missing else ()
    lowest = ", ".join(f"{name} {value} %" for name, value in CLEAN_MINIMUM_PERCENT.items())
    worst, mean = min(shares, key=lambda name: shares[name]), sum(shares.values()) / len(shares)
    return (
        f"Mean over {plural(len(shares), 'victim')} {number(mean)} %, "
        f"lowest {number(shares[worst])} % ({worst}). The paper's lowest over the "
        f"architectures, on the Dresden images: {lowest}.",
        *failure_notes(run, {CLEAN_CONTROL}),
        *_suspicions(run, "victim "),
        *holes,
        *origin_notes(run),
    )


def _meanings(run: RunData, split: str) -> Iterable[str]:
    marks = []
    if any(attack.laac for attack in run.attacks):
        marks.append("LAAC: local auxiliary attribution classifiers of the attack's training.")
    if any(attack.scfa for attack in run.attacks):
        marks.append("† synthetic colour filter array in front of the generator.")
    yield " ".join([*marks, "↑ higher is better, ↓ lower."])
    meanings = []
    for metric in row_metrics():
        hole = f"; {_UNTARGETED}" if metric.needs == "target" else ""
        meanings.append(
            f"{metric.title}: {metric.meaning}{hole}."
            if metric.defined(split)
            else f"{metric.title} is n/a: out of distribution the source camera is no class of the "
            "protocol's victims."
        )
    yield " ".join(meanings)
    if knowing := [one.name for one in run.victims if len(one.classes) > len(run.classes)]:
        yield (
            f"{', '.join(knowing)} tell apart further camera models than the targets: where these "
            "took an image, doing nothing has no chance of success."
        )


def _families(run: RunData) -> Iterable[str]:
    backbones = {
        family: [one.backbone for one in run.victims if one.family == family] for family in FAMILIES
    }
    for family, names in backbones.items():
        if names and len(names) != ARCHITECTURES_PER_FAMILY:
            yield (
                f"{family} cells: mean over {len(names)} of {ARCHITECTURES_PER_FAMILY} "
                f"architectures ({', '.join(names)})."
            )
    counted = averaged(run.victims)
    if empty := [family for family, names in backbones.items() if not names]:
        over = {*counted.values()} & set(FAMILIES)
        of = f"{len(over)} of {len(FAMILIES)} families" if over else listed([*counted]) or "none"
        yield f"No victim of the family {' or '.join(empty)}: Mean is over {of}."
    outside = [victim.name for victim in run.victims if victim.family not in FAMILIES]
    if others := [name for name in outside if name not in counted]:
        yield (
            "Outside the protocol's families, in a column of their own and in no mean: "
            f"{', '.join(others)}."
        )


def outside_means(run: RunData) -> Iterable[str]:
    """Families that a table of means alone does not show."""
    if others := {*run.families.values()} - {*averaged(run.victims).values()}:
        yield f"In no mean here: {', '.join(sorted(others))}."


def part_marked(text: str, in_part: bool) -> str:
    """A mean for reading, marked where it is over some of the victims alone."""
    return f"{text} {MARK}" if in_part and text != NA else text


def part_notes(run: RunData, in_part: bool) -> Iterable[str]:
    """What the mark says, where any mean has it."""
    if in_part:
        yield f"{MARK}: not over all victims of the other means, so not to be compared with them."
        yield from failure_notes(run)


def _suspicions(run: RunData, of: str = "") -> Iterable[str]:
    for (who, _), said in run.suspicions.items():
        if who.startswith(of):
            yield f"Suspicious: {who}: {said}."


def _coverage(run: RunData, rows: pd.DataFrame, split: str) -> Iterable[str]:
    """What was not, or not wholly, scored."""
    rates, images = rates_of(run, split), rows[["image_id", "source"]].drop_duplicates()
    full = len(images) * len(run.classes) - int(images["source"].isin(list(run.classes)).sum())
    found = {attack.name: rates[rates["attack"] == attack.name] for attack in run.attacks}
    for name, mine in found.items():
        known = {*mine["victim"], *run.entry(name).failed_victims}
        if missing := [v.name for v in run.victims if v.name not in known]:
            yield (
                f"{name}: no rows for {', '.join(missing)}. A family's cell is over the "
                "victims that were scored; a family with none makes the Mean n/a."
            )
    for attack in run.attacks:
        if attack.partial:
            yield (
                f"{attack.name} is partial: of the images and targets that are scored, in and out "
                f"of distribution, {attack.partial.scored} of {attack.partial.wanted} were there; "
                "nothing is filled in."
            )
        mine, expected = found[attack.name], full if attack.targeted else len(images)
        fewest = mine["n"].min()
        if fewest < expected:
            where = "images and targets in this table, per victim"
            yield f"{attack.name}: {number(fewest, 0)} of {expected} {where}."


def _distortions(run: RunData, split: str) -> Iterable[str]:
    titles = " and ".join(m.title for m in image_metrics() if np.isinf(m.unchanged))
    lost = []
    for attack in run.attacks:
        rows = attack_rows(run, "distortion", attack.name, split)
        unchanged = unchanged_images(rows)
        if 0 < unchanged < len(rows):
            yield (
                f"{attack.name}: {unchanged} of {len(rows)} images unchanged: {titles} is the mean "
                "over the others."
            )
        if rows.empty and not run.entry(attack.name).failed:
            lost.append(attack.name)
    if lost:
        yield f"No distortion rows for {', '.join(lost)}."


def _published(run: RunData, split: str) -> Iterable[str]:
    if not any(attack.row in published_rows(split) for attack in run.attacks):
        return
    yield (
        "published: Andrews, Zhang and Griffin 2020, as printed; measured on the Dresden images "
        "with their training budget, so other suites and recipes differ in level."
    )
    if split == IN:
        yield (
            "‡ Erratum: the paper's UASR Mean does not follow from its own columns (it equals the "
            "TASR Mean of Table 3); in brackets the mean recomputed from the printed columns."
        )


def origin_notes(run: RunData, entries: Sequence[Entry] = ()) -> Iterable[str]:
    """Suite, audit, recipe, seeds, scorer and code of a run; of `entries` where rows are merged."""
    told = {one.name: one.not_covered for one in (*run.attacks, *run.victims) if one.not_covered}
    for name, what in told.items():
        yield (
            f"The key of {name} does not cover {'; '.join(what)}: after a change there its rows "
            "would stand, and `camobench verify --rows` finds it."
        )
    yield from (f"Suite: {note}" for note in run.suite_notes)
    yield f"Audit: {run.audit}." if run.audit else NOT_AUDITED.format(suite=run.suite)
    made = entries or run.entries
    seeds = ", ".join(dict.fromkeys(entry.seeds for entry in made))
    codes = (code for entry in made for code in entry.provenance.codes)
    commits = ", ".join(dict.fromkeys(codes))
    yield (
        f"Suite {run.suite} ({run.fingerprint[:12]}), recipe {run.recipe}, seed {seeds}, scorer "
        f"{run.scorer_version}, code {commits}."
    )


def failure_notes(run: RunData, attacks: Collection[str] | None = None) -> Iterable[str]:
    """What failed and why, with the cells that it cost; of some attacks, or of all."""
    causes: dict[tuple[str, str], list[tuple[str, FailedCell]]] = {}
    for (attack, _), cell in run.failed.items():
        if attacks is None or attack in attacks:
            causes.setdefault((cell.who, cell.reason), []).append((attack, cell))
    for (who, reason), cells in causes.items():
        names = _some("attacks", (attack for attack, _ in cells))
        victims = _some("victims", (cell.victim for _, cell in cells))
        logs = list(dict.fromkeys(cell.log for _, cell in cells))
        more = f" and {len(logs) - 1} more" if len(logs) > 1 else ""
        yield f"{MARK} {who} failed: {reason}. No {names} on {victims}; see {logs[0]}{more}."


def _some(what: str, names: Iterable[str]) -> str:
    each = list(dict.fromkeys(names))
    return ", ".join(each) if len(each) <= MOST_NAMED else f"{len(each)} {what}"


def failed_cells(run: RunData) -> str:
    """All that failed in one line, for the command line; "" where nothing did."""
    cells = [f"{attack} on {victim}" for attack, victim in run.failed]
    where = f"tracebacks are in {run.directory / 'failures'}, the same command tries again"
    failed = f"{plural(len(cells), 'cell')} failed: {listed(cells, MOST_NAMED)}; {where}"
    return failed if cells else ""
