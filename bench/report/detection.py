"""Would anyone notice? Tables of detectors' scores, from `detection.parquet` and a run's rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.metrics.detection import FALSE_ALARMS, Detection, Interval, detection
from bench.metrics.paired import shared
from bench.metrics.resampling import percentile_interval
from bench.records.load import match_keys, read_parquet
from bench.records.metric import headline
from bench.records.participants import FAMILIES, AttackRecord
from bench.records.run import RunData, once
from bench.report.render import render
from bench.report.table import NA, Row, Table, kind_of, make_table, number
from bench.store import write_text
from bench.types import SPLITS

ROWS = "detection.parquet"
ALL = "all"
"""The sum of the detectors' scores: one vote of each, settled before any image was seen."""
HEADLINE = "unseen"
_COLUMNS = (
    *("split", "image_id", "photo_id", "target", "attack", "attack_key"),
    *("treated", "detector", "regime", "quality_percent", "score"),
)
_IMAGE = ["image_id", "photo_id", "target"]


@dataclass(frozen=True, kw_only=True)
class Detected:
    """What detectors of one regime say of one attack in one split.

    Attributes:
        by: Figures of each detector, and of `ALL`.
        success: TASR with its interval, on the images that were tested; `None` where undefined.
        undetected: The same where no detector objects, at `FALSE_ALARMS` each.
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
    match_keys(rows, path, "attack", {one.name: one.key for one in run.attacks})
    if rows["score"].isna().any() or not rows["split"].isin(list(SPLITS)).all():
        raise ValueError(f"{path} has a score that is NaN, or an unknown split; detect again")
    if problem := _incomplete(rows, run):
        raise ValueError(f"{path} {problem}; detect again")
    return rows


def _incomplete(rows: pd.DataFrame, run: RunData) -> str:
    """What is missing or surplus: nobody leaves out what a detector noticed."""
    cell = ["split", "attack", "treated", *_IMAGE]
    if rows.duplicated([*cell, "detector", "regime"]).any():
        return "has a score twice"
    known = run.distortion[["split", "attack", *_IMAGE]].drop_duplicates()
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
        wanted = known[(known["split"] == split) & (known["attack"] == attack)]
        wanted = wanted[wanted["image_id"].isin(images[True])]
        cells = mine.loc[mine["treated"], ["split", "attack", *_IMAGE]].drop_duplicates()
        if len(cells) != len(wanted) or len(cells.merge(wanted)) != len(wanted):
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
    rows, victims = detection_rows(run), _victim_rows(run)[0]
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
    parts = _wide(rows)
    by = _figures(*parts, [*parts[0]])
    limits = {name: one.threshold for name, one in by.items() if name != ALL}
    objects = (parts[1][[*limits]] > pd.Series(limits)).any(axis=1).rename("noticed")
    success = undetected = None
    if attack.targeted and len(predictions):
        tested = predictions.merge(objects.reset_index(), on=_IMAGE)
        hidden = tested.assign(predicted=tested["predicted"].where(~tested["noticed"]))
        success, undetected = _success(run, tested), _success(run, hidden)
    return Detected(
        attack=attack,
        split=split,
        regime=regime,
        images=(len(parts[0]), len(parts[1])),
        by=by,
        success=success,
        undetected=undetected,
    )


def _wide(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of untouched and of treated images: a column a detector, a row an image and target."""
    rows = rows.assign(target=rows["target"].fillna(""))
    scores = rows.set_index(["treated", *_IMAGE, "detector"])["score"].unstack("detector")
    scores = scores.assign(**{ALL: scores.sum(axis=1)})
    treated = scores.index.get_level_values("treated").to_numpy(bool)
    return scores[~treated].droplevel("treated"), scores[treated].droplevel("treated")


def _figures(
    untouched: pd.DataFrame, treated: pd.DataFrame, names: list[str]
) -> dict[str, Detection]:
    """Of these columns of `_wide`."""
    ids = [part.index.get_level_values("photo_id") for part in (untouched, treated)]
    numbers = pd.factorize(ids[0].append(ids[1]))[0]
    places = numbers[: len(untouched)], numbers[len(untouched) :]
    found = {}
    for name in names:
        scores = [part[name].to_numpy(np.float64) for part in (untouched, treated)]
        found[name] = detection(scores[0], scores[1], places)
    return found


def _success(run: RunData, rows: pd.DataFrame) -> tuple[float, Interval] | None:
    """TASR over families, as in the tables; what has no label is no success."""
    families = run.whole_families(FAMILIES) or run.families
    found = shared([rows.reset_index(drop=True)], headline(), families, by_target=True)
    if found is None:
        return None
    drawn = found.resampled()
    return found.means[0], None if drawn is None else percentile_interval(drawn[:, 0])


def _victim_rows(run: RunData) -> tuple[pd.DataFrame, bool]:
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


def detection_table(run: RunData) -> Table:
    """AUC and rates of the detectors, and what success they leave.

    Raises:
        ValueError: As `detection_rows`.
    """
    found = detections(run)
    detectors = [name for name in found[0].by if name != ALL]
    labels = [("", "Attack")]
    labels += [("Attack unseen", label) for label in ("AUC (95 %)", "TPR (95 %)")]
    labels += [("AUC unseen", name) for name in detectors]
    labels += [("Attack known", "AUC"), ("Attack known", "TPR")]
    labels += [("Kin unseen", "AUC"), ("Originals only", "AUC")]
    labels += [("", headline().title), ("", f"Undetected {headline().title} (95 %)")]
    rows: list[Row] = []
    for split in SPLITS:
        mine: dict[str, dict[str, Detected]] = {}
        for one in found:
            if one.split == split:
                mine.setdefault(one.attack.name, {})[one.regime] = one
        if mine:
            blank = ("",) * (len(labels) - 1)
            rows.append(Row(kind="section", name=SPLITS[split].capitalize(), cells=blank))
        for name, regimes in mine.items():
            kind = kind_of(next(iter(regimes.values())).attack)
            rows.append(Row(kind=kind, name=name, cells=tuple(_cells(regimes, detectors))))
    return make_table(
        f"Detection of anonymised images, Set-C of {run.suite}",
        labels,
        rows,
        _notes(run, found),
        (record for one in found for record in _records(run, one)),
    )


def _cells(regimes: dict[str, Detected], detectors: list[str]) -> Iterator[str]:
    unseen, known = regimes.get(HEADLINE), regimes.get("known")
    if unseen is None:
        yield from [NA] * (2 + len(detectors))
    else:
        whole = unseen.by[ALL]
        yield _text(whole.auc, whole.auc_interval, 1, 2)
        yield _text(whole.tpr, whole.tpr_interval)
        yield from (number(unseen.by[name].auc, 2) for name in detectors)
    yield NA if known is None else number(known.by[ALL].auc, 2)
    yield NA if known is None else number(100 * known.by[ALL].tpr, 0)
    for regime in ("unrelated", "originals"):
        yield number(regimes[regime].by[ALL].auc, 2) if regime in regimes else NA
    success, undetected = (unseen.success, unseen.undetected) if unseen else (None, None)
    yield NA if success is None else number(100 * success[0], 0)
    yield NA if undetected is None else _text(*undetected)


def _text(value: float, ends: Interval, scale: float = 100, digits: int = 0) -> str:
    shown = "" if ends is None else f" ({'–'.join(number(scale * e, digits) for e in ends)})"
    return number(scale * value, digits) + shown


def _records(run: RunData, one: Detected) -> Iterator[dict[str, Any]]:
    for name, figures in one.by.items():
        record: dict[str, Any] = {
            **{"suite": run.suite, "split": one.split, "attack": one.attack.name},
            "attack_key": one.attack.key,
            "control": "yes" if one.attack.control else "no",
            "regime": one.regime,
            "detector": name,
            "originals": one.images[0],
            "anonymised": one.images[1],
        }
        record |= _ends("auc", "", figures.auc, figures.auc_interval, 1)
        record |= _ends("tpr", "_percent", figures.tpr, figures.tpr_interval)
        if name == ALL:
            tasr = headline().name
            record |= _ends(tasr, "_percent", *(one.success or (None, None)))
            record |= _ends(f"undetected_{tasr}", "_percent", *(one.undetected or (None, None)))
        yield record


def _ends(
    name: str, unit: str, value: float | None, ends: Interval, scale: float = 100
) -> dict[str, float | None]:
    figures = zip(("", "_low", "_high"), (value, *(ends or (None, None))), strict=True)
    return {f"{name}{k}{unit}": None if v is None else scale * v for k, v in figures}


def _notes(run: RunData, found: list[Detected]) -> Iterator[str]:
    rows = detection_rows(run)
    quality = rows["quality_percent"].iloc[0]
    save = "as PNG" if pd.isna(quality) else f"as JPEG of quality {int(quality)} (Pillow's, 4:2:0)"
    yield (
        f"Untouched and anonymised images are saved alike, {save}. AUC: chance that a detector "
        "finds an anonymised image likelier treated than an untouched one. TPR: share, in %, that "
        f"it objects to when it may object to {100 * FALSE_ALARMS:g} % of the untouched ones of "
        "the same split; of fewer than a hundred, to none, and as a draw may lack the highest of "
        "them, its interval leans upward."
    )
    yield (
        "Detectors are trained on Set-B and tested on Set-C: linear, on SPAM features, the noise "
        "residual, its Fourier magnitude, and cosine blocks of the image; AUC and TPR are of the "
        "sum of their scores. A stronger detector may see more."
    )
    yield (
        "Unseen: trained on all other attacks of this run, none of the tested one. Kin unseen: on "
        "those of other methods alone, so that no variant gives away another. Known: on the tested "
        "one. Originals only: on no anonymised image."
    )
    title = headline().title
    yield (
        f"Undetected {title}: share of images that a victim takes for the target's and that none "
        "of the detectors (attack unseen) objects to, each at that rate of false alarms. In "
        "brackets: 95 % bootstrap interval over photographs; here at the thresholds found."
    )
    if not _victim_rows(run)[1]:
        yield (
            f"Victims saw the images before that save; `camobench run --recompress {int(quality)}` "
            "asks them after it."
        )
    counts = {SPLITS[one.split]: one.images[0] for one in found}
    yield f"Untouched: {', '.join(f'{count} {split}' for split, count in counts.items())}."


def detection_texts(run: RunData) -> dict[str, str]:
    """`detection.{md,csv,tex}` by file name; none for a run without scores of detectors."""
    if not (run.directory / ROWS).is_file():
        return {}
    table = detection_table(run)
    return {f"detection.{suffix}": render(table, suffix) for suffix in ("md", "csv", "tex")}


def write_detection(run: RunData) -> list[Path]:
    """Write them into the run's own folder."""
    return [write_text(run.directory / name, t) for name, t in detection_texts(run).items()]
