"""Would anyone notice? Tables of detectors' scores, from `detection.parquet` and a run's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.metrics.detection import Detection, detection, joint_ranks
from bench.metrics.paired import shared
from bench.metrics.resampling import UNDEFINED, Figure, share_interval
from bench.records.load import read_parquet
from bench.records.metric import headline
from bench.records.participants import AttackRecord
from bench.records.run import RunData, once
from bench.report.statistics import averaged, by_attack

ROWS = "detection.parquet"
ALL = "all"
"""The sum of the detectors' scores: one vote of each, settled before any image was seen."""
HEADLINE = "unseen"
_COLUMNS = (
    *("split", "image_id", "scene", "photo_id", "target"),
    *("attack", "attack_key", "attack_digest"),
    *("treated", "detector", "regime", "quality_percent", "score"),
)
IMAGE = ["image_id", "scene", "photo_id", "target"]


@dataclass(frozen=True, kw_only=True)
class Detected:
    """What detectors of one regime say of one attack in one split.

    Attributes:
        by: Figures of each detector, and of `ALL`.
        success: TASR on the images that were tested.
        undetected: The same where no detector objects, at `FALSE_ALARMS` of all together.
        in_part: Whether victims are missing that this success is a mean over.
    """

    attack: AttackRecord
    split: str
    regime: str
    images: tuple[int, int]
    by: dict[str, Detection]
    success: Figure
    undetected: Figure
    in_part: bool


def has_scores(run: RunData) -> bool:
    """Whether detectors were asked about the run's images."""
    return (run.directory / ROWS).is_file()


@once
def detection_rows(run: RunData) -> pd.DataFrame:
    """Scores of the run's attacks."""
    return measured_rows(run, ROWS, _COLUMNS, "score", ["detector"], "detect")


def measured_rows(
    run: RunData, name: str, columns: Sequence[str], value: str, by: Sequence[str], command: str
) -> pd.DataFrame:
    """What a command measured of a run's images; rows without an attack are of untouched ones.

    Args:
        run: The run.
        name: Of the file in its folder.
        columns: Of the file.
        value: The column that was measured.
        by: Columns that say by whom; everybody is asked once of every image and target.
        command: Which makes the file.

    Raises:
        ValueError: If there is no such file, or it has holes, or is not of the run's networks.
    """
    path, again = run.directory / name, f"`camobench {command} {run.directory}` makes it"
    if not path.is_file():
        raise ValueError(f"{path} is missing; {again}")
    rows = read_parquet(path, columns, again=f"{again} anew")
    mine = rows[rows["attack"].notna()]
    of = ["attack", "attack_key", "attack_digest"]
    found = set(mine[of].itertuples(index=False, name=None))
    if others := found - {(one.name, one.key, one.digest) for one in run.attacks}:
        raise ValueError(
            f"{path} has rows of {min(others)[0]} that are not of its entry's network, which was "
            f"changed or trained anew since; {again} anew"
        )
    if rows.empty or not pd.api.types.is_numeric_dtype(rows[value]):
        raise ValueError(f"{path} has no {value} that is a number; {again} anew")
    if not np.isfinite(rows[value].astype("float64")).all():
        raise ValueError(f"{path} has a {value} that is NaN or infinite; {again} anew")
    asked = rows[[column for column in columns if column not in (*by, value)]].drop_duplicates()
    answers = len(asked) * len(rows[[*by]].drop_duplicates())
    if rows.duplicated([*asked, *by]).any() or len(rows) != answers:
        raise ValueError(f"{path} has not one {value} of each {by[0]} and image; {again} anew")
    return rows


@once
def headline_aucs(run: RunData) -> dict[tuple[str, str], Detection]:
    """Figures of `ALL` with the attack unseen, by attack and split; none without scores."""
    if not has_scores(run):
        return {}
    rows = detection_rows(run)
    groups = rows[rows["regime"] == HEADLINE].groupby(["attack", "split"], sort=False)
    return {(str(a), str(split)): _figures(*_wide(mine), ALL) for (a, split), mine in groups}


@once
def detections(run: RunData) -> list[Detected]:
    """Every attack in every split and regime."""
    rows, victims = detection_rows(run), victim_rows(run)[0]
    found = []
    for split, attack, mine in by_attack(run, rows):
        seen = victims[(victims["split"] == split) & (victims["attack"] == attack.name)]
        for regime, part in mine.groupby("regime", sort=False):
            untouched, treated = _wide(part)
            by = {str(name): _figures(untouched, treated, str(name)) for name in untouched}
            success = undetected = UNDEFINED
            if attack.targeted and len(seen):
                success, undetected = _success(run, seen, untouched, treated)
            found.append(
                Detected(
                    attack=attack,
                    split=split,
                    regime=str(regime),
                    images=(len(untouched), len(treated)),
                    by=by,
                    success=success,
                    undetected=undetected,
                    in_part=success[0] is not None
                    and not averaged(run.victims).keys() <= set(seen["victim"]),
                )
            )
    return found


def _wide(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of untouched and of treated images: a column a detector, a row an image and target."""
    rows = rows.assign(target=rows["target"].fillna(""))
    scores = rows.set_index(["treated", *IMAGE, "detector"])["score"].unstack("detector")
    scores = scores.assign(**{ALL: scores.sum(axis=1)})
    treated = scores.index.get_level_values("treated").to_numpy(bool)
    return scores[~treated].droplevel("treated"), scores[treated].droplevel("treated")


def _figures(untouched: pd.DataFrame, treated: pd.DataFrame, name: str) -> Detection:
    """Of a column of `_wide`."""
    ids = [part.index.get_level_values("scene") for part in (untouched, treated)]
    numbers = pd.factorize(ids[0].append(ids[1]), sort=True)[0]
    places = numbers[: len(untouched)], numbers[len(untouched) :]
    scores = [part[name].to_numpy(np.float64) for part in (untouched, treated)]
    return detection(scores[0], scores[1], places, untouched.index.unique("photo_id").size)


def _success(
    run: RunData, rows: pd.DataFrame, untouched: pd.DataFrame, treated: pd.DataFrame
) -> tuple[Figure, Figure]:
    """TASR over families, as in the tables, and what is left where no detector objects.

    The threshold moves with the scenes.
    """
    ranks = joint_ranks(*(part.drop(columns=ALL).to_numpy() for part in (untouched, treated)))
    quiet, loud = (
        pd.DataFrame({ALL: highest}, part.index)
        for highest, part in zip(ranks, (untouched, treated), strict=True)
    )
    objection = _figures(quiet, loud, ALL)
    rows, drawn = rows.merge(loud.reset_index(), on=IMAGE), objection.thresholds
    limits = np.unique([objection.threshold, *([] if drawn is None else drawn)])
    hidden = [rows.assign(predicted=rows["predicted"].where(rows[ALL] <= t)) for t in limits]
    found = shared([rows, *hidden], headline(), averaged(run.victims), by_target=True)
    if found is None:
        return UNDEFINED, UNDEFINED
    value = found.means[1 + np.searchsorted(limits, objection.threshold)]
    left = None
    if found.drawn is not None and drawn is not None:
        left = found.drawn[np.arange(len(drawn)), 1 + np.searchsorted(limits, drawn)]
    return found.figures[0], (value, share_interval(value, left, found.scenes, found.photographs))


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
