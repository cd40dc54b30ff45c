from dataclasses import replace

import pytest

from bench.report.render import render
from bench.report.tables import build_table
from bench.report.verification.texts import changed_numbers, compare_file


@pytest.fixture(scope="module")
def table(run):
    return build_table(run, "in")


@pytest.mark.parametrize("suffix", ["md", "csv", "tex"])
def test_the_same_is_the_same(table, suffix):
    text = render(table, suffix)
    assert compare_file(f"table2.{suffix}", text, text).verdict == "ok"


@pytest.mark.parametrize("suffix", ["md", "tex"])
def test_another_digit_in_a_row_fails_and_is_named(table, suffix):
    row = table.rows[0]
    changed = replace(row, cells=("99.9 ± 9.9", *row.cells[1:]))
    texts = [
        render(replace(table, rows=(first, *table.rows[1:])), suffix) for first in (changed, row)
    ]
    found = compare_file(f"table2.{suffix}", *texts)
    assert found.verdict == "fail"
    assert "99.9" in found.finding
    assert row.cells[0].split()[0] in found.finding


@pytest.mark.parametrize("suffix", ["md", "tex"])
def test_other_words_in_a_note_are_told_from_numbers(table, suffix):
    fresh = render(table, suffix)
    reworded = replace(table, notes=("Audit: never.", *table.notes[1:]))
    found = compare_file(f"table2.{suffix}", render(reworded, suffix), fresh)
    assert found.verdict == "warn"
    assert "all numbers of its tables are the same; 1 line of text changed" in found.finding
    assert "Audit: never." in found.finding


@pytest.mark.parametrize("suffix", ["md", "tex"])
def test_another_number_in_a_note_fails(table, suffix):
    place = next(i for i, note in enumerate(table.notes) if note.startswith("Clean accuracy"))
    note = table.notes[place].replace("img-resnet18 ", "img-resnet18 1")
    notes = (*table.notes[:place], note, *table.notes[place + 1 :])
    assert note != table.notes[place]
    stale = render(replace(table, notes=notes), suffix)
    found = compare_file(f"table2.{suffix}", stale, render(table, suffix))
    assert found.verdict == "fail"
    assert "a number outside the tables differs" in found.finding


@pytest.mark.parametrize("suffix", ["md", "csv", "tex"])
def test_rows_that_came_went_or_swapped_fail(table, suffix):
    fresh = render(table, suffix)
    rows, records = table.rows, table.records
    for these, those in (
        (rows[2:], records[1:]),
        ((rows[2], rows[1], rows[0], *rows[3:]), (records[1], records[0], *records[2:])),
    ):
        stale = render(replace(table, rows=tuple(these), records=tuple(those)), suffix)
        assert compare_file(f"table2.{suffix}", stale, fresh).verdict == "fail"


def test_csv_by_columns():
    fresh = "attack,a,b\njpeg,1.5,2\nmedian,3,4\n"
    older = compare_file("x.csv", "attack,a\njpeg,1.5\nmedian,3\n", fresh)
    assert (older.verdict, "lacks the columns b" in older.finding) == ("warn", True)
    wrong = compare_file("x.csv", fresh.replace("1.5", "1.4"), fresh)
    assert (wrong.verdict, "a: '1.4', recomputed '1.5'" in wrong.finding) == ("fail", True)
    assert compare_file("x.csv", fresh.replace("b\n", "c\n"), fresh).verdict == "fail"
    assert compare_file("x.csv", "", fresh).verdict == "fail"


def test_html_cells_words_and_pictures():
    fresh = (
        "<p>Mean 84 %</p><table><tbody><tr><td>jpeg</td><td>1.5</td></tr></tbody></table>"
        '<img src="data:image/png;base64,AAAA">'
    )
    assert compare_file("r.html", fresh.replace("AAAA", "BBBB"), fresh).finding.endswith(
        "only pictures differ"
    )
    for old, new in (("1.5", "1.6"), ("84", "85"), (">jpeg<", ">median<")):
        assert compare_file("r.html", fresh.replace(old, new), fresh).verdict == "fail"
    assert compare_file("r.html", fresh.replace("Mean", "The mean"), fresh).verdict == "warn"


@pytest.mark.parametrize(
    "added",
    [
        "<script>alert(1)</script>",
        '<SCRIPT src="//example.org/a.js">',
        '<p onclick="x()">jpeg</p>',
        '<a href="javascript:x()">jpeg</a>',
        '<meta http-equiv="refresh" content="0;url=//example.org">',
        "<iframe srcdoc=''>",
    ],
)
def test_what_a_browser_would_run_fails(added):
    fresh = "<p>Mean 84 %</p><table><tbody><tr><td>jpeg</td><td>1.5</td></tr></tbody></table>"
    found = compare_file("r.html", fresh.replace("<table>", f"{added}<table>"), fresh)
    assert found.verdict == "fail"
    assert "holds what no version writes" in found.finding


def test_other_styles_are_said_for_they_may_hide_rows():
    fresh = "<style>td {color: red}</style><p>Mean 84 %</p>"
    found = compare_file("r.html", fresh.replace("color: red", "display: none"), fresh)
    assert found.verdict == "warn"
    assert found.finding.endswith("its style sheet differs, which may hide what it holds")
    odd = fresh.replace("<style>", '<style media="all">').replace("red", "blue")
    assert "style sheet differs" in compare_file("r.html", odd, fresh).finding


def test_commands_and_links_that_no_table_has_fail(table):
    for suffix, added in (("tex", "\\input{/etc/passwd}"), ("md", "[rank 1](http://example.org)")):
        fresh = render(table, suffix)
        found = compare_file(f"table2.{suffix}", f"{fresh}{added}\n", fresh)
        assert found.verdict == "fail"
        assert added.partition("{")[0].removeprefix("[rank 1") in found.finding


@pytest.mark.parametrize("suffix", ["md", "tex"])
def test_a_rate_that_nothing_recomputed_has_is_no_rewording(table, suffix):
    fresh = render(table, suffix)
    boast = replace(table, notes=(*table.notes, "Best of all at 99.87 % TASR."))
    found = compare_file(f"table2.{suffix}", render(boast, suffix), fresh)
    assert found.verdict == "fail"
    assert "not recomputed" in found.finding
    assert "99.87" in found.finding


def test_csv_columns_and_cells_are_there_once():
    fresh = "attack,a\njpeg,1.5\n"
    twice = compare_file("x.csv", "attack,a,a\njpeg,9.9,1.5\n", fresh)
    assert (twice.verdict, twice.finding) == ("fail", "has a column twice")
    longer = compare_file("x.csv", "attack,a\njpeg,1.5,9.9\n", fresh)
    assert (longer.verdict, longer.finding) == ("fail", "row 1 has 3 cells, not 2")


def test_numbers_are_compared_where_words_are_the_same():
    assert changed_numbers(["a 1", "b 2"], ["a 3", "c 2"]) == ["'a 1', recomputed 'a 3'"]
    assert changed_numbers(["a 1"], ["a 1", "a 3"]) == []
