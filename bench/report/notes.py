"""The footnotes of the tables: what is averaged, what is missing and why, where it comes from."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from bench.metrics.resampling import REPLICATES
from bench.metrics.success import CLEAN_CONTROL, clean_accuracy, unchanged_images
from bench.report.failed import failure_notes
from bench.report.published import (
    ARCHITECTURES_PER_FAMILY,
    CLEAN_MINIMUM_PERCENT,
    FAMILIES,
    published_rows,
)
from bench.report.records import AttackInfo, RunData
from bench.wording import plural

NOT_AUDITED = "Not audited: `camobench data prepare {suite}` audits it, then the same run again."


def table_notes(run: RunData, split: str, rates: pd.DataFrame) -> tuple[str, ...]:
    """Footnotes of Table 2 or 3, in reading order."""
    rows = run.predictions[run.predictions["split"] == split]
    if rows.empty:
        return (f"This run holds no rows of the split {split!r}.", *origin_notes(run))
    return (
        *_marks(run),
        "TASR: share of anonymised images given the target label; n/a for untargeted attacks. "
        + (
            "UASR: share given any label but the source's."
            if split == "in"
            else "UASR is n/a: out of distribution the source camera is no class of the victims."
        ),
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


def clean_notes(run: RunData, accuracy: pd.DataFrame) -> tuple[str, ...]:
    """Footnotes of the clean-accuracy table."""
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
        told = {cell.victim for cell in attack.failed}
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
    for attack in run.attacks:
        unchanged, images = unchanged_images(run.distortion, split, attack.name)
        if 0 < unchanged < images:
            yield (
                f"{attack.name}: {unchanged} of {images} images unchanged: PSNR is the mean over "
                "the others."
            )


def _unmeasured(run: RunData, split: str) -> Iterable[str]:
    measured = set(run.distortion.loc[run.distortion["split"] == split, "attack"])
    names = [one.name for one in run.attacks if one.name not in measured and not one.failed]
    if names:
        yield f"No distortion rows for {', '.join(names)}."


def _clean(run: RunData) -> str:
    accuracy = 100 * clean_accuracy(run.predictions)["accuracy"]
    listed = (f"{name} {value:.1f}" for name, value in accuracy.items())
    return f"Clean accuracy of the victims on Set-C (%): {', '.join(listed)}."


def _published(run: RunData, split: str) -> Iterable[str]:
    if not any(attack.row in published_rows(split) for attack in run.attacks):
        return
    yield (
        "published: Andrews, Zhang and Griffin 2020, as printed; measured on the Dresden images "
        "with their training budget, so other suites and recipes differ in level."
    )
    if split == "in":
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
    seeds = ", ".join(map(str, run.seeds))
    commits = ", ".join(dict.fromkeys(map(_commit, run.attacks)))
    yield (
        f"Suite {run.suite} ({run.fingerprint[:12]}), recipe {run.recipe}, seed {seeds}, scorer "
        f"{run.scorer_version}, code {commits}."
    )


def _commit(attack: AttackInfo) -> str:
    provenance: dict[str, Any] = attack.provenance
    commit = str(provenance.get("commit") or "unknown")[:12]
    return f"{commit} with uncommitted changes" if provenance.get("dirty") else commit
