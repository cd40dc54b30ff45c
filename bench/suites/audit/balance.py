"""How many images each class has in each part of the suite."""

from __future__ import annotations

import pandas as pd

from bench.suites.audit.finding import Finding, Verdict
from bench.suites.base import SuiteCard
from bench.wording import listed

BALANCE = "class balance"
MOST_RATIO = 2.0


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
    verdict: Verdict = "warn" if uneven else "pass"
    found = f"the largest class has up to {max(ratios.values()):.2f} times the smallest's images"
    return Finding(
        check=BALANCE,
        verdict=verdict,
        finding=f"{found}; {table}; warns above {MOST_RATIO:g}",
    )
