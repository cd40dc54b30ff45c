"""The rows of a run against its entries: all there, once each, and such as a scorer writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd

from bench.records.entry import Entry
from bench.records.frames import (
    IMAGE,
    distortion_problems,
    images_digest,
    images_of,
    prediction_problems,
)
from bench.records.participants import Coverage
from bench.records.run import RunData
from bench.report.statistics import rows_by
from bench.types import IN, SPLITS
from bench.verdicts import Verdict
from bench.wording import listed, plural

MOST_NAMED = 6


def row_verdicts(
    predictions: pd.DataFrame, distortion: pd.DataFrame, entries: Sequence[Entry], *, whole: bool
) -> Iterator[Verdict]:
    """Check all rows of some entries.

    Args:
        predictions: Rows of a run, of the types that the schema wants.
        distortion: Likewise.
        entries: Attacks that are looked at.
        whole: These are all entries of the run, so that other attacks' rows are surplus.
    """
    images = images_of(predictions, distortion)
    yield check_images(images, entries[0])
    images = images.drop_duplicates("image_id")
    for entry in entries:
        classes, targeted = entry.suite.classes, entry.attack.targeted
        wanted = wanted_cells(images, classes, targeted=targeted)
        name = entry.attack.name
        yield _predictions_of(entry, predictions[predictions["attack"] == name], wanted)
        yield _distortion_of(entry, distortion[distortion["attack"] == name], wanted)
    if not whole:
        return
    yield from _coverages(predictions, images, entries)
    declared = {entry.attack.name for entry in entries}
    for table, frame in (("predictions", predictions), ("distortion", distortion)):
        strangers = sorted(set(frame["attack"].unique()) - declared)
        if strangers:
            finding = f"surplus rows of attacks without an entry: {listed(strangers)}"
            yield Verdict(f"{table}.parquet", "fail", finding)


def check_images(images: pd.DataFrame, entry: Entry) -> Verdict:
    """One photograph, device, source and split an image; all of Set-C; classes inside only.

    Args:
        images: What `images_of` returns.
        entry: States the suite. What Set-C holds is known of simulated suites, and is stated by
            entries of others.
    """
    suite = entry.suite
    odd = {
        "photograph, device, source or split change from row to row": images.duplicated("image_id"),
        f"`split` is none of {', '.join(SPLITS)}": ~images["split"].isin(list(SPLITS)),
        "split and source contradict each other": images["source"].isin(suite.classes)
        != (images["split"] == IN),
    }
    problems = [
        f"{what}: {listed(sorted(images.loc[where, 'image_id'].unique()), 3)}"
        for what, where in odd.items()
        if where.any()
    ]
    stated = suite.evaluated.model_dump() if suite.evaluated else None
    evaluated = _simulated().get(suite.fingerprint) or stated
    if evaluated and not problems and images_digest(images) != evaluated["sha256"]:
        problems.append(
            f"Set-C has {plural(evaluated['images'], 'image')}, the rows are of {len(images)}, or "
            "of others"
        )
    counts = ", ".join(f"{n} {split}" for split, n in images.groupby("split").size().items())
    return _verdict("images", problems, f"{counts}, each of one photograph, device and source")


@cache
def _simulated() -> dict[str, dict[str, Any]]:
    """Images of the simulated suites' Set-C, by the suite's fingerprint."""
    file = resources.files("bench") / "assets" / "evaluated.json"
    found: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return found


def condition_verdict(run: RunData) -> Verdict:
    """Rows under conditions: all of the run's own cells, such as a scorer writes.

    What failed there is missing only where the entry says so: nobody leaves a hard victim out of
    the means.
    """
    after = run.conditions
    known, found = (
        pd.MultiIndex.from_frame(frame[IMAGE].drop_duplicates().astype(str))
        for frame in (run.predictions, after)
    )
    conditions, problems = list(after["said"].unique()), list[str]()
    if strange := sorted(set(found.difference(known).get_level_values(0))):
        problems.append(f"{plural(len(strange), 'image')} that the run has otherwise: {strange[0]}")
    odd = _other_cells(run)
    for entry in run.entries:
        name = entry.attack.name
        parts = rows_by(run, "conditions", "attack", "split", "said").items()
        mine = pd.concat([after.iloc[:0], *(rows for of, rows in parts if of[0] == name)])
        strange_rows = prediction_problems(mine.assign(attack=mine["said"]), entry)
        for said in conditions:
            rows = mine[mine["said"] == said]
            for victim in sorted(v for attack, v, of in odd if (attack, of) == (name, said)):
                there = rows[rows["victim"] == victim]
                if len(there) or not entry.lacks(f"{victim} {said}"):
                    scored = run.predictions
                    scored = scored[(scored["attack"] == name) & (scored["victim"] == victim)]
                    where = f" of {name} on {victim} {said}"
                    problems += cell_problems(there, present_cells(scored), where)
            wrong = prediction_problems(rows, entry) if strange_rows else []
            problems += [f"{name} {said}: {one}" for one in wrong]
            if len(rows) and rows["quality_percent"].isna().any():
                problems += _weaker_distortions(run, entry, str(said))
    whole = f"{plural(len(after), 'row')} {', '.join(conditions)}"
    return _verdict("rows under conditions", problems, whole)


def _other_cells(run: RunData) -> set[tuple[str, str, str]]:
    """(attack, victim, condition) of which the images and targets are not those of the run."""
    column = ["attack", "victim", "image_id", "target"]
    cells = pd.concat([run.predictions[column], run.conditions[column]], ignore_index=True)
    number = cells.groupby(column, sort=False, dropna=False).ngroup().to_numpy()
    names = cells.groupby(number)[["attack", "victim"]].first()
    scored, after = number[: len(run.predictions)], number[len(run.predictions) :]
    wanted = np.bincount(scored, minlength=len(names))
    return {
        (attack, victim, str(said))
        for said, places in run.conditions.groupby("said").indices.items()
        for attack, victim in names[
            np.bincount(after[places], minlength=len(names)) != wanted
        ].itertuples(index=False)
    }


def _weaker_distortions(run: RunData, entry: Entry, said: str) -> Iterator[str]:
    """What is wrong with how far a weaker attack is said to go: curves are read off by it."""
    name = entry.attack.name
    none = run.condition_distortion.iloc[:0]
    rows = rows_by(run, "condition_distortion", "attack", "said").get((name, said), none)
    if len(rows) or not entry.lacks(f"distortion {said}"):
        wanted = present_cells(rows_by(run, "distortion", "attack").get((name,), none))
        yield from cell_problems(rows, wanted, f" of distortions of {name} {said}")
    yield from (f"{name} {said}: {one}" for one in distortion_problems(rows, entry))


def wanted_cells(images: pd.DataFrame, classes: Sequence[str], *, targeted: bool) -> pd.MultiIndex:
    """(image_id, target) of one attack; the target is "" for an untargeted one.

    In distribution every target but the source, out of distribution every target.
    """
    if not targeted:
        pairs = [(image, "") for image in images["image_id"]]
    else:
        known = zip(images["image_id"], images["source"], strict=True)
        pairs = [(image, name) for image, source in known for name in classes if name != source]
    return pd.MultiIndex.from_tuples(pairs, names=["image_id", "target"])


def present_cells(rows: pd.DataFrame) -> pd.MultiIndex:
    """(image_id, target) of rows, as `wanted_cells` names them."""
    targets = rows["target"].astype("object").where(rows["target"].notna(), "")
    return pd.MultiIndex.from_arrays([rows["image_id"], targets], names=["image_id", "target"])


def cell_problems(
    rows: pd.DataFrame,
    wanted: pd.MultiIndex,
    where: str,
    *,
    partial: bool = False,
    said: Coverage | None = None,
) -> list[str]:
    """Missing, surplus and doubled cells, named.

    Args:
        rows: Of one attack, and of one victim where there is one.
        wanted: Cells that should be there.
        where: Ends a sentence.
        partial: Some may be missing.
        said: How many there are to be, where some are missing.
    """
    present = present_cells(rows)
    found = {
        "missing": [] if partial or said else wanted.difference(present),
        "surplus": present.unique().difference(wanted),
        "there twice": present[present.duplicated()].unique(),
    }
    problems = []
    for what, cells in found.items():
        if len(cells):
            named = listed([" to ".join(filter(None, cell)) for cell in cells], 3)
            problems.append(f"{plural(len(cells), 'row')} {what}{where}: {named}")
    there = Coverage(scored=len(rows), wanted=len(wanted))
    if said is not None and said != there:
        problems.append(f"the entry says {said}, there are {there}{where}")
    return problems


def _coverages(
    predictions: pd.DataFrame, images: pd.DataFrame, entries: Sequence[Entry]
) -> Iterator[Verdict]:
    """What is partial was sent, and lacks what it says: nobody leaves a hard victim out so."""
    unsent = "states that it is partial, which only images or predictions made elsewhere can be"
    for attack in (entry.attack for entry in entries):
        if attack.partial and attack.files_sha256 is None:
            yield Verdict(f"coverage of {attack.name}", "fail", unsent)
    wanted = sum(
        len(wanted_cells(images, entry.suite.classes, targeted=entry.attack.targeted))
        for entry in entries
    )
    for victim in (one for one in entries[0].victims if one.partial):
        found = Coverage(scored=int((predictions["victim"] == victim.name).sum()), wanted=wanted)
        wrong = f"the entries say {victim.partial}, there are {found}"
        if not victim.elsewhere or found != victim.partial:
            finding = wrong if victim.elsewhere else unsent
            yield Verdict(f"coverage of {victim.name}", "fail", finding)


def _predictions_of(entry: Entry, rows: pd.DataFrame, wanted: pd.MultiIndex) -> Verdict:
    problems = []
    victims, lost = [victim.name for victim in entry.victims], entry.failed_victims
    places, count = wanted.get_indexer(present_cells(rows)), rows["victim"].value_counts()
    again = rows.assign(place=places).duplicated(["victim", "place"])
    odd = {*rows.loc[again | (places < 0), "victim"].unique()}
    odd |= {name for name in victims if count.get(name, 0) != len(wanted)}
    for victim in entry.victims:
        mine, where = rows[rows["victim"] == victim.name], f" on {victim.name}"
        if victim.name not in lost:
            said = None if victim.partial else entry.attack.partial
            if said is None and victim.name not in odd:
                continue
            problems += cell_problems(mine, wanted, where, partial=bool(victim.partial), said=said)
        elif len(mine):
            problems.append(f"{plural(len(mine), 'row')}{where}, which the entry says failed")
    strangers = sorted(set(rows["victim"].unique()) - set(victims))
    if strangers:
        problems.append(f"surplus rows of victims that the entry lacks: {listed(strangers)}")
    problems += prediction_problems(rows, entry) if len(rows) else []
    scored = len(victims) - len(lost)
    whole = f"{plural(len(rows), 'row')}: {scored} victims x {len(wanted)} images and targets"
    return _verdict(f"predictions of {entry.attack.name}", problems, whole, lost)


def _distortion_of(entry: Entry, rows: pd.DataFrame, wanted: pd.MultiIndex) -> Verdict:
    check, lost = f"distortion of {entry.attack.name}", entry.failed_victims
    if rows.empty and len(lost) == len(entry.victims):
        return _verdict(check, [], "no row", lost)
    if rows.empty and entry.lacks("distortion"):
        return _verdict(check, [], "no row", ["distortion"])
    problems = cell_problems(rows, wanted, "", said=entry.attack.partial)
    return _verdict(check, [*problems, *distortion_problems(rows, entry)], plural(len(rows), "row"))


def _verdict(check: str, problems: list[str], whole: str, lost: Sequence[str] = ()) -> Verdict:
    if lost and not problems:
        finding = f"{whole}; failed, as the entry says: {listed(lost)}"
        return Verdict(check, "warn", finding, "run it again")
    named = "; ".join(problems[:MOST_NAMED]) + (" ..." if len(problems) > MOST_NAMED else "")
    return Verdict(check, "fail" if problems else "ok", named or whole)
