import csv
import io
import json

import pytest

from bench.contract import ATTACKS, VICTIMS
from bench.recipes import RECIPES
from bench.records.metric import METRICS
from bench.suites.catalogue import SPECS


@pytest.mark.parametrize(
    ("what", "names", "fields"),
    [
        ("attacks", ATTACKS.names, {"targeted", "control", "laac", "scfa", "surrogates", "paper"}),
        ("victims", VICTIMS.names, {"front_end", "backbone", "residual", "licence"}),
        ("suites", lambda: list(SPECS), {"version", "models_in"}),
        ("recipes", lambda: list(RECIPES), {"classifiers", "estimator", "compact"}),
        ("metrics", METRICS.names, {"title", "needs", "level", "higher_is_better"}),
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
    assert sum(attack["paper_row"] and bool(attack["laac"]) for attack in attacks) == 8


def test_files_are_rewritten_when_asked(camobench, smoke_copy):
    names = ["table2.md", "table3.csv", "report.html", "victims.html", "victims.md"]
    before = {name: (smoke_copy.out / name).read_bytes() for name in names}
    for name in names:
        (smoke_copy.out / name).unlink()
    assert camobench("table", smoke_copy.out)[0] == 0
    assert not any((smoke_copy.out / name).exists() for name in names)
    assert camobench("table", smoke_copy.out, "--write")[0] == 0
    assert {name: (smoke_copy.out / name).read_bytes() for name in names} == before


def test_what_is_asked_for_of_a_table_is_printed(camobench, pristine):
    words = ["--rows", "mislgan,identity", "--columns", "TASR*", "--no-published", "--split", "in"]
    code, out, _ = camobench("table", pristine, *words)
    assert code == 0
    assert "mislgan" in out
    absent = ("(cgan-img)", "*published*", "LPIPS↓", "Clean accuracy on")
    assert [word for word in absent if word in out] == []
    out = camobench("table", pristine, "--targets", "--format", "csv")[1]
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["target"] for row in rows} == {"cam-a", "cam-b", "cam-c"}
    code, out, err = camobench("table", pristine, "--rows", "mislgam")
    assert code != 0
    assert "mislgam" in err


def test_bibtex_of_what_ships(camobench):
    code, out, _ = camobench("list", "attacks", "--format", "bib")
    assert code == 0
    assert out.startswith("@misc{camobench,")
    assert "@inproceedings{dong-2018," in out


def test_table_over_originally_correct_images(camobench, pristine):
    code, out, err = camobench("table", pristine, "--correct-only")
    assert (code, err) == (0, "")
    assert out.startswith("### Table 2. ")
    assert "originally correct only" in out
    assert "### Table 3" not in out


def told(camobench, *words):
    code, out, err = camobench(*words, "--format", "json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_what_tables_hold(camobench, smoke):
    tables = told(camobench, "table", smoke.out)
    assert [table["number"] for table in tables][:2] == ["Table 2", "Table 3"]
    assert all(table["rows"] for table in tables)
    claims = told(camobench, "claims", smoke.out)["rows"]
    assert [row["claim"] for row in claims] == list("abcdefghij")
    assert {row["verdict"] for row in claims} == {"not measured"}  # which is no failure
    assert told(camobench, "cards", smoke.out)["rows"][0]["parameters"] > 0


@pytest.mark.parametrize("format_", ["md", "csv", "tex", "json"])
@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("table {run}", "jpeg"),
        ("claims {run}", "not measured"),
        ("cards {run}", "img-resnet18"),
        ("compare {run} mislgan cgan-img", "mislgan"),
        ("compare {run} --ranks", "mislgan"),
        ("compare {run} {run} --ranks", "mislgan"),
        ("doctor --quiet --store {new}", "torchvision"),
    ],
)
def test_verbs_speak_every_format(camobench, pristine, tmp_path, words, named, format_):
    line = [word.format(run=pristine, new=tmp_path / "store") for word in words.split()]
    code, out, err = camobench(*line, "--format", format_)
    assert (code, err) == (0, "")
    assert named in out
    if format_ == "json":
        json.loads(out)
    elif format_ == "csv":
        for part in out.strip().split("\n\n"):
            assert len({len(row) for row in csv.reader(io.StringIO(part.strip()))}) == 1
    else:
        assert ("| " if format_ == "md" else r"\begin{") in out


def test_compare_within_one_cell(camobench, pristine):
    cell = ["--victim", "pef-resnet18", "--target", "cam-a"]
    words = ["compare", pristine, "mislgan", "cgan-img", *cell, "--format", "json"]
    code, out, _ = camobench(*words)
    assert code == 0
    assert json.loads(out)["rows"][0]["mcnemar_p"] <= 1


def test_an_attack_alone_is_compared_with_doing_nothing(camobench, pristine):
    code, out, _ = camobench("compare", pristine, "mislgan", "--format", "json")
    assert code == 0
    rows = json.loads(out)["rows"]
    assert {(r["split"], r["measure"]) for r in rows} == {
        *(("in", "tasr"), ("in", "uasr"), ("out", "tasr"))
    }
    assert {r["second"] for r in rows} == {"identity"}
    tables = json.loads(camobench("table", pristine, "--format", "json")[1])
    (there,) = (r for r in tables[0]["rows"] if r["attack"] == "identity")
    assert rows[0]["second_percent"] == there["tasr_mean_percent"] > 0
