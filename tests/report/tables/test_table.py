"""A table as text: whatever its cells hold, rows keep their cells; how figures are written."""

import csv
import io
import json
import re
import shutil
import subprocess

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.registry import UnknownNameError
from bench.report.cards import victims_table
from bench.report.tables.choosing import choose
from bench.report.tables.column import targets_table
from bench.report.tables.paper import correct_only_table
from bench.report.tables.render import render
from bench.report.tables.table import Row, between, make_table, number, signed

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30) | st.sampled_from(
    ["a|b*<i>_x_", r"100% #1~{x}^\ ", "[a](b)", "&amp;", "± ∞ ↑ † ‡ − ≥ × ≠", "=1+1", "`a_b`"]
)


def table(*rows, records=()):
    return make_table("A title", ("Who", "What"), rows, ("A note.",), records)


def row(name, cell="", kind="attack"):
    return Row(kind=kind, name=name, cells=(cell,))


@given(TEXT, TEXT)
def test_no_text_breaks_a_row_or_leaves_it(name, cell):
    assume("\xa0" not in name + cell)  # which is LaTeX's "~"
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


def test_figures_are_rounded_in_one_way():
    figures = (None, float("nan"), float("inf"), 68.75 - 1e-13, 2.0)
    assert [number(figure) for figure in figures] == ["n/a", "n/a", "∞", "68.8", "2.0"]
    assert [signed(figure) for figure in (None, 1.52, -2.0)] == ["n/a", "+1.5", "-2.0"]
    assert [signed(sign * (68.75 - 1e-13)) for sign in (1, -1)] == ["+68.8", "-68.8"]
    assert (between(50.0, 68.75), between(None, None)) == ("50.0–68.8", "n/a")
    for last_bit in (0, -4e-15, 4e-15):  # decides no half
        assert render(table(records=[{"a": 29.4921875 + last_bit}]), "csv") == "a\n29.492188\n"


def test_a_group_too_wide_for_a_page_of_latex_is_broken():
    names = [f"img-resnet18-more-models-{number}" for number in range(6)]
    headings = ["Attack", ("TASR", "Mean"), *(("UASR", name) for name in names)]
    made = make_table("T", headings, [Row(kind="attack", name="a", cells=("1",) * 7)], (), ())
    grids = re.findall(r"\\toprule(.*?)\\midrule", render(made, "tex"), re.DOTALL)
    shown = [re.findall(r"img-resnet18-more-models-\d|Mean", grid) for grid in grids]
    assert shown == [["Mean"], names[:4], names[4:]]  # at most 120 characters
    assert all("UASR" in grid for grid in grids[1:])


@pytest.fixture
def compiler():
    path = shutil.which("pdflatex") or shutil.which("tectonic")
    if path is None:
        pytest.skip("neither pdflatex nor tectonic here")
    return path


@pytest.mark.parametrize("layout", ["onecolumn", "twocolumn"])
def test_latex_compiles_and_no_float_is_too_large(run, tables, compiler, layout, tmp_path):
    shown = [*tables.values(), correct_only_table(run), victims_table(run), targets_table(run)]
    source = tmp_path / "tables.tex"
    head = rf"\documentclass[{layout}]{{article}}\usepackage{{booktabs,graphicx}}"
    body = "\n".join(render(one, "tex") for one in shown)
    source.write_text(f"{head}\n\\begin{{document}}\n{body}\n\\end{{document}}\n")
    quiet = [] if compiler.endswith("tectonic") else ["-interaction=nonstopmode"]
    done = subprocess.run(
        [compiler, *quiet, source.name], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-2000:]
    assert source.with_suffix(".pdf").stat().st_size > 10_000
    assert not re.search(r"Overfull .hbox .[2-9]\d|Float too large", said)


def test_rows_and_columns_are_chosen_and_the_best_is_bold(tables):
    wanted = {"rows": ["cgan-*", "identity"], "columns": ["tasr mean", "UASR img", "lpips*"]}
    (chosen,) = choose([tables["in"]], **wanted, published=False, bold_best=True)
    assert [column.label for column in chosen.columns] == ["LAAC", "Mean", "f*_img", "LPIPS↓"]
    names = ["cgan-img", "cgan-img-wdf-pef", "Controls", "identity"]
    assert [row.name for row in chosen.rows] == names
    assert {record["attack"] for record in chosen.records} == set(names) - {"Controls"}
    img, full, _, identity = chosen.rows
    assert (img.best, full.best, identity.best) == ({3}, {1, 2, 3}, set())  # LPIPS is the same
    assert f"**{full.cells[0]}**" in render(chosen, "md")
    assert rf"\bfseries {full.cells[2]} \\" in render(chosen, "tex")
    rows = [row("more", "0.2"), row("less", "0.10"), row("identity", "0.0", "control")]
    (one,) = choose([make_table("t", ["Who", ("", "LPIPS↓")], rows, (), ())], bold_best=True)
    assert [row.best for row in one.rows] == [set(), {1}, set()]
    rows += [row("holed", "0.05 §"), row("sent (partial)", "0.01")]  # not to be compared
    (one,) = choose([make_table("t", ["Who", ("", "LPIPS↓")], rows, (), ())], bold_best=True)
    assert [row.best for row in one.rows] == [set(), {1}, set(), set(), set()]
    assert any(row.kind == "published" for row in choose([tables["in"]], rows=["cgan-img"])[0].rows)
    (only,) = choose([tables["in"], tables["out"]], columns=["UASR*"])
    assert only.title == tables["in"].title  # the other has none
    with pytest.raises(UnknownNameError, match=r"no column 'nix' .*Mean"):
        choose([tables["in"]], columns=["nix"])
