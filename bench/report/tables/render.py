"""A table as Markdown, LaTeX, CSV and JSON, for a notebook, as a frame; plain rows.

Markdown and LaTeX show the formatted cells; CSV and JSON hold one unrounded number per column, with
the unit in the column's name and nothing (CSV) or null (JSON) where a figure is undefined.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from itertools import groupby, product
from string import Template
from typing import Any

import pandas as pd
from tabulate import tabulate

from bench.report.tables.table import Column, Row, Table, alignments
from bench.types import Json


def render(table: Table, format: str) -> str:
    """The table as `md`, `tex`, `csv` or `json`.

    Raises:
        ValueError: If the format is none of these.
    """
    renderers = {"md": _markdown, "tex": _latex, "csv": _csv, "json": _json}
    if format not in renderers:
        raise ValueError(f"unknown table format {format!r}; choose from {', '.join(renderers)}")
    return renderers[format](table)


def render_all(tables: Iterable[Table], format: str) -> str:
    """Tables one after the other; as "json" an array."""
    rendered = [render(table, format) for table in tables]
    return f"[{','.join(rendered)}]" if format == "json" else "\n\n".join(rendered)


def _markdown(table: Table) -> str:
    body = []
    for row in table.rows:
        cells = [_md(cell) for cell in row.cells]
        cells = [f"**{cell}**" if n in row.best else cell for n, cell in enumerate(cells, start=1)]
        label = _md(_label(row))
        if row.kind == "section":
            label = f"**{label}**"
        elif row.kind == "published":
            label, cells = f"*{label}*", [f"*{cell}*" for cell in cells]
        body.append([label, *cells])
    notes = "\n".join(f"- {_md(note)}" for note in table.notes)
    return f"### {_md(table.caption)}\n\n{_grid(table, body, 'pipe')}\n\n{notes}\n"


def _html(table: Table) -> str:
    """For a notebook."""
    grid = _grid(table, [[_label(row), *row.cells] for row in table.rows], "html")
    notes = "".join(f"<li>{prose_html(note)}</li>" for note in table.notes)
    return f"<p><b>{escape(table.caption)}</b></p>{grid}<ul>{notes}</ul>"


def prose_html(text: str) -> str:
    """Escaped; what stands in backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _grid(table: Table, body: list[list[str]], style: str) -> str:
    align = alignments(table) if body else None
    return str(tabulate(body, table.headings, style, colalign=align, disable_numparse=bool(body)))


def _csv(table: Table) -> str:
    cells = [{name: _csv_cell(one) for name, one in row.items()} for row in table.records]
    return pd.DataFrame(cells, dtype="object").to_csv(index=False, lineterminator="\n")


def _csv_cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets a quotation mark before it."""
    formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@"))
    return f"'{value}" if formula else _rounded(value)


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
    return "inf" if value == math.inf else _rounded(value)


def _rounded(value: Any) -> Any:
    """To six digits; first to nine, so that no processor's last bit decides an exact half."""
    return round(round(value, 9), 6) if isinstance(value, float) else value


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


_COLUMN, _PAGE, _SHRUNK, _TEXT, _ROWS = 60, 92, 120, 40, 42
"""Characters of `footnotesize` in one of two columns, across a page, shrunk to one, in a line of a
cell; lines."""


def _latex(table: Table) -> str:
    """One float, or as many as it takes to read it; needs booktabs and graphicx.

    Columns that fit one of two columns of text make a `table`, others a `table*`.
    """
    cells = [[_label(row), *row.cells] for row in table.rows]
    texts = [[column.label for column in table.columns], *cells]
    widths = [min(_TEXT, max(map(len, column))) + 2 for column in zip(*texts, strict=True)]
    step = _ROWS // 2 if max(widths) > _TEXT else _ROWS
    parts = [table.rows[at : at + step] for at in range(0, len(table.rows), step)] or [()]
    floats: list[str] = []
    for places, rows in product(_panels(table.columns, widths), parts):
        star = "" if sum(widths[place] for place in places) <= _COLUMN else "*"
        caption = _tex(table.title) + (" (continued)" if floats else "")
        grid = _tex_grid(table, rows, places, widths)
        floats.append(_FLOAT.substitute(star=star, caption=caption, grid=grid))
    notes = "\n\n".join(map(_tex, table.notes))
    return _HEAD + "".join(floats) + _NOTES.substitute(notes=notes)


def _panels(columns: tuple[Column, ...], widths: list[int]) -> list[list[int]]:
    """Places of the columns of each float: the first in all, as many groups as fit.

    A group stays whole if it can be read when it is shrunk to a page.
    """
    panels: list[list[int]] = [[0]]

    def make_room(places: list[int], most: int) -> None:
        wide = sum(widths[place] for place in panels[-1] + places)
        if wide > most and len(panels[-1]) > 1:
            panels.append([0])

    for _, members in groupby(range(1, len(columns)), lambda place: columns[place].group or place):
        group = list(members)
        make_room(group, _PAGE)
        for place in group:
            make_room([place], _SHRUNK)
            panels[-1].append(place)
    return panels


def _tex_grid(table: Table, rows: tuple[Row, ...], places: list[int], widths: list[int]) -> str:
    align, wide = alignments(table), {place for place in places if widths[place] > _TEXT}
    spec = "".join(f"p{{{_TEXT // 2}em}}" if at in wide else align[at][0] for at in places)
    columns = tuple(table.columns[place] for place in places)
    lines = [rf"\begin{{tabular}}{{{spec}}}", r"\toprule", *_tex_groups(columns)]
    lines += [" & ".join(_tex_heading(column.label) for column in columns) + r" \\", r"\midrule"]
    for number, row in enumerate(rows):
        lines += [r"\midrule"] if row.kind == "section" and number else []
        texts = [_label(row, r"$f_{{\mathrm{{{}}}}}$", _TEX["†"], _tex), *map(_tex, row.cells)]
        for place in (place for place, text in enumerate(texts) if text):
            style = _STYLE.get(row.kind, r"\bfseries " if place in row.best else "")
            ragged = r"\raggedright " if place in wide and place != places[-1] else ""
            texts[place] = ragged + style + texts[place]
        lines.append(" & ".join(texts[place] for place in places) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


_HEAD = r"% needs \usepackage{booktabs,graphicx} and UTF-8 input" + "\n"
_FLOAT = Template(r"""\begin{table$star}
\centering\footnotesize\setlength{\tabcolsep}{3pt}
\caption{$caption}
\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%
$grid
}
\end{table$star}
""")
_NOTES = Template(r"""{\footnotesize\noindent
$notes
\par}
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
        heading = rf"\multicolumn{{{width}}}{{c}}{{{_tex(group)}}}"
        cells.append(heading if group else "& " * (width - 1))
        rules += [rf"\cmidrule(lr){{{start}-{start + width - 1}}}"] if group else []
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
        return _html(self.table)


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


def render_rows(rows: Sequence[Mapping[str, Json]], format_: str) -> str:
    """Render rows with the same keys as "md", "csv", "tex" or "json"; no rows give no table."""
    if format_ == "json":
        return json.dumps(list(rows), indent=2)
    if format_ == "csv":
        return pd.DataFrame(list(rows)).to_csv(index=False).rstrip("\n")
    if not rows:
        return ""
    style, bar = {"md": ("github", r"\|"), "tex": ("latex_booktabs", "|")}[format_]
    body = [
        [v.replace("|", bar) if isinstance(v, str) else v for v in row.values()] for row in rows
    ]
    names = [at for at, value in enumerate(body[0]) if isinstance(value, str)]
    return str(tabulate(body, list(rows[0]), style, disable_numparse=names))
