"""What is registered, as rows for people and for scripts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from bench.contract import REGISTRIES
from bench.recipes import RECIPES
from bench.types import Json, as_json

SHOWN = {
    "attacks": ("name", "targeted", "control", "laac", "scfa", "preliminary", "paper"),
    "victims": ("name", "front_end", "backbone", "supplementary", "paper"),
    "suites": ("name", "image_px", "models_in", "models_out"),
    "recipes": ("name", "purpose"),
    "metrics": ("name", "title", "needs", "unit", "higher_is_better", "version"),
}


def listing(what: str) -> list[dict[str, Json]]:
    """Every registered attack, victim, suite, recipe or metric with all fields of its spec."""
    specs: Iterable[object] = RECIPES.values()
    if what == "suites":
        from bench.suites.catalogue import SPECS  # which imports pandas

        specs = SPECS.values()
    elif what == "metrics":
        from bench.records.metric import METRICS  # likewise

        specs = [entry.spec for entry in METRICS]
    elif what != "recipes":
        specs = [entry.spec for entry in REGISTRIES[what[:-1]]]
    told: list[Any] = [as_json(spec) for spec in specs]
    return [
        {key: None if value == math.inf else value for key, value in one.items()} for one in told
    ]


def open_forms(what: str) -> list[str]:
    """How names are written that are too many to list, such as those of a library's networks."""
    registry = REGISTRIES.get(what[:-1])
    return [] if registry is None else [family.form for family in registry.families()]


def shown(what: str, rows: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """The most telling fields, as a table shows them."""
    return [{column: _cell(row[column]) for column in SHOWN[what]} for row in rows]


def _cell(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value)
