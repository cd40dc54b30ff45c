"""A table as a LaTeX fragment with booktabs rules and every name escaped."""

import re
from itertools import groupby
from typing import Any

from tabulate import SEPARATING_LINE, tabulate

from bench.report.table import Column, Row, Table, alignments


def latex(table: Table) -> str:
    """A `table*` environment; needs booktabs and graphicx."""
    headers = [_tex_heading(column.label) for column in table.columns]
    body: list[Any] = []
    for row in table.rows:
        if row.kind == "section" and body:
            body.append(SEPARATING_LINE)
        style = _STYLE.get(row.kind, "")
        texts = (_tex_label(row), *map(_tex, row.cells))
        body.append([style + text if text else text for text in texts])
    options = {"colalign": alignments(table)} if table.rows else {}
    grid = tabulate(body, headers, tablefmt="latex_raw", disable_numparse=True, **options)
    lines = grid.splitlines()
    rules = [number for number, line in enumerate(lines) if line.strip() == r"\hline"]
    for number in rules:
        first, last = number == rules[0], number == rules[-1]
        lines[number] = r"\bottomrule" if last else r"\midrule"
        if first:
            lines[number] = "\n".join((r"\toprule", *_tex_groups(table.columns)))
    notes = "\n\n".join(_tex(note) for note in table.notes)
    return "\n".join(
        (
            r"% needs \usepackage{booktabs,graphicx} and UTF-8 input",
            r"\begin{table*}",
            r"\centering",
            rf"\caption{{{_tex(table.title)}}}",
            r"\resizebox{\linewidth}{!}{%",
            *lines,
            r"}",
            r"\par\medskip",
            r"\begin{minipage}{\linewidth}\footnotesize",
            notes,
            r"\end{minipage}",
            r"\end{table*}",
            "",
        )
    )


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
        cells.append(
            rf"\multicolumn{{{width}}}{{c}}{{{_tex(group)}}}" if group else "& " * (width - 1)
        )
        if group:
            rules.append(rf"\cmidrule(lr){{{start}-{start + width - 1}}}")
        start += width
    return [" & ".join(cells) + r" \\", " ".join(rules)]


def _tex_heading(label: str) -> str:
    family = label.removeprefix("f*_")
    return _tex(label) if family == label else rf"$f^{{*}}_{{\mathrm{{{_tex(family)}}}}}$"


def _tex_label(row: Row) -> str:
    if not row.laac:
        return _tex(row.name)
    joined = ", ".join(rf"$f_{{\mathrm{{{_tex(name)}}}}}$" for name in row.laac)
    joined += _tex("†") if row.scfa else ""
    return f"{joined} ({_tex(row.name)})" if row.name else joined
