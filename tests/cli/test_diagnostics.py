import json
import re

import pytest

from tests.cli.words import one_line
from tests.plugins import FOG
from tests.plugins import write as write_plugin


@pytest.mark.usefixtures("own_registries")
def test_check_prints_a_verdict_a_line_and_fails(camobench, tmp_path):
    bad = FOG.replace("return 0.9 * images", "return images.mean() + 0 * images")
    words = ["check", f"{write_plugin(tmp_path / 'bad.py', bad)}:Fog", "--device", "cpu"]
    code, out, err = camobench(*words, "--quiet")
    assert code == 1
    assert re.search(r"^\| batch size +\| fail +\| six at once or one by one: ", out, re.MULTILINE)
    assert re.search(r"^\| imports +\| ok ", out, re.MULTILINE)
    assert one_line(err).endswith("bad.py:Fog does not keep the contract: picture, batch size\n")


@pytest.mark.usefixtures("own_registries")
def test_a_file_that_cannot_be_imported_is_one_line(camobench, tmp_path):
    path = write_plugin(tmp_path / "bad.py", "def f(:\n")
    code, out, err = camobench("check", f"{path}:Fog")
    assert (code, out) == (1, "")
    assert "bad.py line 1: SyntaxError" in one_line(err)


def test_doctor_makes_no_store_and_fails_on_what_is_none(camobench, tmp_path):
    assert camobench("doctor", "--store", tmp_path / "store", "--quiet")[0] == 0
    assert not (tmp_path / "store").exists()
    (tmp_path / "letter.txt").touch()
    code, out, err = camobench("doctor", "--store", tmp_path, "--quiet")
    assert code == 1
    assert "not a camobench store" in out
    assert one_line(err) == "error: this machine is not fit yet: store\n"


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
    assert "jpeg2" in out
