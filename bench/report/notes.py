"""What stands in and below the tables of holes and origins: what is averaged, what is missing."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd

from bench.metrics.distortion import unchanged_images
from bench.metrics.resampling import REPLICATES
from bench.metrics.success import CLEAN_CONTROL
from bench.records.metric import image_metrics, row_metrics
from bench.records.participants import FAMILIES, AttackRecord, FailedCell
from bench.records.run import RunData
from bench.report.published import (
    ARCHITECTURES_PER_FAMILY,
    CLEAN_MINIMUM_PERCENT,
    published_rows,
)
from bench.report.statistics import clean_of, rates_of
from bench.report.table import NA
from bench.types import IN
from bench.wording import plural

FAILED = "failed"
MARK = "§"
MOST_NAMED = 3
NOT_AUDITED = "Not audited: `camobench data prepare {suite}` audits it, then the same run again."


def table_notes(run: RunData, split: str) -> tuple[str, ...]:
    """Footnotes of Table 2 or 3, in reading order."""
    rows, rates = run.predictions[run.predictions["split"] == split], rates_of(run, split)
    if rows.empty:
        return (f"This run holds no rows of the split {split!r}.", *origin_notes(run))
    return (
        *_marks(run),
        " ".join(_meanings(split)),
        "± is the sample standard deviation: in a family's cell over its architectures, under "
        "Mean over the family means.",
        f"95 %: bootstrap interval of the Mean, {REPLICATES} draws of whole source photographs "
        f"({rows['photo_id'].nunique()} here), conditional on the trained networks at hand.",
        *_families(run),
        *failure_notes(run),
        *_suspicions(run),
        *_holes(run, rates),
        *_coverage(run, rows, rates),
        *_unchanged(run, split),
        *_unmeasured(run, split),
        f"LPIPS {run.lpips_version}.",
        _clean(run),
        *_published(run, split),
        *origin_notes(run),
    )


def clean_notes(run: RunData) -> tuple[str, ...]:
    """Footnotes of the clean-accuracy table."""
    accuracy = clean_of(run)
    values = 100 * accuracy["accuracy"]
    told = {victim for attack, victim in run.failed if attack == CLEAN_CONTROL}
    missing = [v.name for v in run.victims if v.name not in told.union(accuracy.index)]
    holes = (f"No rows of the identity control for {', '.join(missing)}.",) if missing else ()
    lowest = ", ".join(f"{name} {value} %" for name, value in CLEAN_MINIMUM_PERCENT.items())
    return (
        f"Mean over {plural(len(values), 'victim')} {values.mean():.1f} %, "
        f"lowest {values.min():.1f} % ({values.idxmin()}). The paper's lowest over the "
        f"architectures, on the Dresden images: {lowest}.",
        *failure_notes(run, {CLEAN_CONTROL}),
        *_suspicions(run, "victim "),
        *holes,
        *origin_notes(run),
    )


def _marks(run: RunData) -> Iterable[str]:
    marks = []
    if any(attack.laac for attack in run.attacks):
        marks.append("LAAC: local auxiliary attribution classifiers of the attack's training.")
    if any(attack.scfa for attack in run.attacks):
        marks.append("† synthetic colour filter array in front of the generator.")
    yield " ".join([*marks, "↑ higher is better, ↓ lower."])


def _meanings(split: str) -> Iterable[str]:
    for metric in row_metrics():
        if not metric.defined(split):
            why = "out of distribution the source camera is no class of the victims"
            yield f"{metric.title} is n/a: {why}."
        else:
            hole = "; n/a for untargeted attacks" if metric.needs == "target" else ""
            yield f"{metric.title}: {metric.meaning}{hole}."


def _families(run: RunData) -> Iterable[str]:
    backbones: dict[str, list[str]] = {family: [] for family in FAMILIES}
    others = []
    for victim in run.victims:
        if victim.family in backbones:
            backbones[victim.family].append(victim.backbone)
        else:
            others.append(victim.name)
    for family, names in backbones.items():
        if names and len(names) != ARCHITECTURES_PER_FAMILY:
            yield (
                f"{family} cells: mean over {len(names)} of {ARCHITECTURES_PER_FAMILY} "
                f"architectures ({', '.join(names)})."
            )
    empty = [family for family, names in backbones.items() if not names]
    if empty:
        yield (
            f"No victim of the family {' or '.join(empty)}: Mean is over "
            f"{len(FAMILIES) - len(empty)} of {len(FAMILIES)} families."
        )
    if others:
        yield (
            "Outside the protocol's families, in a column of their own and in no mean: "
            f"{', '.join(others)}."
        )


def _suspicions(run: RunData, of: str = "") -> Iterable[str]:
    for (who, _), finding in run.suspicions.items():
        if who.startswith(of):
            yield f"Suspicious: {who}: {finding}."


def _holes(run: RunData, rates: pd.DataFrame) -> Iterable[str]:
    for attack in run.attacks:
        scored = set(rates.loc[rates["attack"] == attack.name, "victim"])
        told = set(run.entry(attack.name).failed_victims)
        missing = [v.name for v in run.victims if v.name not in scored | told]
        if missing:
            yield (
                f"{attack.name}: no rows for {', '.join(missing)}. A family's cell is over the "
                "victims that were scored; a family with none makes the Mean n/a."
            )


def _coverage(run: RunData, rows: pd.DataFrame, rates: pd.DataFrame) -> Iterable[str]:
    images = rows[["image_id", "source"]].drop_duplicates()
    members = images["source"].isin(list(run.classes))
    full = len(images) * len(run.classes) - int(members.sum())
    partial = [victim.name for victim in run.victims if victim.partial]
    for victim in run.victims:
        if victim.partial:
            yield f"{victim.name} is partial: it answered {victim.partial}, so it is in no mean."
    for attack in run.attacks:
        expected = full if attack.targeted else len(images)
        if attack.partial:
            yield (
                f"{attack.name} is partial: of the images and targets that are scored, in and out "
                f"of distribution, {attack.partial.scored} of {attack.partial.wanted} were there; "
                "nothing is filled in."
            )
        mine = rates[rates["attack"] == attack.name]
        counts = mine.loc[~mine["victim"].isin(partial), "n"]
        if len(counts) and int(counts.min()) < expected:
            yield (
                f"{attack.name}: {counts.min()} of {expected} images and targets in this table, "
                "per victim."
            )


def _unchanged(run: RunData, split: str) -> Iterable[str]:
    titles = " and ".join(m.title for m in image_metrics() if np.isinf(m.unchanged))
    for attack in run.attacks:
        unchanged, images = unchanged_images(run.distortion, split, attack.name)
        if 0 < unchanged < images:
            yield (
                f"{attack.name}: {unchanged} of {images} images unchanged: {titles} is the mean "
                "over the others."
            )


def _unmeasured(run: RunData, split: str) -> Iterable[str]:
    measured = set(run.distortion.loc[run.distortion["split"] == split, "attack"])
    names = [
        one.name
        for one in run.attacks
        if one.name not in measured and not run.entry(one.name).failed
    ]
    if names:
        yield f"No distortion rows for {', '.join(names)}."


def _clean(run: RunData) -> str:
    accuracy = 100 * clean_of(run)["accuracy"]
    listed = (f"{name} {value:.1f}" for name, value in accuracy.items())
    return f"Clean accuracy of the victims on Set-C (%): {', '.join(listed)}."


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


def origin_notes(run: RunData) -> Iterable[str]:
    """Suite, audit, recipe, seeds, scorer and code of a run."""
    told = {one.name: one.not_covered for one in run.attacks}
    told |= {one.name: one.not_covered for one in run.victims}
    for name, what in told.items():
        if what:
            yield (
                f"The key of {name} does not cover {'; '.join(what)}: after a change there its "
                "rows would stand, and `camobench verify --rows` finds it."
            )
    yield from (f"Suite: {note}" for note in run.suite_notes)
    yield f"Audit: {run.audit}." if run.audit else NOT_AUDITED.format(suite=run.suite)
    seeds = ", ".join(dict.fromkeys(entry.seeds for entry in run.entries))
    commits = ", ".join(dict.fromkeys(entry.provenance.code for entry in run.entries))
    yield (
        f"Suite {run.suite} ({run.fingerprint[:12]}), recipe {run.recipe}, seed {seeds}, scorer "
        f"{run.scorer_version}, code {commits}."
    )


def family_texts(
    run: RunData, attack: AttackRecord, families: Sequence[str], texts: Sequence[str]
) -> list[str]:
    """Show the holes in one measure's cells.

    Args:
        run: Says who failed.
        attack: Of this row.
        families: Of victims.
        texts: Formatted cells of the families, then of their mean.

    Returns:
        The same, "failed" where no victim of a family is left, marked where some are missing.
    """
    lost = run.entry(attack.name).failed_victims
    gone = {name: [v in lost for v, f in run.families.items() if f == name] for name in families}
    shown = [_shown(text, gone[name]) for name, text in zip(families, texts, strict=False)]
    if FAILED in shown:
        return [*shown, FAILED]
    return [*shown, _shown(texts[-1], [any(gone[name]) for name in families])]


def _shown(text: str, gone: Sequence[bool]) -> str:
    if not any(gone):
        return text
    if text == NA:
        return FAILED
    return f"{text} {MARK}"


def failure_notes(run: RunData, attacks: Collection[str] | None = None) -> Iterable[str]:
    """What failed and why, with the cells that it cost.

    Args:
        run: Says who failed.
        attacks: Whose cells count; all by default.
    """
    causes: dict[tuple[str, str], list[tuple[str, FailedCell]]] = {}
    for (attack, _), cell in run.failed.items():
        if attacks is None or attack in attacks:
            causes.setdefault((cell.who, cell.reason), []).append((attack, cell))
    for (who, reason), cells in causes.items():
        names = _some("attacks", [attack for attack, _ in cells])
        victims = _some("victims", [cell.victim for _, cell in cells])
        logs = list(dict.fromkeys(cell.log for _, cell in cells))
        more = f" and {len(logs) - 1} more" if len(logs) > 1 else ""
        yield f"{MARK} {who} failed: {reason}. No {names} on {victims}; see {logs[0]}{more}."
    for attack, one in run.unmeasured:
        if attacks is None or attack in attacks:
            yield f"{one.who} failed: {one.reason}. No {one.what} of {attack}; see {one.log}."


def _some(what: str, names: Sequence[str]) -> str:
    each = list(dict.fromkeys(names))
    return ", ".join(each) if len(each) <= MOST_NAMED else f"{len(each)} {what}"


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


def failed_cells(run: RunData) -> str:
    """All that failed in one line, for the command line; "" where nothing did."""
    cells = [f"{attack} on {victim}" for attack, victim in run.failed]
    others = [f"{one.what} of {attack}" for attack, one in run.unmeasured]
    if not (cells or others):
        return ""
    parts = [f"{plural(len(cells), 'cell')} failed: {_first(cells)}"] if cells else []
    parts += [f"missing: {_first(others)}"] if others else []
    return (
        f"{'; '.join(parts)}; tracebacks are in {run.directory / 'failures'}, "
        "the same command tries again"
    )
