"""What JPEG headers alone tell of the camera model: a cue that has nothing to do with sensors.

Victims see decoded pixels, in which quantisation leaves its traces. Where headers name the class,
part of a victim's accuracy, and of an attack's success, may be about compression.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from bench.suites.audit.manifest_checks import Finding, Outcome
from bench.suites.base import SuiteCard
from bench.types import IN
from bench.wording import plural

MOST_ABOVE_CHANCE_PERCENT = 10.0
_NO_JPEG = "no JPEG"


def jpeg_tables(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """Quantisation tables do not name the class."""
    return _judge(frame, card, "jpeg_tables", "JPEG tables", "JPEG tables alone name", _tables_of)


def chroma_subsampling(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """Chroma subsampling does not name the class."""
    subject = "chroma subsampling alone names"
    return _judge(frame, card, "jpeg_subsampling", "chroma subsampling", subject, _subsamplings_of)


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
    frame: pd.DataFrame,
    card: SuiteCard,
    cue: str,
    check: str,
    subject: str,
    describe: Callable[[pd.DataFrame], str],
) -> Finding:
    if frame[cue].isna().all():
        return Finding(check, "pass", "no file is a JPEG")
    photos = frame.drop_duplicates("photo_id")
    photos = photos.assign(**{cue: photos[cue].astype(object).fillna(_NO_JPEG)})
    inside = photos[photos["split"] == IN]
    learnt, asked = inside[inside["set"] == "A"], inside[inside["set"] == "C"]
    told = "; ".join(
        f"{model}: {describe(mine) if len(mine) else 'no photograph'}"
        for model in card.split_of
        for mine in [photos[photos["model"] == model]]
    )
    if learnt.empty or asked.empty:
        found = "cannot be judged without classes in Set-A and Set-C"
        return Finding(check, "warn", f"{found}; {told}")
    percent, chance = named_percent(learnt, asked, cue), 100 / len(card.classes)
    verdict: Outcome = "warn" if percent > chance + MOST_ABOVE_CHANCE_PERCENT else "pass"
    found = f"{subject} the class of {percent:.0f} % of Set-C's {len(asked)} photographs"
    return Finding(check, verdict, f"{found} (chance {chance:.0f} %); learnt on Set-A; {told}")


def _tables_of(photos: pd.DataFrame) -> str:
    shares = photos["jpeg_tables"].value_counts(normalize=True)
    quality = photos["jpeg_quality"].dropna().astype(int)
    if quality.empty:
        return _NO_JPEG
    low, high = quality.min(), quality.max()
    often = "" if len(shares) == 1 else f", the most common in {100 * shares.iloc[0]:.0f} %"
    span = f"{low}" if low == high else f"{low}\N{EN DASH}{high}"
    return f"{plural(len(shares), 'table')}{often}, quality {span}"


def _subsamplings_of(photos: pd.DataFrame) -> str:
    shares = photos["jpeg_subsampling"].value_counts(normalize=True)
    if len(shares) == 1:
        return str(shares.index[0])
    return ", ".join(f"{value} {100 * share:.0f} %" for value, share in shares.items())
