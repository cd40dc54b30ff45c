"""What is registered, as rows for people and for scripts."""

from __future__ import annotations

from bench.contract import ATTACKS, VICTIMS
from bench.plan.answers.kept import current_answers
from bench.recipes import RECIPES
from bench.store import Store
from bench.types import Json, as_json

SHOWN = {
    "attacks": ("name", "targeted", "control", "laac", "scfa", "preliminary", "paper"),
    "victims": ("name", "front_end", "backbone", "supplementary", "paper"),
    "suites": ("name", "image_px", "models_in", "models_out"),
    "recipes": ("name", "purpose"),
}


def listing(what: str, store: Store | None = None) -> list[dict[str, Json]]:
    """Every registered attack, victim, suite or recipe with all fields of its spec.

    With a store, attacks of which images were sent to it too, each with the `suite` that they show.
    """
    told: list[tuple[object, dict[str, Json]]] = [(spec, {}) for spec in _specs(what)]
    if store is not None and what == "attacks":
        told += [(one.spec, {"suite": one.suite}) for one in current_answers(store)]
    rows = [(as_json(spec), more) for spec, more in told]
    return [row | more for row, more in rows if isinstance(row, dict)]


def _specs(what: str) -> list[object]:
    if what == "suites":
        from bench.suites.catalogue import SPECS  # which imports pandas

        return list(SPECS.values())
    if what == "recipes":
        return list(RECIPES.values())
    return [entry.spec for entry in (ATTACKS if what == "attacks" else VICTIMS)]


def open_forms(what: str) -> list[str]:
    """How names are written that are too many to list, such as those of a library's networks."""
    return {
        "attacks": [family.form for family in ATTACKS.families()],
        "victims": [family.form for family in VICTIMS.families()],
    }.get(what, [])


def shown(what: str, rows: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """The most telling fields, as a table shows them."""
    return [{column: _cell(row[column]) for column in SHOWN[what]} for row in rows]


def _cell(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value)
