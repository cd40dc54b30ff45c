"""Would anyone notice? Tables of detectors' scores, from `detection.parquet` and a run's rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.metrics.detection import Detection, Interval, detection, joint_ranks
from bench.metrics.paired import shared
from bench.metrics.resampling import percentile_interval
from bench.records.load import match_keys, read_parquet
from bench.records.metric import headline
from bench.records.participants import AttackRecord
from bench.records.run import RunData, once
from bench.report.statistics import averaged, by_attack
from bench.report.tables.table import Figure
from bench.types import SPLITS

ROWS = "detection.parquet"
ALL = "all"
"""The sum of the detectors' scores: one vote of each, settled before any image was seen."""
HEADLINE = "unseen"
LOUDEST = "loudest"
_COLUMNS = (
    *("split", "image_id", "photo_id", "target", "attack", "attack_key", "attack_digest"),
    *("treated", "detector", "regime", "quality_percent", "score"),
)
IMAGE = ["image_id", "photo_id", "target"]


@dataclass(frozen=True, kw_only=True)
class Detected:
    """What detectors of one regime say of one attack in one split.

    Attributes:
        by: Figures of each detector, and of `ALL`.
        success: TASR on the images that were tested.
        undetected: The same where no detector objects, at `FALSE_ALARMS` of all together.
    """

    attack: AttackRecord
    split: str
    regime: str
    images: tuple[int, int]
    by: dict[str, Detection]
    success: Figure
    undetected: Figure


def has_scores(run: RunData) -> bool:
    """Whether detectors were asked about the run's images."""
    return (run.directory / ROWS).is_file()


@once
def detection_rows(run: RunData) -> pd.DataFrame:
    """Scores of the run's attacks.

    Raises:
        ValueError: As `measured_rows`.
    """
    return measured_rows(run, ROWS, _COLUMNS, "score", "detect", _incomplete)


def measured_rows(
    run: RunData,
    name: str,
    columns: Sequence[str],
    value: str,
    command: str,
    incomplete: Callable[[pd.DataFrame, RunData], str],
) -> pd.DataFrame:
    """What a command measured of a run's images; rows without an attack are of untouched ones.

    Args:
        run: The run.
        name: Of the file in its folder.
        columns: Of the file.
        value: The column that was measured.
        command: Which makes the file.
        incomplete: What is missing or surplus in rows; nothing where they are whole.

    Raises:
        ValueError: If there is no such file, or it is not whole, or not of the run's networks.
    """
    path, again = run.directory / name, f"`camobench {command} {run.directory}` makes it"
    if not path.is_file():
        raise ValueError(f"{path} is missing; {again}")
    rows = read_parquet(path, columns)
    mine = rows[rows["attack"].notna()]
    match_keys(mine, path, "attack", {one.name: one.key for one in run.attacks})
    networks = {(one.name, one.digest) for one in run.attacks}
    found = mine[["attack", "attack_digest"]].drop_duplicates().itertuples(index=False, name=None)
    if others := set(found) - networks:
        raise ValueError(
            f"{path} has rows of a network of {min(others)[0]} that is not its entry's, which was "
            f"trained anew since; {again} anew"
        )
    if rows[value].isna().any() or not rows["split"].isin(list(SPLITS)).all():
        raise ValueError(f"{path} has a {value} that is NaN, or an unknown split; {again} anew")
    if problem := incomplete(rows, run):
        raise ValueError(f"{path} {problem}; {again} anew")
    return rows


def has_other_targets(rows: pd.DataFrame, run: RunData) -> bool:
    """Whether rows of an attack have other targets than the run has of their images."""
    cell = ["split", "attack", *IMAGE]
    cells = rows[cell].drop_duplicates()
    same = cells[["split", "attack", "image_id"]].drop_duplicates()
    wanted = run.distortion[cell].drop_duplicates().merge(same)
    return len(cells) != len(wanted) or len(cells.merge(wanted)) != len(wanted)


def _incomplete(rows: pd.DataFrame, run: RunData) -> str:
    """What is missing or surplus: nobody leaves out what a detector noticed."""
    cell = ["split", "attack", "treated", *IMAGE]
    if rows["attack"].isna().any():
        return "has a score of no attack"
    if rows.duplicated([*cell, "detector", "regime"]).any():
        return "has a score twice"
    if rows.groupby("attack")["split"].nunique().nunique() > 1:
        return "lacks scores of an attack in a split"
    untouched: dict[str, set[str]] = {}
    for (split, attack), mine in rows.groupby(["split", "attack"]):
        where = f"of {attack} ({split})"
        regimes, detectors = mine["regime"].nunique(), mine["detector"].nunique()
        images = {treated: set(part["image_id"]) for treated, part in mine.groupby("treated")}
        if len(mine) != regimes * detectors * len(mine[cell].drop_duplicates()):
            return f"lacks scores {where} by a detector in a regime"
        if len(images) != 2 or images[False] != images[True]:
            return f"lacks scores {where} of untouched or of anonymised images"
        if untouched.setdefault(str(split), images[False]) != images[False]:
            return f"has scores {where} of other images than of other attacks"
        if has_other_targets(mine[mine["treated"]], run):
            return f"has scores {where} of other targets than the run"
    return ""


@once
def headline_aucs(run: RunData) -> dict[tuple[str, str], Detection]:
    """Figures of `ALL` with the attack unseen, by attack and split; none without scores."""
    if not has_scores(run):
        return {}
    rows = detection_rows(run)
    groups = rows[rows["regime"] == HEADLINE].groupby(["attack", "split"], sort=False)
    return {
        (str(name), str(split)): _figures(*_wide(mine), [ALL])[ALL]
        for (name, split), mine in groups
    }


@once
def detections(run: RunData) -> list[Detected]:
    """Every attack in every split and regime.

    Raises:
        ValueError: As `detection_rows`.
    """
    rows, victims = detection_rows(run), victim_rows(run)[0]
    found = []
    for split, attack, mine in by_attack(run, rows):
        seen = victims[(victims["split"] == split) & (victims["attack"] == attack.name)]
        for regime, part in mine.groupby("regime", sort=False):
            found.append(_detected(run, attack, split, str(regime), part, seen))
    return found


def _detected(
    run: RunData,
    attack: AttackRecord,
    split: str,
    regime: str,
    rows: pd.DataFrame,
    predictions: pd.DataFrame,
) -> Detected:
    untouched, treated = _wide(rows)
    by = _figures(untouched, treated, [*untouched])
    success: Figure = (None, None)
    undetected = success
    if attack.targeted and len(predictions):
        untouched[LOUDEST], treated[LOUDEST] = joint_ranks(
            untouched.drop(columns=ALL).to_numpy(), treated.drop(columns=ALL).to_numpy()
        )
        objection = _figures(untouched, treated, [LOUDEST])[LOUDEST]
        tested = predictions.merge(treated[LOUDEST].reset_index(), on=IMAGE)
        success, undetected = _success(run, tested, objection)
    return Detected(
        attack=attack,
        split=split,
        regime=regime,
        images=(len(untouched), len(treated)),
        by=by,
        success=success,
        undetected=undetected,
    )


def _wide(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of untouched and of treated images: a column a detector, a row an image and target."""
    rows = rows.assign(target=rows["target"].fillna(""))
    scores = rows.set_index(["treated", *IMAGE, "detector"])["score"].unstack("detector")
    scores = scores.assign(**{ALL: scores.sum(axis=1)})
    treated = scores.index.get_level_values("treated").to_numpy(bool)
    return scores[~treated].droplevel("treated"), scores[treated].droplevel("treated")


def _figures(
    untouched: pd.DataFrame, treated: pd.DataFrame, names: list[str]
) -> dict[str, Detection]:
    """Of these columns of `_wide`."""
    ids = [part.index.get_level_values("photo_id") for part in (untouched, treated)]
    numbers = pd.factorize(ids[0].append(ids[1]), sort=True)[0]
    places = numbers[: len(untouched)], numbers[len(untouched) :]
    found = {}
    for name in names:
        scores = [part[name].to_numpy(np.float64) for part in (untouched, treated)]
        found[name] = detection(scores[0], scores[1], places)
    return found


def _success(run: RunData, rows: pd.DataFrame, objection: Detection) -> tuple[Figure, Figure]:
    """TASR over families, as in the tables, and what is left where nobody objects.

    The threshold moves with the photographs.
    """
    rows, drawn = rows.reset_index(drop=True), objection.thresholds
    limits = np.unique([objection.threshold, *([] if drawn is None else drawn)])
    hidden = [rows.assign(predicted=rows["predicted"].where(rows[LOUDEST] <= t)) for t in limits]
    found = shared([rows, *hidden], headline(), averaged(run), by_target=True)
    if found is None:
        return (None, None), (None, None)
    value = found.means[1 + np.searchsorted(limits, objection.threshold)]
    resampled = found.resampled()
    ends: list[Interval] = [None, None]
    if resampled is not None and drawn is not None:
        left = resampled[np.arange(len(drawn)), 1 + np.searchsorted(limits, drawn)]
        ends = [percentile_interval(of) for of in (resampled[:, 0], left)]
    return (found.means[0], ends[0]), (value, ends[1])


def victim_rows(run: RunData) -> tuple[pd.DataFrame, bool]:
    """What victims said, after the same save if they were asked; and whether they were."""
    rows = detection_rows(run)
    quality = rows["quality_percent"].iloc[0]
    if pd.isna(quality):
        return run.predictions, True
    after = run.conditions
    saved = after[(after["strength"] == 1) & (after["quality_percent"] == quality)]
    if len(saved) and set(rows["attack"]) <= set(saved["attack"]):
        return saved, True
    return run.predictions, False
