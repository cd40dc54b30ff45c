"""Plain rows in the formats that every verb offers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pandas as pd
from tabulate import tabulate

from bench.types import Json, as_json


def frame_rows(frame: pd.DataFrame) -> list[dict[str, Json]]:
    """The rows of a frame, for `render_rows`."""
    return [
        {str(name): as_json(value) for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def render_rows(rows: Sequence[Mapping[str, Json]], format_: str) -> str:
    """Render rows with the same keys as "md", "csv", "tex" or "json"; no rows give no table.

    Raises:
        ValueError: If the format is none of these.
    """
    if format_ == "json":
        return json.dumps(list(rows), indent=2)
    if format_ == "csv":
        return pd.DataFrame(list(rows)).to_csv(index=False).rstrip("\n")
    if format_ not in ("md", "tex"):
        raise ValueError(f"unknown format {format_!r}; known are md, csv, tex, json")
    if not rows:
        return ""
    style = "github" if format_ == "md" else "latex_booktabs"
    body = [list(row.values()) for row in rows]
    return str(tabulate(body, headers=list(rows[0]), tablefmt=style))
