"""A table as Markdown, LaTeX, CSV and JSON, for a notebook and as a data frame; and plain rows.

Markdown and LaTeX show the formatted cells; CSV and JSON hold one unrounded number per column, with
the unit in the column's name and nothing (CSV) or null (JSON) where a figure is undefined.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import groupby
from string import Template
from typing import Any

import pandas as pd
from tabulate import SEPARATING_LINE, tabulate

from bench.report.table import Column, Row, Table, alignments
from bench.types import Json, as_json


def render(table: Table, format: str) -> str:
    """The table as `md`, `tex`, `csv` or `json`.

    Raises:
        ValueError: If the format is none of these.
    """
    renderers = {"md": _markdown, "tex": latex, "csv": _csv, "json": _json}
    if format not in renderers:
        raise ValueError(f"unknown table format {format!r}; choose from {', '.join(renderers)}")
    return renderers[format](table)


def _markdown(table: Table) -> str:
    body = []
    for row in table.rows:
        cells = [_md(cell) for cell in row.cells]
        label = _md(_label(row))
        if row.kind == "section":
            label = f"**{label}**"
        elif row.kind == "published":
            label, cells = f"*{label}*", [f"*{cell}*" for cell in cells]
        body.append([label, *cells])
    align = alignments(table)
    grid = tabulate(body, table.headings, tablefmt="pipe", colalign=align, disable_numparse=True)
    if not body:
        grid = tabulate([], table.headings, tablefmt="pipe")
    notes = "\n".join(f"- {_md(note)}" for note in table.notes)
    return f"### {_md(table.caption)}\n\n{grid}\n\n{notes}\n"


def html(table: Table) -> str:
    """The table for a notebook."""
    body = [[_label(row), *row.cells] for row in table.rows]
    align = alignments(table) if body else None
    grid = tabulate(body, table.headings, tablefmt="html", colalign=align, disable_numparse=True)
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    return f"<p><b>{escape(table.caption)}</b></p>{grid}<ul>{notes}</ul>"


def _csv(table: Table) -> str:
    cells = [{name: _csv_cell(one) for name, one in row.items()} for row in table.records]
    return pd.DataFrame(cells, dtype="object").to_csv(index=False, lineterminator="\n")


def _json(table: Table) -> str:
    rows = _plain(list(table.records))
    content = {"number": table.number, "title": table.title, "rows": rows, "notes": table.notes}
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Rounded and without infinities; records may hold a list of records."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return "inf" if value == math.inf else round(value, 6) if isinstance(value, float) else value


def _csv_cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets a quotation mark before it."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@")):
        return f"'{value}"
    return round(value, 6) if isinstance(value, float) else value


def _label(
    row: Row, laac: str = "f_{}", mark: str = "†", escaped: Callable[[str], str] = str
) -> str:
    """A row's name, after its local classifiers where it has any."""
    if not row.laac:
        return escaped(row.name)
    joined = ", ".join(laac.format(escaped(name)) for name in row.laac) + (mark if row.scfa else "")
    return f"{joined} ({escaped(row.name)})" if row.name else joined


def _md(text: str) -> str:
    """Escape what Markdown would read as markup; code in backticks stays code."""
    text = re.sub(r"([\\|*<])", r"\\\1", text.replace("\n", " "))
    text = re.sub(r"\[(?=[^\]]*\][(:])", r"\\[", text)
    text = re.sub(r"&(?=#?\w+;)", "&amp;", text)
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)


def latex(table: Table) -> str:
    """A `table*` environment; needs booktabs and graphicx."""
    body: list[Any] = []
    for row in table.rows:
        if row.kind == "section" and body:
            body.append(SEPARATING_LINE)
        label = _label(row, r"$f_{{\mathrm{{{}}}}}$", _TEX["†"], _tex)
        style = _STYLE.get(row.kind, "")
        body.append([style + text if text else text for text in (label, *map(_tex, row.cells))])
    headings = [_tex_heading(column.label) for column in table.columns]
    options = {"colalign": alignments(table)} if body else {}
    grid = tabulate(body, headings, tablefmt="latex_raw", disable_numparse=True, **options)
    start, *parts, end = grid.split(r"\hline")
    above = "\n".join((r"\toprule", *_tex_groups(table.columns)))
    return _ENVIRONMENT.substitute(
        caption=_tex(table.title),
        grid=start + above + r"\midrule".join(parts) + r"\bottomrule" + end,
        notes="\n\n".join(map(_tex, table.notes)),
    )


_ENVIRONMENT = Template(r"""% needs \usepackage{booktabs,graphicx} and UTF-8 input
\begin{table*}
\centering
\caption{$caption}
\resizebox{\linewidth}{!}{%
$grid
}
\par\medskip
\begin{minipage}{\linewidth}\footnotesize
$notes
\end{minipage}
\end{table*}
""")
_STYLE = {"published": r"\itshape ", "section": r"\bfseries "}
_TEX = {
    **{c: rf"\{c}" for c in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "\n": " "},
    **{"±": r"$\pm$", "∞": r"$\infty$", "↑": r"$\uparrow$", "↓": r"$\downarrow$"},
    **{"†": r"\textsuperscript{\dag}", "‡": r"\textsuperscript{\ddag}", "–": "--", "—": "---"},
    **{"−": "$-$", "≥": r"$\geq$", "×": r"$\times$", "≠": r"$\neq$", "[": "{[}", "]": "{]}"},
}


def _tex(text: str) -> str:
    text = re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text)
    escaped = "".join(_TEX.get(character, character) for character in text).replace("\xa0", "~")
    return re.sub(r"`([^`]+)`", r"\\texttt{\1}", escaped)


def _tex_groups(columns: tuple[Column, ...]) -> list[str]:
    if not any(column.group for column in columns):
        return []
    cells, rules, start = [], [], 1
    for group, members in groupby(columns, key=lambda column: column.group):
        width = len(list(members))
        if group:
            cells.append(rf"\multicolumn{{{width}}}{{c}}{{{_tex(group)}}}")
            rules.append(rf"\cmidrule(lr){{{start}-{start + width - 1}}}")
        else:
            cells.append("& " * (width - 1))
        start += width
    return [" & ".join(cells) + r" \\", " ".join(rules)]


def _tex_heading(label: str) -> str:
    family = label.removeprefix("f*_")
    return _tex(label) if family == label else rf"$f^{{*}}_{{\mathrm{{{_tex(family)}}}}}$"


class TableFrame(pd.DataFrame):
    """One row a record, one number a column; what is derived from it is a plain data frame."""

    _metadata = ["table"]  # noqa: RUF012  # as pandas asks for
    table: Table

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def __repr__(self) -> str:
        return render(self.table, "md")

    def _repr_html_(self) -> str:
        return html(self.table)


def shown(table: Table, format: str | None) -> Any:
    """A frame of the table, or its text in a format.

    Raises:
        ValueError: If there is no such format.
    """
    if format is not None:
        return render(table, format)
    frame = TableFrame(list(table.records))
    frame.table = table
    return frame


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
