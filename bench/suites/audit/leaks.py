"""Scenes, photographs and files that are on two sides at once."""

from __future__ import annotations

import pandas as pd

from bench.suites.audit.finding import Finding, places, spread
from bench.suites.base import SHARED_SCENES, SuiteCard
from bench.wording import listed, plural

SCENES = "scenes across sets"
PHOTOGRAPHS = "photographs"
FILES = "copies of files"


def part_of(frame: pd.DataFrame) -> pd.Series:
    """The part of the suite that each image belongs to, such as "A validation"."""
    trained_on = frame["set"] != "C"
    return frame["set"].where(~trained_on, frame["set"] + " " + frame["partition"])


def scenes_across_sets(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """No scene is in two sets, as far as scenes are known; a suite may say that they are."""
    known = frame[frame["scene"].notna()]
    stated = SHARED_SCENES in card.note
    if known.empty and stated:
        found = f"{SHARED_SCENES}, as the suite's note says; which ones is not recorded"
        return Finding(check=SCENES, verdict="warn", finding=found)
    if known.empty:
        return Finding(check=SCENES, verdict="not recorded", finding="the scenes are not known")
    total = plural(known["scene"].nunique(), "scene")
    if len(known) < len(frame):
        total += f", known for {len(known):,} of {len(frame):,} images"
    shared = spread(known, "scene", "set")
    if not shared:
        return Finding(check=SCENES, verdict="pass", finding=f"no scene is in two sets ({total})")
    found = f"{len(shared)} of {total} in more than one set"
    if stated:
        found += ", as the suite's note says"
    return Finding(
        check=SCENES, verdict="warn" if stated else "fail", finding=f"{found}; {places(shared)}"
    )


def photographs(frame: pd.DataFrame) -> Finding:
    """No photograph is in two sets or in training and validation; names are unique."""
    across = spread(frame.assign(part=part_of(frame)), "photo_id", "part")
    cameras = spread(
        frame.assign(camera=frame["model"] + " " + frame["device"]), "photo_id", "camera"
    )
    again = frame.loc[frame["image_id"].duplicated(), "image_id"].unique()
    wrong = []
    if across:
        wrong.append(f"{plural(len(across), 'photograph')} on two sides; {places(across)}")
    if cameras:
        wrong.append(f"{plural(len(cameras), 'photograph')} of two cameras; {places(cameras)}")
    if len(again):
        wrong.append(f"{plural(len(again), 'image name')} given twice; {listed(again)}")
    if wrong:
        return Finding(check=PHOTOGRAPHS, verdict="fail", finding="; ".join(wrong))
    total = plural(frame["photo_id"].nunique(), "photograph")
    return Finding(
        check=PHOTOGRAPHS,
        verdict="pass",
        finding=f"none is in two sets, or in training and validation ({total})",
    )


def copies_of_files(frame: pd.DataFrame) -> Finding:
    """No file, by its SHA-256, is on two sides or of two classes."""
    files = frame.assign(part=part_of(frame))
    return same_twice(files, "sha256", check=FILES, what="file")


def same_twice(frame: pd.DataFrame, key: str, *, check: str, what: str) -> Finding:
    """Judge images or photographs that share a digest.

    Args:
        frame: With `part`; rows of one photograph may share a digest of their file.
        key: The column with the digest.
        check: Name of the check.
        what: What the digest is of, "file" or "image".

    Returns:
        A failure where copies lie in two sets, in training and validation, or in two camera
        models; a warning where they lie side by side.
    """
    name = "photo_id" if what == "file" else "image_id"
    members = frame.drop_duplicates([key, name, "part", "model"])
    groups = members[members.duplicated(key, keep=False)].groupby(key, sort=False)
    apart: list[str] = []
    beside: list[str] = []
    for _, group in groups:
        told = " = ".join(f"{p}: {n}" for p, n in zip(group["part"], group[name], strict=True))
        divided = group["part"].nunique() > 1 or group["model"].nunique() > 1
        (apart if divided else beside).append(told)
    total = plural(frame[key].nunique(), what)
    if apart:
        found = f"{plural(len(apart), what)} on two sides or of two camera models"
        return Finding(check=check, verdict="fail", finding=f"{found}; {listed(apart)}")
    if beside:
        found = f"{plural(len(beside), what)} more than once in one class of one set"
        return Finding(check=check, verdict="warn", finding=f"{found}; {listed(beside)}")
    return Finding(check=check, verdict="pass", finding=f"none is there twice ({total})")
