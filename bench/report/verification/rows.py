"""The rows of a run against its entries: all there, once each, and such as a scorer writes."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from bench.report.coverage import Coverage, partial_coverage
from bench.report.verification.cells import (
    cell_problems,
    check_images,
    images_of,
    wanted_cells,
)
from bench.report.verification.values import distortion_problems, prediction_problems
from bench.verdicts import Verdict
from bench.wording import listed, plural


def row_verdicts(
    predictions: pd.DataFrame,
    distortion: pd.DataFrame,
    entries: Sequence[dict[str, Any]],
    *,
    whole: bool,
) -> Iterator[Verdict]:
    """Check all rows of some entries.

    Args:
        predictions: Rows of a run, of the types that the schema wants.
        distortion: Likewise.
        entries: Attacks that are looked at.
        whole: These are all entries of the run, so that other attacks' rows are surplus.
    """
    images = images_of(predictions, distortion)
    yield check_images(images, entries[0]["suite"])
    images = images.drop_duplicates("image_id")
    for entry in entries:
        yield _predictions_of(entry, predictions, images)
        yield _distortion_of(entry, distortion, images)
    if not whole:
        return
    yield from _coverages(predictions, images, entries)
    declared = {entry["attack"]["name"] for entry in entries}
    for name, frame in (("predictions", predictions), ("distortion", distortion)):
        strangers = sorted(set(frame["attack"]) - declared)
        if strangers:
            finding = f"surplus rows of attacks without an entry: {listed(strangers)}"
            yield Verdict(check=f"{name}.parquet", verdict="fail", finding=finding)


def _coverages(
    predictions: pd.DataFrame, images: pd.DataFrame, entries: Sequence[dict[str, Any]]
) -> Iterator[Verdict]:
    """What is partial was sent, and lacks what it says: nobody leaves a hard victim out so."""
    attacks = [entry["attack"] for entry in entries]
    for attack in attacks:
        if partial_coverage(attack) and "files_sha256" not in attack:
            yield _unsent(f"coverage of {attack['name']}")
    classes = entries[0]["suite"]["classes"]
    wanted = sum(len(wanted_cells(images, classes, targeted=one["targeted"])) for one in attacks)
    for victim in entries[0]["victims"]:
        said, name = partial_coverage(victim), f"coverage of {victim['name']}"
        if said is None:
            continue
        found = Coverage(scored=int((predictions["victim"] == victim["name"]).sum()), wanted=wanted)
        if "predictions_sha256" not in victim:
            yield _unsent(name)
        elif found != said:
            finding = f"the entries say {said}, there are {found}"
            yield Verdict(check=name, verdict="fail", finding=finding)


def _unsent(check: str) -> Verdict:
    finding = "states that it is partial, which only images or predictions made elsewhere can be"
    return Verdict(check=check, verdict="fail", finding=finding)


def _predictions_of(entry: dict[str, Any], frame: pd.DataFrame, images: pd.DataFrame) -> Verdict:
    attack = entry["attack"]
    rows = frame[frame["attack"] == attack["name"]]
    wanted = wanted_cells(images, entry["suite"]["classes"], targeted=attack["targeted"])
    problems = []
    victims = [victim["name"] for victim in entry["victims"]]
    said, lost = partial_coverage(attack), _failed(entry)
    for victim in entry["victims"]:
        mine, partial = rows[rows["victim"] == victim["name"]], partial_coverage(victim)
        where = f" on {victim['name']}"
        if victim["name"] in lost:
            if len(mine):
                problems.append(f"{plural(len(mine), 'row')}{where}, which the entry says failed")
            continue
        problems += cell_problems(mine, wanted, where, partial=bool(said or partial))
        if said and not partial:
            problems += _other_coverage(mine, wanted, said, where)
    strangers = sorted(set(rows["victim"]) - set(victims))
    if strangers:
        problems.append(f"surplus rows of victims that the entry lacks: {listed(strangers)}")
    problems += prediction_problems(rows, entry) if len(rows) else []
    scored = len(victims) - len(lost)
    whole = f"{plural(len(rows), 'row')}: {scored} victims x {len(wanted)} images and targets"
    return _verdict(f"predictions of {attack['name']}", problems, whole, lost)


def _distortion_of(entry: dict[str, Any], frame: pd.DataFrame, images: pd.DataFrame) -> Verdict:
    attack = entry["attack"]
    rows = frame[frame["attack"] == attack["name"]]
    wanted = wanted_cells(images, entry["suite"]["classes"], targeted=attack["targeted"])
    said, lost = partial_coverage(attack), _failed(entry)
    if rows.empty and len(lost) == len(entry["victims"]):
        return _verdict(f"distortion of {attack['name']}", [], "no row", lost)
    if rows.empty and "distortion" in [one["what"] for one in entry.get("unmeasured", [])]:
        return _verdict(f"distortion of {attack['name']}", [], "no row", ["distortion"])
    problems = cell_problems(rows, wanted, "", partial=said is not None)
    problems += [*_other_coverage(rows, wanted, said, ""), *distortion_problems(rows, entry)]
    return _verdict(f"distortion of {attack['name']}", problems, plural(len(rows), "row"))


def _other_coverage(
    rows: pd.DataFrame, wanted: pd.MultiIndex, said: Coverage | None, where: str
) -> Iterator[str]:
    """A partial row lacks exactly what its entry says."""
    found = Coverage(scored=len(rows), wanted=len(wanted))
    if said is not None and found != said:
        yield f"the entry says {said}, there are {found}{where}"


def _failed(entry: dict[str, Any]) -> list[str]:
    """Victims whose cell of this attack the entry declares as failed."""
    return [str(cell["victim"]) for cell in entry.get("failed", [])]


def _verdict(check: str, problems: list[str], whole: str, lost: Sequence[str] = ()) -> Verdict:
    if lost and not problems:
        finding = f"{whole}; failed, as the entry says: {listed(lost)}"
        return Verdict(check=check, verdict="warn", finding=finding, remedy="run it again")
    return Verdict(
        check=check,
        verdict="fail" if problems else "ok",
        finding="; ".join(problems[:6]) + (" ..." if len(problems) > 6 else "") or whole,
    )
