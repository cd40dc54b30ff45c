"""What JPEG headers alone tell of the camera model: a cue that has nothing to do with sensors.

Victims see decoded pixels, in which quantisation leaves its traces. Where headers name the class,
part of a victim's accuracy, and of an attack's success, may be about compression.
"""

from __future__ import annotations

import pandas as pd

from bench.suites.audit.manifest_checks import Finding
from bench.suites.base import SuiteCard
from bench.types import IN
from bench.wording import listed

MOST_ABOVE_CHANCE_PERCENT = 10.0
_NO_JPEG = "no JPEG"
_MOST_SHOWN = 3  # values of a camera model


def jpeg_tables(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """Quantisation tables do not name the class."""
    quality = frame["jpeg_quality"].map("quality {:.0f}".format, na_action="ignore")
    return _judge(frame, card, "jpeg_tables", "JPEG tables", "name", quality)


def chroma_subsampling(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """Chroma subsampling does not name the class."""
    cue = "jpeg_subsampling"
    return _judge(frame, card, cue, "chroma subsampling", "names", frame[cue])


def named_percent(learnt: pd.DataFrame, asked: pd.DataFrame, cue: str) -> float:
    """How often the majority class of a cue's value is right.

    Args:
        learnt: Photographs with `model` and the cue, which the majorities are taken from.
        asked: Photographs to name. A value never met is a guess among all classes; where classes
            tie, one of them is.
        cue: A column without missing values.

    Returns:
        Per cent of the photographs of `asked`, in expectation.
    """
    votes = pd.crosstab(learnt[cue], learnt["model"])
    best = votes.eq(votes.max(axis=1), axis=0)
    chances = best.div(best.sum(axis=1), axis=0)
    guess = 1 / learnt["model"].nunique()
    met = asked[cue].isin(chances.index).to_numpy()
    pairs = pd.MultiIndex.from_frame(asked.loc[met, [cue, "model"]])
    right = chances.stack().reindex(pairs, fill_value=0).to_numpy(float)
    return 100 * float(right.sum() + guess * (~met).sum()) / len(asked)


def _judge(
    frame: pd.DataFrame, card: SuiteCard, cue: str, check: str, verb: str, shown: pd.Series
) -> Finding:
    """Judge a column; what is `shown` of it is told of each camera model."""
    if frame[cue].isna().all():
        return Finding(check, "pass", "no file is a JPEG")
    photos = frame.assign(shown=shown).drop_duplicates("photo_id")
    photos[[cue, "shown"]] = photos[[cue, "shown"]].astype(object).fillna(_NO_JPEG)
    told = "; ".join(
        f"{model}: {_shares(photos.loc[photos['model'] == model, 'shown'])}"
        for model in card.split_of
    )
    inside = photos[photos["split"] == IN]
    learnt, asked = inside[inside["set"] == "A"], inside[inside["set"] == "C"]
    if learnt.empty or asked.empty:  # as in a rehearsal, whose photographs are all in every set
        found = "cannot be judged without classes in Set-A and Set-C"
        return Finding(check, "warn", f"{found}; {told}")
    percent, chance = named_percent(learnt, asked, cue), 100 / len(card.classes)
    found = f"{check} alone {verb} the class of {percent:.0f} % of Set-C's {len(asked)} photographs"
    return Finding(
        check,
        "warn" if percent > chance + MOST_ABOVE_CHANCE_PERCENT else "pass",
        f"{found} (chance {chance:.0f} %); learnt on Set-A; {told}",
    )


def _shares(values: pd.Series) -> str:
    shares = values.value_counts(normalize=True).items()
    return listed((f"{value} {100 * share:.0f} %" for value, share in shares), _MOST_SHOWN)
