"""One `entry-*.json`: is all there that a table or a reader of it needs?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from bench.report.inputs import ENTRY_SCHEMA
from bench.verdicts import Verdict

_TEXT, _WHOLE, _FLAG, _LIST, _OBJECT = (str,), (int,), (bool,), (list,), (dict,)
_FIELDS: dict[str, tuple[type, ...]] = {
    "attack.name": _TEXT,
    "attack.key": _TEXT,
    "attack.digest": _TEXT,
    "attack.targeted": _FLAG,
    "attack.control": _FLAG,
    "attack.laac": _LIST,
    "attack.scfa": _FLAG,
    "victims": _LIST,
    "suite.name": _TEXT,
    "suite.fingerprint": _TEXT,
    "suite.classes": _LIST,
    "recipe": _TEXT,
    "seed": _WHOLE,
    "scorer_version": _WHOLE,
    "lpips.version": _TEXT,
    "lpips.net": _TEXT,
    "lpips.available": _FLAG,
    "provenance": _OBJECT,
    "provenance.packages": _OBJECT,
    "provenance.device": _TEXT,
    "provenance.precision": _TEXT,
}
_VICTIM_FIELDS: dict[str, tuple[type, ...]] = {
    "name": _TEXT,
    "key": _TEXT,
    "digest": _TEXT,
    "family": _TEXT,
    "backbone": _TEXT,
    "classes": _LIST,
}


def read_entry(path: Path) -> tuple[dict[str, Any] | None, Verdict]:
    """An entry and what is wrong with it; `None` where it cannot be used at all."""
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return None, _fail(path, f"is not readable JSON ({error})")
    if not isinstance(entry, dict) or entry.get("schema") != ENTRY_SCHEMA:
        schema = entry.get("schema") if isinstance(entry, dict) else None
        return None, _fail(path, f"has schema {schema!r}, this version reads {ENTRY_SCHEMA}")
    problems = list(_problems(path, entry))
    if problems:
        return None, _fail(path, "; ".join(problems))
    found = cast(dict[str, Any], entry)
    count = len(found["victims"])
    return found, Verdict(
        check=path.name,
        verdict="ok",
        finding=f"complete: attack {found['attack']['key']}, {count} victims, "
        f"suite {found['suite']['name']}, recipe {found['recipe']}",
    )


def _problems(path: Path, entry: dict[str, Any]) -> Iterator[str]:
    yield from _wrong_fields(entry, _FIELDS)
    victims = entry.get("victims")
    for place, victim in enumerate(victims if isinstance(victims, list) else []):
        fields = victim if isinstance(victim, dict) else {}
        name = fields.get("name", f"number {place}")
        yield from (f"victim {name}: {what}" for what in _wrong_fields(fields, _VICTIM_FIELDS))
    attack = entry.get("attack")
    name = attack.get("name") if isinstance(attack, dict) else None
    if name is not None and path.name != f"entry-{name}.json":
        yield f"is of the attack {name!r}, so its name is entry-{name}.json"
    names = [v.get("name") for v in victims if isinstance(v, dict)] if victims else []
    if len(set(names)) < len(names):
        yield "names a victim twice"


def _wrong_fields(record: dict[str, Any], fields: dict[str, tuple[type, ...]]) -> Iterator[str]:
    for dotted, kinds in fields.items():
        value: Any = record
        for part in dotted.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        exact = type(value) if value is not None else None
        if exact not in kinds:
            yield f"`{dotted}` is {'absent' if value is None else f'a {type(value).__name__}'}"


def _fail(path: Path, finding: str) -> Verdict:
    return Verdict(check=path.name, verdict="fail", finding=finding)
