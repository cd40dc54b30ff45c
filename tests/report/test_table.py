import pytest

from bench.report.render import latex, render
from bench.report.table import Row, alignments, make_table


def table(*rows):
    return make_table("", ("Who", "What"), rows, (), [{"a": 1}])


def row(name, cell="", kind="attack"):
    return Row(kind=kind, name=name, cells=(cell,))


@pytest.mark.parametrize(
    ("cells", "side"),
    [
        (("holds", "does not hold"), "left"),
        (("holds", "n/a", ""), "left"),
        (("91.7 (simcam-03)", "n/a"), "right"),
        (("+16.0", "−3.4", "∞", "-1"), "right"),
        (("all", "12 of 40"), "right"),
        (("n/a", "–", "all"), "right"),
        ((), "left"),
    ],
)
def test_words_stand_to_the_left_and_figures_to_the_right(cells, side):
    assert alignments(table(*(row("x", cell) for cell in cells)))[1:] == (side,) * bool(cells)


def test_headings_of_sections_are_in_no_column():
    shown = alignments(table(row("In distribution", kind="section"), row("x", "7")))
    assert shown == ("left", "right")


def test_latex_names_sections_with_a_rule_between_them():
    made = latex(table(row("One", kind="section"), row("x", "7"), row("Two", kind="section")))
    lines = [" ".join(line.split()) for line in made.splitlines()]
    start = lines.index(r"\midrule")
    assert lines[start : start + 6] == [
        r"\midrule",
        r"\bfseries One & \\",
        r"x & 7 \\",
        r"\midrule",
        r"\bfseries Two & \\",
        r"\bottomrule",
    ]


def test_markdown_aligns_as_well():
    assert "|:------|:-------|" in render(table(row("x", "holds")), "md")
