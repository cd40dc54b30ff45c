import json

from tests.cli.words import one_line


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
