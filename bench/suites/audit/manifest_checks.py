"""What a suite's manifest tells: devices, models, scenes, photographs and files on two sides.

And what JPEG headers alone tell of the camera model, a cue that has nothing to do with sensors:
victims see decoded pixels, in which quantisation leaves its traces. Where headers name the class,
part of a victim's accuracy, and of an attack's success, may be about compression.

Each check is a function from the manifests of all sets to a `Finding`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

from bench.suites.base import SHARED_SCENES, SPLIT_BY_IMAGE, SuiteCard
from bench.types import IN, SETS
from bench.wording import listed, plural

Outcome: TypeAlias = Literal["pass", "warn", "fail", "not recorded"]
MOST_RATIO = 2.0
MOST_ABOVE_CHANCE_PERCENT = 10.0
_NO_JPEG = "no JPEG"
_MOST_SHOWN = 3  # values of a camera model


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        check: What was checked.
        finding: For people; up to its first semicolon it can stand alone.
    """

    check: str
    verdict: Outcome
    finding: str

    @property
    def headline(self) -> str:
        """The finding in short."""
        return self.finding.split("; ")[0]


def _spread(frame: pd.DataFrame, key: str, over: str) -> dict[str, str]:
    """The values of `key` that occur with two or more values of `over`: {"d1": "d1 (A, B)"}."""
    pairs = frame[[key, over]].drop_duplicates()
    repeated = pairs[pairs[key].duplicated(keep=False)].astype(str)
    groups = repeated.groupby(key, sort=False)[over]
    return {str(name): f"{name} ({', '.join(sorted(values))})" for name, values in groups}


def part_of(frame: pd.DataFrame) -> pd.Series:
    """The part of the suite that each image belongs to, such as "A validation"."""
    trained_on = frame["set"] != "C"
    return frame["set"].where(~trained_on, frame["set"] + " " + frame["partition"])


def _across_sets(frame: pd.DataFrame, column: str, total: str, stated: bool) -> Finding:
    """No value of a column is in two sets, unless the suite's note states that they are."""
    check = f"{column}s across sets"
    shared = _spread(frame, column, "set")
    if not shared:
        return Finding(check, "pass", f"no {column} is in two sets ({total})")
    found = f"{len(shared)} of {total} in more than one set"
    if stated:
        found += ", as the suite's note says"
    return Finding(check, "warn" if stated else "fail", f"{found}; {listed(shared.values())}")


def devices_across_sets(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """No device is in two sets; a suite split by image says that its devices are."""
    total = plural(frame["device"].nunique(), "device")
    return _across_sets(frame, "device", total, SPLIT_BY_IMAGE in card.note)


def scenes_across_sets(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """No scene is in two sets, as far as scenes are known; a suite may say that they are."""
    known = frame[frame["scene"].notna()]
    stated = SHARED_SCENES in card.note
    if known.empty and stated:
        found = f"{SHARED_SCENES}, as the suite's note says; which ones is not recorded"
        return Finding("scenes across sets", "warn", found)
    if known.empty:
        return Finding("scenes across sets", "not recorded", "the scenes are not known")
    total = plural(known["scene"].nunique(), "scene")
    if len(known) < len(frame):
        total += f", known for {len(known):,} of {len(frame):,} images"
    return _across_sets(known, "scene", total, stated)


def devices_of_a_class(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """Every class has devices in every set, and better two than one."""
    numbers = frame.groupby(["model", "set"])["device"].nunique().unstack()
    numbers = numbers.reindex(index=card.classes, columns=SETS).fillna(0).astype(int)
    table = ", ".join(f"{m} {'/'.join(map(str, numbers.loc[m]))}" for m in card.classes)
    missing = [f"{m} in Set-{s}" for m in card.classes for s in SETS if numbers.loc[m, s] == 0]
    ones = (numbers == 1).sum()
    single = [f"{ones[s]} of {len(numbers)} classes in Set-{s}" for s in SETS if ones[s]]
    verdict: Outcome = "pass"
    found = "two devices or more of each class in each set"
    if missing:
        verdict, found = "fail", f"no device of {listed(missing)}"
    elif single:
        verdict, found = "warn", f"a single device of {', '.join(single)}"
    return Finding("devices of a class", verdict, f"{found}; devices in Set-A/B/C: {table}")


def outsiders(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """Out-of-distribution models are in Set-C alone, and every image is where its model belongs."""
    check = "out-of-distribution models"
    trained_on = (frame["set"] != "C") & ~frame["model"].isin(card.classes)
    wrong = frame[trained_on | (frame["model"].map(card.split_of) != frame["split"])]
    if len(wrong):
        places = wrong[["model", "set", "split"]].drop_duplicates().itertuples(index=False)
        told = listed(f"{model} in Set-{name} as `{split}`" for model, name, split in places)
        return Finding(check, "fail", f"{plural(len(wrong), 'image')} where none belongs; {told}")
    told = listed(card.others) if card.others else "none in this suite"
    told += f"; real photographs of {listed(card.real)}" if card.real else ""
    return Finding(check, "pass", f"in Set-C alone: {told}")


def class_balance(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """Every class has images to train on, to validate with and to be evaluated on."""
    wanted = {f"Set-{s} {p}": card.classes for s in "AB" for p in ("train", "validation")}
    wanted |= {"Set-C": card.classes, "Set-C out of distribution": card.others}
    parts = "Set-" + part_of(frame)
    empty, ratios = [], {}
    for name, models in wanted.items():
        here = frame.loc[parts == name.removesuffix(" out of distribution"), "model"]
        count = here.value_counts().reindex(list(models), fill_value=0)
        if (count == 0).any():
            empty.append(f"{listed(map(str, count.index[count == 0]))} in {name}")
        elif models:
            ratios[name] = int(count.max()) / int(count.min())
    if empty:
        return Finding("class balance", "fail", f"no image of {listed(empty, most=len(wanted))}")
    largest = max(ratios.values())
    table = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    found = f"the largest class has up to {largest:.2f} times the smallest's images"
    verdict: Outcome = "warn" if largest > MOST_RATIO else "pass"
    return Finding("class balance", verdict, f"{found}; {table}; warns above {MOST_RATIO:g}")


def photographs(frame: pd.DataFrame) -> Finding:
    """No photograph is in two sets, or two parts, or of two devices; no name is there twice."""
    again = frame.loc[frame["image_id"].duplicated(), "image_id"].unique()
    if len(again):
        found = f"{plural(len(again), 'image name')} given twice; {listed(again)}"
        return Finding("photographs", "fail", found)
    sides = part_of(frame) + ", " + frame["model"] + " " + frame["device"]
    if apart := _spread(frame.assign(side=sides), "photo_id", "side"):
        found = f"{plural(len(apart), 'photograph')} on two sides or of two devices"
        return Finding("photographs", "fail", f"{found}; {listed(apart.values())}")
    total = plural(frame["photo_id"].nunique(), "photograph")
    found = f"none is in two sets, or in training and validation ({total})"
    return Finding("photographs", "pass", found)


def copies_of_files(frame: pd.DataFrame) -> Finding:
    """No file, by its SHA-256, is on two sides or of two classes."""
    return same_twice(frame, "sha256", "file")


def same_twice(frame: pd.DataFrame, key: str, what: str) -> Finding:
    """Judge images or photographs that share a digest, in the column `key`, of a "file" or "image".

    It is a failure where copies lie in two sets, in training and validation, or in two camera
    models; a warning where they lie side by side. Rows of one photograph may share their file's.
    """
    check, name = f"copies of {what}s", "photo_id" if what == "file" else "image_id"
    members = frame.assign(part=part_of(frame)).drop_duplicates([key, name, "part", "model"])
    apart: list[str] = []
    beside: list[str] = []
    for _, group in members[members.duplicated(key, keep=False)].groupby(key, sort=False):
        told = " = ".join(f"{p}: {n}" for p, n in zip(group["part"], group[name], strict=True))
        divided = group["part"].nunique() > 1 or group["model"].nunique() > 1
        (apart if divided else beside).append(told)
    if apart:
        found = f"{plural(len(apart), what)} on two sides or of two camera models"
        return Finding(check, "fail", f"{found}; {listed(apart)}")
    if beside:
        found = f"{plural(len(beside), what)} more than once in one class of one set"
        return Finding(check, "warn", f"{found}; {listed(beside)}")
    return Finding(check, "pass", f"none is there twice ({plural(frame[key].nunique(), what)})")


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
