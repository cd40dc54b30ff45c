"""What an entry and the two Parquet tables must hold, as the JSON schemas in the assets say.

The schemas are the one place that says so: `load_run`, `verify` and `leaderboard` read them here.
Fields and columns that they do not name are welcome.
"""

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, Literal

import pandas as pd

TableName = Literal["predictions", "distortion"]
_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


@cache
def load_schema(name: str) -> dict[str, Any]:
    """A schema by name: "entry", "predictions" or "distortion"."""
    file = resources.files("bench") / "assets" / "schema" / f"{name}.json"
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def table_columns(table: TableName) -> tuple[str, ...]:
    """The columns that a table must have."""
    return tuple(load_schema(table)["required"])


def entry_problems(entry: object) -> list[str]:
    """What is wrong with an entry, each with the field and what is expected of it."""
    # Imported here: `table` and `run` read entries without it.
    from jsonschema import Draft202012Validator

    errors = sorted(
        Draft202012Validator(load_schema("entry")).iter_errors(entry),
        key=lambda error: [str(part) for part in error.absolute_path],
    )
    return list(dict.fromkeys(text for error in errors for text in _sentences(error)))


def row_problems(rows: pd.DataFrame, table: TableName) -> list[str]:
    """Columns of another type than the schema's, or with holes where it has none."""
    found = []
    for name, schema in load_schema(table)["properties"].items():
        if name not in rows:
            continue
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        present = rows[name].dropna()
        if len(present) < len(rows) and "null" not in kinds:
            found.append(f"column `{name}`: expected no null, found {len(rows) - len(present)}")
        number = pd.api.types.is_numeric_dtype(present) and not pd.api.types.is_bool_dtype(present)
        text = pd.api.types.infer_dtype(present, skipna=True) in ("string", "categorical")
        if len(present) and not (number if "number" in kinds else text):
            found.append(f"column `{name}`: expected {_kinds(kinds)}, found {present.dtype}")
    return found


def _sentences(error: Any) -> Iterator[str]:
    path = list(error.absolute_path)
    expected = error.validator_value
    if error.validator == "required":
        for name in expected:
            if name not in error.instance:
                wanted = error.schema.get("properties", {}).get(name, {})
                yield f"`{_dotted([*path, name])}`: expected {_wanted(wanted)}, is absent"
        return
    field = f"`{_dotted(path)}`" if path else "the file"
    if error.validator == "type":
        yield f"{field}: expected {_kinds(expected)}, found {_found(error.instance)}"
    elif error.validator == "const":
        yield f"{field}: expected {expected!r}, found {error.instance!r}"
    elif error.validator in ("minItems", "minLength"):
        yield f"{field}: expected at least {expected}, is empty"
    else:
        yield f"{field}: {error.message}"


def _wanted(schema: dict[str, Any]) -> str:
    if "const" in schema:
        return repr(schema["const"])
    return _kinds(schema["type"]) if "type" in schema else "it"


def _kinds(kinds: str | list[str]) -> str:
    return " or ".join(_KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _found(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _dotted(path: list[Any]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
