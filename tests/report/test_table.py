"""A table as text: whatever its cells hold, rows keep their cells; how figures are written."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.render import render
from bench.report.table import Row, alignments, between, make_table, number, signed

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30) | st.sampled_from(
    ["a|b*<i>_x_", r"100% #1~{x}^\ ", "[a](b)", "&amp;", "± ∞ ↑ † ‡ − ≥ × ≠", "=1+1", "`a_b`"]
)


def table(*rows, records=()):
    return make_table("A title", ("Who", "What"), rows, ("A note.",), records)


def row(name, cell="", kind="attack"):
    return Row(kind=kind, name=name, cells=(cell,))


@given(TEXT, TEXT)
def test_no_text_breaks_a_row_or_leaves_it(name, cell):
    made = table(row(name, cell), records=[{"who": name, "what": 1 / 3}])
    lines = [line for line in render(made, "md").splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in lines} == {3}
    tex = render(made, "tex")
    body = tex[tex.index(r"\midrule") + 8 : tex.index(r"\bottomrule")]
    bare = re.sub(r"\\[{}&%$#_]", "", body)
    assert (bare.count("&"), bare.count("{")) == (1, bare.count("}"))
    assert not re.search(r"[±†‡↑↓∞−≥×≠|<>~^#%]", re.sub(r"~(?=%)|\\\w+\{\}", "", bare))
    (told,) = json.loads(render(made, "json"))["rows"]
    assert told == {"who": name, "what": 0.333333}
    (read,) = csv.DictReader(io.StringIO(render(made, "csv")))
    assert read["who"] == ("'" + name if name.startswith(("=", "+", "-", "@")) else name)


@pytest.mark.parametrize(
    ("cells", "side"),
    [
        (("holds", "n/a", ""), "left"),
        (("91.7 (simcam-03)", "n/a"), "right"),
        (("+16.0", "−3.4", "∞", "-1"), "right"),
        (("n/a", "–", "all"), "right"),
    ],
)
def test_words_stand_to_the_left_and_figures_to_the_right(cells, side):
    shown = [row("In distribution", kind="section"), *(row("x", cell) for cell in cells)]
    assert alignments(table(*shown)) == ("left", side)


def test_latex_names_sections_with_a_rule_between_them():
    shown = [row("One", kind="section"), row("x", "7"), row("Two", kind="section")]
    lines = [" ".join(line.split()) for line in render(table(*shown), "tex").splitlines()]
    start = lines.index(r"\midrule")
    assert lines[start + 1 : start + 5] == [
        r"\bfseries One & \\",
        r"x & 7 \\",
        r"\midrule",
        r"\bfseries Two & \\",
    ]


def test_figures_are_rounded_in_one_way():
    figures = (None, float("nan"), float("inf"), 68.75 - 1e-13, 2.0)
    assert [number(figure) for figure in figures] == ["n/a", "n/a", "∞", "68.8", "2.0"]
    assert [signed(figure) for figure in (None, 1.52, -2.0)] == ["n/a", "+1.5", "-2.0"]
    assert [signed(sign * (68.75 - 1e-13)) for sign in (1, -1)] == ["+68.8", "-68.8"]
    assert (between(50.0, 68.75), between(None, None)) == ("50.0–68.8", "n/a")
