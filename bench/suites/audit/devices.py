"""Devices and camera models: no physical camera on two sides, and enough of each class."""

from __future__ import annotations

import pandas as pd

from bench.suites.audit.finding import Finding, Outcome, places, spread
from bench.suites.base import SPLIT_BY_IMAGE, SuiteCard
from bench.types import SETS
from bench.wording import listed, plural

DEVICES = "devices across sets"
DEVICES_OF_A_CLASS = "devices of a class"
OUTSIDERS = "out-of-distribution models"
BALANCE = "class balance"
MOST_RATIO = 2.0


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
    verdict: Outcome = "pass"
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


def class_balance(frame: pd.DataFrame, card: SuiteCard) -> Finding:
    """Every class has images to train on, to validate with and to be evaluated on."""
    expected = [
        *((s, part, card.classes) for s in ("A", "B") for part in ("train", "validation")),
        ("C", "evaluation", card.classes),
    ]
    if card.others:
        expected.append(("C", "evaluation", card.others))
    empty, ratios = [], {}
    for set_name, partition, models in expected:
        rows = frame[(frame["set"] == set_name) & (frame["partition"] == partition)]
        count = rows["model"].value_counts().reindex(list(models), fill_value=0)
        name = f"Set-{set_name}" + ("" if partition == "evaluation" else f" {partition}")
        if models == card.others:
            name += " out of distribution"
        if (count == 0).any():
            empty.append(f"{listed(map(str, count.index[count == 0]))} in {name}")
        else:
            ratios[name] = int(count.max()) / int(count.min())
    table = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    if empty:
        found = f"no image of {listed(empty, most=len(expected))}"
        return Finding(check=BALANCE, verdict="fail", finding=found)
    uneven = max(ratios.values()) > MOST_RATIO
    verdict: Outcome = "warn" if uneven else "pass"
    found = f"the largest class has up to {max(ratios.values()):.2f} times the smallest's images"
    return Finding(
        check=BALANCE,
        verdict=verdict,
        finding=f"{found}; {table}; warns above {MOST_RATIO:g}",
    )
