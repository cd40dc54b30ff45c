import json

import pytest

from bench.report.foreign import family_of
from bench.report.inputs import load_run
from bench.report.tables import build_table


@pytest.mark.parametrize(
    ("record", "family"),
    [
        ({"family": "img", "name": "img-resnet12"}, "img"),
        ({"family": "img", "name": "img-resnet12", "plug_in": {}}, "img-resnet12"),
        ({"family": "img"}, "mine"),
        ({"family": "pef", "name": "img-resnet12"}, "img-resnet12"),
        ({"family": "pef", "predictions_sha256": "0"}, "mine"),
        ({"family": "colour", "plug_in": {"origin": "my.py:Net"}}, "colour"),
    ],
)
def test_only_the_protocols_own_are_in_its_families(record, family):
    assert family_of({"name": "mine"} | record) == family


def _claim(folder, change):
    for path in folder.glob("entry-*.json"):
        entry = json.loads(path.read_text())
        change(entry)
        path.write_text(json.dumps(entry))


def test_a_plug_in_that_claims_a_front_end_moves_no_mean(run_dir, tables):
    """Half of the img family were a plug-in's: the mean is that of the other half."""

    def foreign(entry):
        entry["victims"][4]["plug_in"] = {"origin": "my.py:Net", "source_sha256": "0"}

    _claim(run_dir, foreign)
    run = load_run(run_dir)
    assert run.families["img-densenet40"] == "img-densenet40"
    record = next(r for r in build_table(run, "in").records if r["attack"] == "mislgan")
    before = next(r for r in tables["in"].records if r["attack"] == "mislgan")
    assert (record["tasr_img_architectures"], before["tasr_img_architectures"]) == (1, 2)
    assert "tasr_img-densenet40_percent" in record
    assert record["tasr_mean_percent"] != before["tasr_mean_percent"]


def test_a_plug_in_is_no_row_of_the_paper(run_dir):
    def foreign(entry):
        entry["attack"] |= {"paper_row": True, "plug_in": {"origin": "my.py:Net"}}

    _claim(run_dir, foreign)
    run = load_run(run_dir)
    assert {attack.row for attack in run.attacks} == {None}
    assert all(row.kind != "published" for row in build_table(run, "in").rows)
