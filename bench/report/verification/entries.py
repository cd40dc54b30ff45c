"""One `entry-*.json`: is all there that a table or a reader of it needs?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from bench.report.coverage import partial_coverage
from bench.report.inputs import ENTRY_SCHEMA
from bench.report.schema import entry_problems
from bench.verdicts import Verdict
from bench.wording import plural


def read_entry(path: Path) -> tuple[dict[str, Any] | None, Verdict]:
    """An entry and what is wrong with it; `None` where it cannot be used at all."""
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return None, _fail(path, f"is not readable JSON ({error})")
    if not isinstance(entry, dict) or entry.get("schema") != ENTRY_SCHEMA:
        schema = entry.get("schema") if isinstance(entry, dict) else None
        return None, _fail(path, f"has schema {schema!r}, this version reads {ENTRY_SCHEMA}")
    problems = list(_problems(path, entry))
    if problems:
        return None, _fail(path, "; ".join(problems))
    found = cast(dict[str, Any], entry)
    count, lost = len(found["victims"]), len(found.get("failed", []))
    states = [f"{lost} of {plural(count, 'cell')} failed"] if lost else []
    if partial := partial_coverage(found["attack"]):
        states.append(f"partial, {partial}")
    return found, Verdict(
        check=path.name,
        verdict="ok",
        finding=f"{', '.join(states) or 'complete'}: "
        f"attack {found['attack']['key']}, {plural(count, 'victim')}, "
        f"suite {found['suite']['name']}, recipe {found['recipe']}",
    )


def _problems(path: Path, entry: dict[str, Any]) -> Iterator[str]:
    wrong = entry_problems(entry)
    yield from wrong
    if wrong:
        return
    name = entry["attack"]["name"]
    if path.name != f"entry-{name}.json":
        yield f"is of the attack {name!r}, so its name is entry-{name}.json"
    names = [victim["name"] for victim in entry["victims"]]
    if len(set(names)) < len(names):
        yield "names a victim twice"
    for record in (entry["attack"], *entry["victims"]):
        try:
            partial_coverage(record)
        except ValueError as error:
            yield str(error)


def _fail(path: Path, finding: str) -> Verdict:
    return Verdict(check=path.name, verdict="fail", finding=finding)
