"""Devices and camera models: no physical camera on two sides, and enough of each class."""

from __future__ import annotations

import pandas as pd

from bench.suites.audit.finding import Finding, Verdict, places, spread
from bench.suites.base import SPLIT_BY_IMAGE, SuiteCard
from bench.types import SETS
from bench.wording import listed, plural

DEVICES = "devices across sets"
DEVICES_OF_A_CLASS = "devices of a class"
OUTSIDERS = "out-of-distribution models"


def devices_across_sets(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """No device is in two sets; a suite split by image says that its devices are."""
    if of_two := spread(frame, "device", "model"):
        found = f"{plural(len(of_two), 'device')} of two camera models"
        return Finding(check=DEVICES, verdict="fail", finding=f"{found}; {places(of_two)}")
    shared = spread(frame, "device", "set")
    total = plural(frame["device"].nunique(), "device")
    if not shared:
        return Finding(check=DEVICES, verdict="pass", finding=f"no device is in two sets ({total})")
    found = f"{len(shared)} of {total} in more than one set"
    stated = SPLIT_BY_IMAGE in card.note
    if stated:
        found += ", as the suite's note says"
    return Finding(
        check=DEVICES,
        verdict="warn" if stated else "fail",
        finding=f"{found}; {places(shared)}",
    )


def devices_of_a_class(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """Every class has devices in every set, and better two than one."""
    devices = frame[["model", "device", "set"]].drop_duplicates()
    count = devices.groupby(["model", "set"]).size()
    numbers = {(model, s): int(count.get((model, s), 0)) for model in card.classes for s in SETS}
    table = listed(
        (f"{model} {'/'.join(str(numbers[model, s]) for s in SETS)}" for model in card.classes),
        most=len(card.classes),
    )
    missing = [f"{model} in Set-{s}" for (model, s), n in numbers.items() if n == 0]
    single = {s: [model for model in card.classes if numbers[model, s] == 1] for s in SETS}
    verdict: Verdict = "pass"
    found = "two devices or more of each class in each set"
    if missing:
        verdict, found = "fail", f"no device of {listed(missing)}"
    elif any(single.values()):
        parts = [
            f"{len(models)} of {len(card.classes)} classes in Set-{s}"
            for s, models in single.items()
            if models
        ]
        verdict, found = "warn", f"a single device of {', '.join(parts)}"
    return Finding(
        check=DEVICES_OF_A_CLASS,
        verdict=verdict,
        finding=f"{found}; devices in Set-A/B/C: {table}",
    )


def outsiders(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """Out-of-distribution models are in Set-C alone, and every image is where its model belongs."""
    trained_on = frame.loc[frame["set"] != "C", "model"]
    strangers = sorted(set(trained_on) - set(card.classes))
    belongs = frame["model"].map(card.split_of)
    mislabelled = frame.loc[belongs.notna() & (belongs != frame["split"]), "image_id"]
    unknown = set(frame["model"]) - set(card.split_of)
    wrong = []
    if strangers:
        wrong.append(f"models in Set-A or Set-B that are no classes: {listed(strangers)}")
    if len(mislabelled):
        wrong.append(f"wrong split: {listed(mislabelled)}")
    if unknown:
        wrong.append(f"models that the suite does not name: {listed(sorted(unknown))}")
    if wrong:
        return Finding(check=OUTSIDERS, verdict="fail", finding="; ".join(wrong))
    told = listed(card.others) if card.others else "none in this suite"
    told += f"; real photographs of {listed(card.real)}" if card.real else ""
    return Finding(check=OUTSIDERS, verdict="pass", finding=f"in Set-C alone: {told}")
