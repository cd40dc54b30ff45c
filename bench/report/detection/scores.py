"""Would anyone notice? Tables of detectors' scores, from `detection.parquet` and a run's rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bench.metrics.detection import Detection, Interval, detection, joint_ranks
from bench.metrics.paired import shared
from bench.metrics.resampling import percentile_interval
from bench.records.load import match_keys, read_parquet
from bench.records.metric import headline
from bench.records.participants import FAMILIES, AttackRecord
from bench.records.run import RunData, once
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
        success: TASR with its interval, on the images that were tested; `None` where undefined.
        undetected: The same where no detector objects, at `FALSE_ALARMS` of all together.
    """

    attack: AttackRecord
    split: str
    regime: str
    images: tuple[int, int]
    by: dict[str, Detection]
    success: tuple[float, Interval] | None
    undetected: tuple[float, Interval] | None


@once
def detection_rows(run: RunData) -> pd.DataFrame:
    """Scores of the run's attacks.

    Raises:
        ValueError: If there are none, or they are not of this run.
    """
    path = run.directory / ROWS
    if not path.is_file():
        raise ValueError(f"{path} is missing; `camobench detect {run.directory}` makes it")
    rows = read_parquet(path, _COLUMNS)
    match_networks(rows, path, run)
    if rows["score"].isna().any() or not rows["split"].isin(list(SPLITS)).all():
        raise ValueError(f"{path} has a score that is NaN, or an unknown split; detect again")
    if problem := _incomplete(rows, run):
        raise ValueError(f"{path} {problem}; detect again")
    return rows


def match_networks(rows: pd.DataFrame, path: Path, run: RunData) -> None:
    """Refuse rows of attacks that the entries do not name, or of other networks than theirs.

    Raises:
        ValueError: Names it.
    """
    match_keys(rows, path, "attack", {one.name: one.key for one in run.attacks})
    digests = {one.name: one.digest for one in run.attacks}
    for name, digest in rows[["attack", "attack_digest"]].drop_duplicates().itertuples(index=False):
        if digest != digests[name]:
            raise ValueError(
                f"{path} has rows of a network of {name} that is not its entry's, which was "
                "trained anew since; make them again"
            )


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
    if not (run.directory / ROWS).is_file():
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
    attacks = {attack.name: attack for attack in run.attacks}
    found = []
    for (split, name, regime), mine in rows.groupby(["split", "attack", "regime"], sort=False):
        attack = attacks[str(name)]
        seen = victims[(victims["split"] == split) & (victims["attack"] == name)]
        found.append(_detected(run, attack, str(split), str(regime), mine, seen))
    order = [*SPLITS]
    return sorted(
        found, key=lambda one: (order.index(one.split), one.attack.control, one.attack.name)
    )


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
    success = undetected = None
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


def _success(
    run: RunData, rows: pd.DataFrame, objection: Detection
) -> tuple[tuple[float, Interval] | None, tuple[float, Interval] | None]:
    """TASR over families, as in the tables, and what is left where nobody objects.

    The threshold moves with the photographs.
    """
    rows, drawn = rows.reset_index(drop=True), objection.thresholds
    limits = np.unique([objection.threshold, *([] if drawn is None else drawn)])
    hidden = [rows.assign(predicted=rows["predicted"].where(rows[LOUDEST] <= t)) for t in limits]
    families = run.whole_families(FAMILIES) or run.families
    found = shared([rows, *hidden], headline(), families, by_target=True)
    if found is None:
        return None, None
    value, resampled = (
        found.means[1 + np.searchsorted(limits, objection.threshold)],
        found.resampled(),
    )
    if resampled is None or drawn is None:
        return (found.means[0], None), (value, None)
    left = resampled[np.arange(len(drawn)), 1 + np.searchsorted(limits, drawn)]
    return (
        (found.means[0], percentile_interval(resampled[:, 0])),
        (value, percentile_interval(left)),
    )


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
