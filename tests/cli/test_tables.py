import csv
import io
import json

import pytest

from bench.contract import ATTACKS, VICTIMS
from bench.recipes import RECIPES
from bench.suites.catalogue import SPECS


@pytest.mark.parametrize(
    ("what", "names", "fields"),
    [
        ("attacks", ATTACKS.names, {"targeted", "control", "laac", "scfa", "surrogates", "paper"}),
        ("victims", VICTIMS.names, {"front_end", "backbone", "residual", "licence"}),
        ("suites", lambda: list(SPECS), {"version", "models_in"}),
        ("recipes", lambda: list(RECIPES), {"classifiers", "estimator", "compact"}),
    ],
)
def test_list_for_scripts_and_for_people(camobench, what, names, fields):
    code, out, err = camobench("list", what, "--json")
    assert (code, err) == (0, "")
    rows = json.loads(out)
    assert [row["name"] for row in rows] == names()
    assert all(fields <= row.keys() for row in rows)
    code, out, _ = camobench("list", what)
    assert code == 0
    for name in names():
        assert name in out


def test_list_knows_what_the_paper_has(camobench):
    victims = json.loads(camobench("list", "victims", "--json")[1])
    assert sum(not victim["supplementary"] for victim in victims) == 15
    assert "timm:NAME/FRONT-END" in camobench("list", "victims")[2]
    attacks = json.loads(camobench("list", "attacks", "--json")[1])
    assert sum(attack["targeted"] and not attack["preliminary"] for attack in attacks) == 8


@pytest.mark.parametrize("format_", ["md", "csv", "tex", "json"])
def test_table_in_every_format(camobench, smoke, format_):
    code, out, err = camobench("table", smoke.out, "--format", format_)
    assert (code, err) == (0, "")
    if format_ == "json":
        tables = json.loads(out)
        assert [table["number"] for table in tables][:2] == ["Table 2", "Table 3"]
        assert len(tables) == 3
        assert all(table["rows"] for table in tables)
    elif format_ == "csv":
        for part in out.strip().split("\n\n"):
            rows = list(csv.reader(io.StringIO(part.strip())))
            assert len({len(row) for row in rows}) == 1
            assert len(rows) > 2
    else:
        assert out.count("### Table 2" if format_ == "md" else r"\begin{table") >= 1
    shown = {"md": "cgan", "csv": "cgan-img", "tex": "jpeg", "json": "cgan-img"}
    assert shown[format_] in out or "f_img" in out


@pytest.mark.parametrize("format_", ["md", "csv", "tex", "json"])
def test_claims_that_cannot_be_measured_are_no_failure(camobench, smoke, format_):
    code, out, err = camobench("claims", smoke.out, "--format", format_)
    assert (code, err) == (0, "")
    assert "not measured" in out
    if format_ == "json":
        assert [row["claim"] for row in json.loads(out)["rows"]] == list("abcdefghij")
    elif format_ != "csv":
        assert "f_" not in out  # rows are named by their LAACs alone


def test_table_rewrites_the_files_when_asked(camobench, smoke_copy):
    for name in ("table2.md", "report.html"):
        (smoke_copy.out / name).unlink()
    assert camobench("table", smoke_copy.out)[0] == 0
    assert not (smoke_copy.out / "table2.md").exists()
    assert camobench("table", smoke_copy.out, "--write")[0] == 0
    assert (smoke_copy.out / "table2.md").is_file()
    assert (smoke_copy.out / "report.html").is_file()


@pytest.mark.parametrize("format_", ["md", "csv", "tex", "json"])
def test_cards_in_every_format(camobench, smoke, format_):
    code, out, err = camobench("cards", smoke.out, "--format", format_)
    assert (code, err) == (0, "")
    assert "img-resnet12" in out
    if format_ == "json":
        assert json.loads(out)["rows"][0]["parameters"] > 0


def test_cards_rewrites_its_files_when_asked(camobench, smoke_copy):
    names = [f"victims.{suffix}" for suffix in ("html", "md", "csv", "tex")]
    before = {name: (smoke_copy.out / name).read_bytes() for name in names}
    for name in names:
        (smoke_copy.out / name).unlink()
    assert camobench("cards", smoke_copy.out)[0] == 0
    assert not (smoke_copy.out / "victims.md").exists()
    assert camobench("cards", smoke_copy.out, "--write")[0] == 0
    assert {name: (smoke_copy.out / name).read_bytes() for name in names} == before


def test_table_over_originally_correct_images(camobench, pristine):
    code, out, err = camobench("table", pristine, "--correct-only")
    assert (code, err) == (0, "")
    assert out.startswith("### Table 2. ")
    assert "originally correct only" in out
    assert "### Table 3" not in out
