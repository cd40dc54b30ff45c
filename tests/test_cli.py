import csv
import io
import json
import re
import shlex
import sys
from functools import partial

import click
import pandas as pd
import pytest
from PIL import Image
from rich.console import Console

from bench import cli
from bench.checksums import keep_checksum
from bench.contract import ATTACKS, VICTIMS
from bench.recipes import RECIPES
from bench.store import Store
from bench.suites.base import prepare
from bench.suites.catalogue import SPECS, load_suite
from tests.plugins import FOG, MEAN
from tests.plugins import write as write_plugin
from tests.smoke import SUITE
from tests.suites.dresden.test_source import few
from tests.suites.dresden.test_source import write as write_dresden
from tests.toys import pixels

SMALL = ["--suite", "simcam-smoke-v1", "--recipe", "smoke", "--device", "cpu"]


@pytest.fixture
def camobench(monkeypatch, capsys):
    """The command line in this process: exit code, standard output, standard error."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["camobench", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return code, out, err

    return call


def one_line(err):
    assert err.startswith("error: ")
    assert err.count("\n") == 1, err
    return err


def commands(group=cli.cli, path=("camobench",)):
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL_COMMANDS = dict(commands())


@pytest.mark.parametrize("path", ALL_COMMANDS, ids=" ".join)
def test_every_verb_has_help_with_an_example_that_parses(path, camobench, monkeypatch, tmp_path):
    code, out, err = camobench(*path[1:], "--help")
    assert (code, err) == (0, "")
    example = next(line for line in out.splitlines() if "Example:" in line)
    words = shlex.split(example.split("Example:")[1])
    assert tuple(words[: len(path)]) == path
    monkeypatch.chdir(tmp_path)
    (tmp_path / "camobench-out").mkdir()
    command, context = cli.cli, None
    rest = words[1:]
    while isinstance(command, click.Group):
        name, *rest = rest
        context = click.Context(command, info_name=name, parent=context)
        command = command.commands[name]
    command.make_context(command.name, rest, parent=context)  # raises where an option is unknown


def test_the_verbs():
    expected = "demo run check list data train table claims compare verify doctor attribute".split()  # noqa: SIM905
    assert set(expected) <= set(cli.cli.commands)


def test_no_word_at_all_shows_the_help(camobench):
    code, out, err = camobench()
    assert code in (0, 2)
    assert "camobench demo" in out + err


def test_version(camobench):
    code, out, _ = camobench("--version")
    assert code == 0
    assert out.startswith("camobench, version ")


# list


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


# wrong usage: 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", *SMALL, "--attacks", "mislgam"], "unknown attack 'mislgam': did you mean mislgan"),
        (["run", *SMALL, "--victims", "pef-resnet13"], "unknown victim 'pef-resnet13': did you me"),
        (["train", *SMALL, "--victims", "pf-*"], "unknown victim 'pf-*'"),
        (["run", "--suite", "simcam-mimi-v1"], "unknown suite 'simcam-mimi-v1': did you mean simc"),
        (["data", "prepare", "dresdn"], "unknown suite 'dresdn'"),
        (["data", "show", "dresdn"], "unknown suite 'dresdn'"),
        (["data", "audit", "dresdn"], "unknown suite 'dresdn'"),
        (["run", "--recipe", "mimi"], "unknown recipe 'mimi': did you mean mini"),
        (["attribute", "a.jpg", "--recipe", "mimi"], "unknown recipe 'mimi'"),
        (["run", "--image-px", "128"], "suite simcam-mini-v1 takes no options, got image_px"),
        (
            ["run", "--suite", "folder:x", "--image-px", "65"],
            "expected `image_px` a multiple of 16",
        ),
        (["run", "--suite", "folder:x", "--tiles", "-1"], "expected `tiles_per_photo` of at least"),
        (["run", "--suite", "folder:x", "--layout", "visoin"], "unknown layout 'visoin': did you "),
        (["run", "--suite", "folder:x", "--root", "y"], "folder:DIR takes no root"),
        (["data", "prepare", "dresden-v1", "--partial"], "--partial (`partial=True`) goes with "),
        (
            ["data", "prepare", "dresden-v1", "--root", "x", "--tiles", "3"],
            "takes root and partial",
        ),
        (["run", *SMALL, "--victims", " ,"], "--victims names none"),
        (["attribute", "a.jpg", "--victims", ""], "--victims names none"),
        (["train"], "name --attacks, --victims or both"),
        (["run", "--batch", "-1"], "Invalid value for '--batch'"),
        (["run", "--colour", "red"], "No such option"),
        (["anonymise", "a.jpg"], "Missing option '--attack'"),
        (["anonymise", "--attack", "jpeg"], "Missing argument 'IMAGES...'"),
        (["list", "cameras"], "Invalid value for "),
        (["cards", "nowhere"], "Directory 'nowhere' does not exist"),
        (["table", "nowhere"], "Directory 'nowhere' does not exist"),
        (["tabel"], "No such command 'tabel'"),
        (["compare", "nowhere", "a", "b"], "'nowhere' is no folder, and not DIR:ATTACK either"),
        (["compare", "."], "name the attacks to compare, or ask for --ranks"),
        (["compare", ".", "--ranks", "--victim", "v"], "--ranks is over all victims"),
        (["verify", "nowhere"], "Path 'nowhere' does not exist"),
    ],
)
def test_wrong_usage_is_one_line_and_2(camobench, words, message):
    code, out, err = camobench(*words)
    assert (code, out) == (2, "")
    assert message in one_line(err)


def test_wrong_usage_points_to_the_help(camobench):
    assert "`camobench run --help`" in camobench("run", "--colour", "red")[2]


# failed or missing: 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--suite", "folder:nowhere"], "no folder nowhere; check the path"),
        (["run", *SMALL[:-1], "abacus"], "device 'abacus' cannot be used here"),
        (["data", "show", "simcam-smoke-v1"], "`camobench data prepare` makes one"),
        (["data", "prepare", "dresden-v1", "--root", "nowhere"], "no folder nowhere; check the pa"),
        (["data", "audit", "simcam-smoke-v1"], "`camobench data prepare` makes one"),
        (["attribute", "a.jpg", *SMALL, "--victims", "img-resnet12"], "is not trained for simcam-"),
        (["table", "."], "holds no entry-*.json; give the --out folder of a finished run"),
        (["claims", "."], "holds no entry-*.json; give the --out folder of a finished run"),
        (["compare", ".", "a", "b"], "holds no entry-*.json; give the --out folder of a finishe"),
    ],
)
def test_what_fails_is_one_line_and_1(camobench, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    if words[0] not in ("table", "claims", "compare"):
        words = [*words, "--store", tmp_path / "store"]
    code, out, err = camobench(*words)
    assert (code, out) == (1, "")
    assert message in one_line(err)


def test_a_store_that_cannot_be_made(camobench, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = camobench("data", "show", "simcam-smoke-v1", "--store", tmp_path / "file" / "s")
    assert code == 1
    assert str(tmp_path / "file") in one_line(err)


def test_errors_are_raised_for_those_who_debug(camobench, tmp_path, monkeypatch):
    monkeypatch.setenv("CAMOBENCH_DEBUG", "1")
    with pytest.raises(ValueError, match="holds no entry"):
        camobench("table", tmp_path)


# interrupted: 130


@pytest.mark.parametrize("error", [KeyboardInterrupt, click.Abort])
def test_interrupted_is_130_and_says_how_to_continue(camobench, tmp_path, monkeypatch, error):
    def evaluate(*args):
        raise error

    monkeypatch.setattr("bench.runner.api.evaluate_request", evaluate)
    code, out, err = camobench("run", *SMALL, "--store", tmp_path / "s", "--out", tmp_path / "o")
    assert (code, out) == (130, "")
    assert err.strip() == "interrupted: run the same command again to continue"


def test_what_keeps_nothing_says_only_that_it_was_interrupted(camobench, tmp_path, monkeypatch):
    def load(directory):
        raise KeyboardInterrupt

    monkeypatch.setattr("bench.report.inputs.load_run", load)
    code, _, err = camobench("table", tmp_path)
    assert (code, err.strip()) == (130, "interrupted")


# done: 0


def test_tables_fit_a_terminal_unless_a_format_is_asked_for(camobench, monkeypatch):
    monkeypatch.setattr("bench.cli.requests.Console", partial(Console, width=60, color_system=None))
    written = camobench("list", "recipes", "--format", "md")[1]
    assert camobench("list", "recipes")[1] == written  # no terminal
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert camobench("list", "recipes", "--format", "md")[1] == written
    assert json.loads(camobench("list", "recipes", "--json")[1])
    shown = camobench("list", "recipes")[1]
    assert "|" not in shown
    assert max(len(re.sub(r"\x1b\[\d*m", "", line)) for line in shown.splitlines()) <= 60


@pytest.fixture
def finished(smoke):
    return ["--store", smoke.store.root, *SMALL]


def test_run_fills_what_is_missing_and_prints_the_tables(camobench, smoke_copy):
    words = ["run", *SMALL, "--store", smoke_copy.store.root, "--out", smoke_copy.out]
    words += ["--victims", "img-resnet12,wdf-resnet12", "--attacks", "cgan-img,jpeg"]
    code, out, err = camobench(*words, "--from-scratch")
    assert code == 0
    for title in ("### Table 2", "### Table 3", "lean accuracy"):
        assert title in out
    assert f"report: {smoke_copy.out / 'report.html'}" in err
    assert (smoke_copy.out / "report.html").is_file()
    done = [line.rsplit(maxsplit=2)[0] for line in err.splitlines() if line.startswith("✓")]
    assert done == ["✓ writing entries and rows", "✓ writing tables and report"]
    assert "| jpeg" in out


def test_a_dry_run_names_what_is_missing_and_makes_nothing(camobench, smoke, tmp_path):
    words = ["run", *SMALL, "--store", smoke.store.root, "--out", tmp_path / "out", "--dry-run"]
    words += ["--from-scratch", "--victims", "img-resnet12,img-resnet34", "--attacks", "mislgan"]
    code, out, err = camobench(*words, "--format", "json")
    assert code == 0
    assert "3 of 4 networks and 3 of 4 cells are missing" in err
    rows = json.loads(out)
    assert [(row["work"], row["name"]) for row in rows] == [
        ("train", "surrogate pef-resnet18 (Set-B)"),
        ("train", "victim img-resnet34 (Set-A)"),
        ("train", "attack mislgan (Set-B)"),
        ("score", "mislgan"),
        ("score", "identity"),
    ]
    assert rows[3]["victims"] == "img-resnet12 img-resnet34"
    assert (rows[4]["cells"], rows[4]["victims"]) == (1, "img-resnet34")
    assert not (tmp_path / "out").exists()


def test_train_says_how_much_there_was_to_do(camobench, finished):
    code, out, err = camobench("train", *finished, "--victims", "img-resnet12", "--from-scratch")
    assert (code, out) == (0, "")
    assert "0 networks trained" in err


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


@pytest.mark.parametrize("format_", ["md", "csv", "tex", "json"])
def test_compare_in_every_format(camobench, pristine, format_):
    words = ["compare", pristine, "mislgan", "cgan-img", "--format", format_]
    code, out, err = camobench(*words)
    assert (code, err) == (0, "")
    assert "mislgan" in out
    code, out, err = camobench("compare", pristine, "--ranks", "--format", format_)
    assert (code, err) == (0, "")
    assert "prnu" not in out or format_ != "csv"  # it is named in the notes alone


def test_compare_across_folders_and_within_one_cell(camobench, pristine, run_dir):
    words = ["compare", f"{pristine}:mislgan", f"{run_dir}:cgan-img", "--format", "json"]
    code, out, _ = camobench(*words)
    assert code == 0
    here = ["compare", pristine, "mislgan", "cgan-img", "--format", "json"]
    rows = [json.loads(text)["rows"] for text in (out, camobench(*here)[1])]
    assert [r["difference_points"] for r in rows[0]] == [r["difference_points"] for r in rows[1]]
    code, out, _ = camobench(*here, "--victim", "pef-resnet18", "--target", "cam-a")
    assert code == 0
    assert json.loads(out)["rows"][0]["mcnemar_p"] <= 1


def test_table_over_originally_correct_images(camobench, pristine):
    code, out, err = camobench("table", pristine, "--correct-only")
    assert (code, err) == (0, "")
    assert out.startswith("### Table 2. ")
    assert "originally correct only" in out
    assert "### Table 3" not in out


def test_verify_says_what_it_found_and_re_runs(camobench, smoke):
    words = ["verify", smoke.out, "--store", smoke.store.root, "--rows", "8", "--device", "cpu"]
    code, out, err = camobench(*words, "--quiet", "--format", "json")
    assert (code, err) == (0, "")
    verdicts = {row["check"]: row["verdict"] for row in json.loads(out)}
    assert (verdicts["re-run"], verdicts["table2.csv"], verdicts["report.html"]) == ("ok",) * 3
    code, out, _ = camobench("verify", smoke.out / "entry-jpeg.json")
    assert code == 0
    assert "no row: one entry" in out


def test_verify_of_a_changed_table_is_1(camobench, smoke_copy):
    path = smoke_copy.out / "table2.csv"
    path.write_text(path.read_text().replace("in,jpeg", "in,jpeg2"))
    code, out, err = camobench("verify", smoke_copy.out)
    assert code == 1
    assert one_line(err).endswith("does not verify: table2.csv\n")
    assert "'jpeg2', recomputed 'jpeg'" in out


@pytest.mark.parametrize("format_", ["md", "csv", "tex", "json"])
def test_doctor_in_every_format(camobench, tmp_path, format_):
    words = ["doctor", "--store", tmp_path / "store", "--quiet", "--format", format_]
    code, out, err = camobench(*words)
    assert (code, err) == (0, "")
    assert "torchvision" in out
    assert not (tmp_path / "store").exists()


def test_doctor_fails_on_what_is_no_store(camobench, tmp_path):
    (tmp_path / "letter.txt").touch()
    code, out, err = camobench("doctor", "--store", tmp_path, "--quiet")
    assert code == 1
    assert "not a camobench store" in out
    assert one_line(err) == "error: this machine is not fit yet: store\n"


def test_data_prepare_and_show(camobench, tmp_path):
    store = ["--store", tmp_path / "store"]
    code, out, err = camobench("data", "prepare", "simcam-smoke-v1", *store, "--workers", "1")
    assert code == 0
    assert out.strip().endswith("simcam-smoke-v1-" + out.strip()[-12:])
    assert err.count("✓") == 4
    assert "audit: 9 of 11 checks pass; warn: a single device" in err
    code, _, err = camobench("data", "prepare", "simcam-smoke-v1", *store, "--workers", "1")
    assert (code, err.count("✓")) == (0, 0)  # neither made nor audited again
    assert "audit: 9 of 11 checks pass" in err
    code, out, _ = camobench("data", "show", "simcam-smoke-v1", *store, "--format", "json",
                             "--picture", tmp_path / "sheet.png")  # fmt: skip
    assert code == 0
    rows = {row["camera model"]: row for row in json.loads(out)}
    assert rows["simcam-01"]["Set-A"] == 4
    assert rows["simcam-07"] | {"split": "out", "Set-A": 0, "Set-C": 2} == rows["simcam-07"]
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (8 * 64, 4 * 64)


@pytest.fixture
def prepared(tmp_path):
    """A store with the smallest suite, not audited."""
    store = Store(tmp_path / "store")
    prepare(load_suite("simcam-smoke-v1"), store, ("A", "B", "C"))
    return store


def test_data_audit_in_every_format(camobench, prepared):
    words = ["data", "audit", "simcam-smoke-v1", "--store", prepared.root]
    for format_ in ("md", "csv", "tex", "json"):
        code, out, err = camobench(*words, "--format", format_)
        assert code == 0
        assert "✓ simcam-smoke-v1: hashing images" in err
        assert "JPEG tables alone name" in out
    rows = json.loads(out)
    assert all(row.keys() == {"check", "verdict", "finding"} for row in rows)
    assert {row["verdict"] for row in rows} == {"pass", "warn"}
    assert camobench(*words, "--quiet")[2] == ""


def test_an_audit_that_fails_is_printed_kept_and_1(camobench, prepared):
    (path,) = prepared.root.glob("data/*/C/manifest.parquet")
    pd.read_parquet(path).assign(scene="A-s0000").to_parquet(path, index=False)
    keep_checksum(path)
    words = ["data", "audit", "simcam-smoke-v1", "--store", prepared.root, "--quiet"]
    code, out, err = camobench(*words)
    assert code == 1
    assert "A-s0000 (A, C)" in out
    assert one_line(err) == "error: simcam-smoke-v1 fails its audit: scenes across sets\n"
    kept = json.loads((path.parents[1] / "audit.json").read_text())
    assert "fail: 1 of 8 scenes in more than one set" in kept["verdict"]


def test_show_of_a_suite_whose_making_was_stopped(camobench, tmp_path):
    store = ["--store", tmp_path / "store"]
    assert (
        camobench("data", "prepare", "simcam-smoke-v1", *store, "--workers", "1", "--quiet")[0] == 0
    )
    for manifest in tmp_path.rglob("manifest.parquet"):
        manifest.unlink()
    code, _, err = camobench("data", "show", "simcam-smoke-v1", *store)
    assert code == 1
    assert "Set-A of simcam-smoke-v1 is not in the store" in one_line(err)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "holiday [1].png"
    Image.fromarray(pixels(1, 71, 97)[0].permute(1, 2, 0).numpy()).save(path)
    return path


def test_anonymise(camobench, finished, photo, tmp_path):
    words = ["anonymise", photo, "--out", tmp_path / "out", *finished]
    code, out, err = camobench(*words, "--attack", "cgan-img", "--target", "simcam-01")
    assert code == 0
    assert "cgan-img on photographs" in err
    assert out.strip() == str(tmp_path / "out" / "holiday [1]__simcam-01.png")
    with Image.open(out.strip()) as made:
        assert made.size == (97, 71)
    code, _, err = camobench(*words, "--attack", "cgan-img", "--target", "simcam-99")
    assert code == 2
    assert "unknown target 'simcam-99'" in one_line(err)


@pytest.mark.parametrize("format_", ["md", "csv", "tex", "json"])
def test_attribute(camobench, finished, photo, format_):
    words = ["attribute", photo, *finished, "--victims", "img-resnet12", "--format", format_]
    code, out, err = camobench(*words)
    assert code == 0
    assert "the victims know simcam-01, simcam-02, simcam-03" in err
    assert "img-resnet12" in out
    if format_ == "json":
        (row,) = json.loads(out)
        assert row["predicted"].startswith("simcam-0")
        assert 1 / 3 <= row["probability"] <= 1


def test_folder_options_reach_the_suite(camobench, monkeypatch, tmp_path):
    seen = []

    def load_suite(name, *, progress=None, store=None, **options):
        assert store == tmp_path / "store"
        seen.append((name, options, progress is not None))
        raise ValueError("enough")

    monkeypatch.setattr("bench.suites.catalogue.load_suite", load_suite)
    folder = ["--suite", "folder:photos"]
    options = ["--image-px", "128", "--tiles", "3", "--classes", "a,b", "--skip-bad"]
    options += ["--layout", "vision", "--root", tmp_path, "--partial"]
    expected = {"image_px": 128, "tiles_per_photo": 3, "classes": ["a", "b"], "skip_bad": True}
    expected |= {"layout": "vision", "root": tmp_path, "partial": True}
    store = ["--store", tmp_path / "store"]
    for words in (
        ["run", *folder],
        ["train", *folder, "--victims", "all"],
        ["anonymise", "a.jpg", "--attack", "jpeg", *folder],
        ["attribute", "a.jpg", *folder],
        ["data", "prepare", "folder:photos"],
        ["data", "show", "folder:photos"],
        ["data", "audit", "folder:photos"],
    ):
        assert camobench(*words, *store, *options)[0] == 2
        assert seen[-1][:2] == ("folder:photos", expected), words
        assert camobench(*words, *store)[0] == 2
        assert seen[-1][:2] == ("folder:photos", {}), words
    assert seen[0][2]  # long reading is shown


def test_dresden_is_prepared_once_and_found_again(camobench, tmp_path):
    store = ["--store", tmp_path / "store"]
    code, _, err = camobench("data", "show", "dresden-v1", *store)
    assert code == 2
    assert "dresden-v1 is not in the store" in one_line(err)
    assert "--root DIR" in err
    root = write_dresden(tmp_path / "copy", few())
    words = ["data", "prepare", "dresden-v1", *store, "--quiet", "--root", root]
    code, out, err = camobench(*words)
    assert (code, out) == (1, "")
    assert "lacks 6150 of the 6171 photographs" in err
    assert "--partial" in err
    code, folder, _ = camobench(*words, "--partial")
    assert code == 0
    code, out, err = camobench("data", "show", "dresden-v1", *store, "--format", "json")
    assert code == 0
    assert [row["Set-A"] for row in json.loads(out)] == [3, 3, 0, 6]
    assert err.startswith("WARNING, INCOMPLETE copy of the Dresden images")
    assert camobench("data", "prepare", "dresden-v1", *store, "--quiet")[:2] == (0, folder)
    words = ["run", "--suite", "dresden-v1", *store, "--dry-run", "--quiet"]
    code, _, err = camobench(*words, "--victims", "img-resnet18", "--attacks", "jpeg")
    assert code == 0
    assert "1 of 1 networks and 2 of 2 cells are missing" in err


# plug-ins


FILE_WORDS = [*SMALL, "--workers", "1", "--from-scratch", "--quiet"]


@pytest.mark.usefixtures("own_registries")
def test_run_with_a_class_in_a_file(camobench, smoke_copy, tmp_path, monkeypatch):
    write_plugin(tmp_path / "mine.py", FOG + MEAN)
    monkeypatch.chdir(tmp_path)
    place = ["--store", smoke_copy.store.root, "--out", tmp_path / "out"]
    words = ["--attack", "mine.py:Fog", "--victims", "img-resnet12"]
    code, out, err = camobench("run", *FILE_WORDS, *place, *words)
    assert code == 0, err
    assert "| fog " in out
    rows = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    assert {"fog", "cgan-img", "median"} <= set(rows["attack"])  # complete rows and controls too
    assert set(rows["victim"]) == {"img-resnet12"}
    code, out, err = camobench(
        "run", *FILE_WORDS, *place, "--dry-run", "--format", "json", "--victim", "mine.py:Mean"
    )
    assert code == 0, err
    missing = {row["name"]: row["victims"].split() for row in json.loads(out)}
    assert missing["cgan-img"] == ["mean-colour"]
    assert "fog" not in missing  # a file's row is shown when the file is named
    assert {"identity", "jpeg", "median"} <= missing.keys()


@pytest.mark.usefixtures("own_registries")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", *SMALL, "--attack", "mine.py:Fgo"], "mine.py has no Fgo: did you mean Fog?"),
        (["run", *SMALL, "--attack", "nine.py:Fog"], "no plug-in file nine.py: did you mean mine"),
        (["run", *SMALL, "--attack", "mine.py:Mean"], "mine.py:Mean is victim mean-colour, expe"),
        (["run", *SMALL, "--victims", "mine.py:Fog"], "mine.py:Fog is attack fog, expected a vic"),
        (["train", *SMALL, "--attacks", "mine.py"], "name the class in mine.py too: mine.py:My"),
        (["check", "mine.py:Fgo"], "mine.py has no Fgo: did you mean Fog?"),
        (["check", "misl-gan"], "unknown attack 'misl-gan': did you mean mislgan"),
    ],
)
def test_a_plug_in_that_is_not_there(camobench, tmp_path, monkeypatch, words, message):
    write_plugin(tmp_path / "mine.py", FOG + MEAN)
    monkeypatch.chdir(tmp_path)
    code, out, err = camobench(*words)
    assert (code, out) == (2, "")
    assert message in one_line(err)


@pytest.mark.usefixtures("own_registries")
def test_check_prints_a_verdict_a_line_and_fails(camobench, tmp_path):
    bad = FOG.replace("return 0.9 * images", "return images.mean() + 0 * images")
    words = ["check", f"{write_plugin(tmp_path / 'bad.py', bad)}:Fog", "--device", "cpu"]
    code, out, err = camobench(*words, "--quiet")
    assert code == 1
    assert re.search(r"^\| batch size +\| fail +\| five at once or one by one: ", out, re.MULTILINE)
    assert re.search(r"^\| imports +\| ok ", out, re.MULTILINE)
    assert one_line(err).endswith("bad.py:Fog does not keep the contract: batch size\n")


@pytest.mark.usefixtures("own_registries")
def test_a_file_that_cannot_be_imported_is_one_line(camobench, tmp_path):
    path = write_plugin(tmp_path / "bad.py", "def f(:\n")
    code, out, err = camobench("check", f"{path}:Fog")
    assert (code, out) == (1, "")
    assert "bad.py line 1: syntax error" in one_line(err)


def test_a_narrower_run_into_the_same_folder_says_what_it_held(camobench, smoke_copy):
    words = ["run", "--suite", SUITE, "--recipe", "smoke", "--from-scratch", "--device", "cpu"]
    words += ["--victims", "img-resnet12,wdf-resnet12", "--store", smoke_copy.store.root]
    code, _, err = camobench(*words, "--attacks", "jpeg,identity", "--out", smoke_copy.out)
    assert code == 0
    assert f"{smoke_copy.out} held the attacks cgan-img before" in err
