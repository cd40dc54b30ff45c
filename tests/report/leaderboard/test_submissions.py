import json

import pytest

from bench.records.entry import Provenance
from bench.report.leaderboard.submissions import load_submissions, precision_of
from bench.types import SILENT
from tests.report.leaderboard.folders import write_folder
from tests.toy_run import edit_json


def test_folders_are_found_below_a_place_and_by_themselves(tmp_path):
    write_folder(tmp_path / "b" / "two")
    write_folder(tmp_path / "one")
    write_folder(tmp_path / "leaderboard" / "copy")
    for places, names in (
        ([tmp_path], ["b/two", "one"]),
        ([tmp_path / "one"], ["one"]),
        ([tmp_path, tmp_path / "b"], ["b/two", "one"]),  # each folder once
    ):
        assert [one.name for one in load_submissions(places, SILENT)[0]] == names


def test_two_folders_of_one_name(tmp_path):
    places = [write_folder(tmp_path / side / "run") for side in ("a", "b")]
    with pytest.raises(ValueError, match="are both called 'run'; rename one"):
        load_submissions(places, SILENT)


def test_the_precision_of_a_folder_is_that_of_all_its_entries(tmp_path):
    folder = write_folder(tmp_path / "one")
    edit_json(folder / "entry-mislgan.json", lambda e: e["provenance"].update(precision="bf16"))
    (found,), _ = load_submissions([folder], SILENT)
    assert (found.precision, len(found.run.attacks)) == ("bf16 on cpu and fp32", 6)


@pytest.mark.parametrize(
    ("provenance", "text"),
    [
        ({"precision": "fp32", "device": "cuda:0"}, "fp32"),
        ({"precision": "fp32", "device": "cuda:0", "tf32": True}, "fp32 with TF32 on cuda"),
        ({"precision": "bf16", "device": "cuda"}, "bf16 on cuda"),
        (
            {"precision": "fp32", "device": "cpu", "also_scored_by": [{"precision": "bf16"}]},
            "bf16 on cpu and fp32",
        ),
    ],
)
def test_devices_matter_where_precision_is_reduced(provenance, text):
    made = json.dumps({"packages": {}} | provenance)
    assert precision_of(Provenance.model_validate_json(made)) == text
